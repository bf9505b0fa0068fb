package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/hanzoai/kmsync/planner/verdict"
)

// decision is what a reviewer decides about one key. Its fields are hashed in
// this order; changing it makes every digest another one.
type decision struct {
	Sync, Destination, Key, RenamedFrom, Action, Reason, Block string
	SecretKey, Source, Replaces                                string
	KMS, Connection                                            string
	Secured                                                    bool
}

// Digest returns a SHA-256, in hex, over what a reviewer decides: creates,
// deletes, renames, adoptions and other changes of the ledger, what becomes
// secured, from which secret of which project, to where and by which account, key by
// key. New values of keys that were delivered before, from the same secret, are not
// part of it, so that a rotation needs no new review; neither is the time or the
// order of the input.
func Digest(p *Plan) string {
	hash := sha256.New()
	encoder := json.NewEncoder(hash)
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if !isDecision(c) {
				continue
			}
			// A hash never fails to write, and a decision always encodes.
			_ = encoder.Encode(decision{
				Sync: s.Address, Destination: s.Destination.String(), Key: c.Key, RenamedFrom: c.RenamedFrom,
				Action: string(c.Action), Reason: string(c.Reason), Block: string(c.BlockedBy),
				SecretKey: c.SecretKey, Source: c.Source.String(), Replaces: c.Replaces, Secured: c.Secured,
				KMS: p.service("kms", c.Source.KMS), Connection: p.service("connection", s.Destination.Connection),
			})
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// service is what a block leads to, with its name, since two may lead to one.
func (p *Plan) service(kind, label string) string { return label + " " + p.Services[kind+"."+label] }

// isDecision reports whether a reviewer decides about a change.
func isDecision(c Change) bool {
	if c.Action == verdict.Keep {
		return false
	}
	if c.Replaces != "" {
		return true
	}
	switch c.Reason {
	case verdict.SourceChanged, verdict.ReplacedOutside, verdict.Unconfirmed, verdict.MaxAge:
		return c.Action != verdict.Update
	}
	return true
}
