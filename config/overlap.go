package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/lang"
	"github.com/hanzoai/kmsync/config/internal/spec"
	"github.com/hanzoai/kmsync/config/keyspace"
)

// Overlap returns a key that one of two syncs claims by overwrite-destination and
// the other can produce. If both have one destination, which is the caller's to
// know, the one would delete what the other writes. It returns false where neither
// overwrites, and where no such key is possible, whatever secrets there will be.
// "" and true say that this could not be proven and no key is known.
func Overlap(a, b *Sync) (example string, ok bool) {
	clash, ok := new(keyspace.Prover).Clash(claimOf(a), claimOf(b))
	return clash.Example, ok
}

func claimsOf(syncs []*Sync) []keyspace.Claim {
	claims := make([]keyspace.Claim, len(syncs))
	for i, s := range syncs {
		claims[i] = claimOf(s)
	}
	return claims
}

func claimOf(s *Sync) keyspace.Claim {
	var c keyspace.Claim
	for _, source := range s.Sources {
		prefix, suffix := s.Options.KeySchema.Value.affixes(source.Environment.Value)
		c.Produced = append(c.Produced, source.keys(prefix, suffix))
		if s.Options.OverwriteDestination.Value {
			c.Claimed = append(c.Claimed, keyspace.Range(prefix, suffix))
		}
	}
	return c
}

// keys returns what the source can produce, in whatever state its folder is. What
// protect keeps from being written counts.
func (s *Source) keys(prefix, suffix string) keyspace.Space {
	keys := keyspace.Space{Prefix: prefix, Suffix: suffix}
	for _, glob := range s.Include {
		if isWild(glob.Value) {
			keys.Globs = append(keys.Globs, glob.Value)
		} else if s.Wants(glob.Value) {
			keys.Names = append(keys.Names, s.NameOf(glob.Value))
		}
	}
	if len(s.Include) == 0 {
		keys.Globs = []string{"*"}
	}
	for _, glob := range s.Exclude {
		keys.Except = append(keys.Except, glob.Value)
	}
	for _, name := range sortedNames(s.Rename) {
		if !s.Wants(name) {
			continue
		}
		keys.Names = append(keys.Names, s.Rename[name].Value)
		if !isWild(name) {
			keys.Except = append(keys.Except, name)
		}
	}
	return keys
}

// checkOverlaps reports syncs of one destination of which one would delete what
// another writes. Disabled ones count.
func (b *builder) checkOverlaps() {
	byDestination := map[string][]*Sync{}
	for _, s := range b.knownSyncs() {
		id := s.Destination.id()
		byDestination[id] = append(byDestination[id], s)
	}
	prover := &keyspace.Prover{}
	for _, id := range sortedNames(byDestination) {
		syncs := byDestination[id]
		found := prover.Meetings(claimsOf(syncs))
		for i, s := range syncs {
			if m := found[i]; m != nil {
				b.reportOverlap(s, syncs[m.With], m)
			}
		}
	}
}

// id is the same for destinations that are the same as they are written. Two
// connections may lead to one place.
func (d Destination) id() string {
	return strings.ToLower(d.Workspace.Value+"/"+d.Repository.Value) + "/" + d.DeploymentEnvironment.Value
}

// name is the destination as people write it: acme/payments (Staging).
func (d Destination) name() string {
	name := d.Workspace.Value
	if d.Repository.Value != "" {
		name += "/" + d.Repository.Value
	}
	if d.DeploymentEnvironment.Value != "" {
		name += " (" + d.DeploymentEnvironment.Value + ")"
	}
	return name
}

// decisive are the arguments that say which keys a sync makes, and where.
var decisive = map[string][]string{
	"source":      {"environment", "include", "exclude", "rename"},
	"destination": {"workspace", "repository", "scope", "deployment_environment"},
	"options":     {"initial_sync_behavior", "key_schema"},
}

// knownSyncs returns the syncs of which it is known what they do, in the order of
// the files. What is wrong with the others was reported.
func (b *builder) knownSyncs() []*Sync {
	known := map[string]bool{}
	for _, written := range b.blocks["sync"] {
		if !written.Discarded {
			known[written.Address] = isKnown(written)
		}
	}
	var syncs []*Sync
	for _, s := range b.config.Syncs {
		d := s.Destination
		if known[s.Address] && d.Workspace.Value != "" && (d.Repository.Value != "" || d.WorkspaceScope.Value) {
			syncs = append(syncs, s)
		}
	}
	slices.SortStableFunc(syncs, func(a, b *Sync) int {
		return cmp.Or(compareRanges(a.Range, b.Range), strings.Compare(a.Address, b.Address))
	})
	return syncs
}

func isKnown(sync *lang.Block) bool {
	for name, arguments := range decisive {
		if sync.Misspelt(name) {
			return false
		}
		for _, inner := range sync.Inner(name) {
			if slices.ContainsFunc(arguments, func(argument string) bool { return !inner.Usable(argument) }) {
				return false
			}
		}
	}
	return true
}

func (b *builder) reportOverlap(later, earlier *Sync, m *keyspace.Meeting) {
	claims, produces := earlier, later
	if m.First {
		claims, produces = later, earlier
	}
	makes := fmt.Sprintf("%s (%s)", produces.Address, spec.Place(keysRange(produces)))
	detail := fmt.Sprintf("By overwrite-destination, %s (%s) claims its whole range of keys in %s. ", claims.Address, spec.Place(keysRange(claims)), later.Destination.name())
	if m.Example != "" {
		detail += fmt.Sprintf("%s can make keys in that range, such as %s.", makes, m.Example)
	} else {
		detail += fmt.Sprintf("That %s makes none of them cannot be proven, as its globs are too entangled.", makes)
	}
	if m.Count > 1 {
		detail += fmt.Sprintf(" %s overlaps with %d more.", later.Address, m.Count-1)
	}
	diag := spec.ErrorAt(keysRange(later), summaryOverlap, detail+" Give one of them a key_schema of its own, or remove overwrite-destination.")
	if strings.HasSuffix(later.Address, "]") { // of a for_each
		diag = spec.InBlock(diag, later.Address)
	}
	b.report(diag)
}

// keysRange is the place that says which keys a sync makes.
func keysRange(s *Sync) hcl.Range {
	if s.Options.KeySchema.IsSet() {
		return s.Options.KeySchema.Range
	}
	return s.Range
}
