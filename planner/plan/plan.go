// Package plan is what one run would do, as data: no value, no fingerprint and no
// function is in it. [Plan] is where to start; [Digest] is what a reviewer decides.
package plan

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// Status is how far a sync got while planning.
type Status string

// The statuses. Suspended syncs come with later commands.
const (
	StatusPlanned   Status = "planned"
	StatusDisabled  Status = "disabled"
	StatusSuspended Status = "suspended"
	StatusExcluded  Status = "excluded"
	StatusError     Status = "error"
)

// Plan is what one run would do. It is data: it holds no value, no fingerprint
// and no function, and equal input gives an equal plan.
type Plan struct {
	Syncs      []Sync    // sorted by address
	LeftBehind []Remnant // sorted by sync, then destination
	Findings   []Finding // in the order of the syncs
	// Unmanaged counts the live variables that nothing claims, each once.
	Unmanaged int
	// Destroy says that the plan deletes what the declared syncs own.
	Destroy bool
	// Complete says that every read was complete and nothing is in doubt.
	Complete bool
	Requests Requests
	// Keys are the keys that each sync has, unchanged ones too, for addresses that
	// name keys. They are no part of the document.
	Keys address.Keys
	// Services say what the blocks of the configuration lead to, by "kms.NAME" and
	// "connection.NAME". They are part of the digest, and not of the document.
	Services map[string]string
	// Digest is a hash over what a reviewer decides; see [Digest].
	Digest string
}

// Requests counts HTTP requests: those made for the plan, and those the changes
// of the plan need.
type Requests struct{ Made, ToApply int }

// Sync is the part of a plan that one sync causes.
type Sync struct {
	Address     string
	Status      Status
	Sources     []graph.SourceRef
	Destination graph.DestinationRef
	Written     graph.DestinationRef // the destination as it was written, by which it is observed
	Changes     []Change             // sorted by key
	Unchanged   int
	// OldestWrite is when the oldest of the unchanged keys was written; zero if
	// there is none.
	OldestWrite time.Time
	Kept        int // kept keys that are not listed: those of an inactive owner
	Unmanaged   int // live variables of the destination that nothing claims
	Failure     *Failure
	Destroy     bool      // what it owns is to be deleted; it has no sources then
	Range       hcl.Range // of the sync block's header
}

// Change is one destination key that is not simply unchanged.
type Change struct {
	Key         string
	SecretKey   string // name in the KMS; "" when no secret is behind it
	RenamedFrom string // for Rename: the old key
	RenamedTo   string // for an old key: the new one
	// TakenOver: of an old key, that the new one takes its place, and no other's.
	TakenOver bool
	// WithRename: both parts of a rename are in the plan and held by nothing. The old
	// key is then told of with the new one, and not counted by itself.
	WithRename bool
	Action     verdict.Action
	Reason     verdict.Reason
	BlockedBy  verdict.Block
	Secured    bool // as it will be, or as it is for a key that is kept or deleted
	Owned      bool // the ledger says that this variable is ours
	Source     graph.SourceRef
	Version    int // of the secret; 0 when unknown
	OldVersion int // of the same secret when it was last written; 0 when unknown
	// Replaces names the secret last written to the key, where it was another one:
	// "A of dev:/web".
	Replaces string
	// Detail completes the reason for people where names are needed: who else
	// wants the key, which glob protects it. A clause without a full stop.
	Detail string
	Range  hcl.Range // where the cause was declared
	// HeldBy names what holds a delete, where the block alone does not: the refused key,
	// the number that is passed, the ledger.
	HeldBy string
	// MaxDeletes is, for a delete that is held until somebody allows a number of them,
	// that number; else 0.
	MaxDeletes int
	// VariableUUID and SecretID are the evidence: the variable to update or delete,
	// "" for a create, and the secret it is to hold.
	VariableUUID string
	SecretID     string
	// MadeOf is a hash over the secrets that the value refers to, with their versions;
	// "" where it refers to none.
	MadeOf string
}

// Deletes reports whether the change takes a variable away, or its name: a rename that
// changes only the case of letters is one request that sets the name of the variable.
func (c Change) Deletes() bool { return c.Action == verdict.Delete || c.RenamesInPlace() }

// RenamesInPlace reports whether a rename gives the variable itself another name.
func (c Change) RenamesInPlace() bool { return c.Action == verdict.Rename && c.VariableUUID != "" }

// Remnant is what a sync left behind: keys that the ledger still has for a sync
// that left the configuration, or left this destination.
type Remnant struct {
	Sync        string
	Destination graph.DestinationRef
	Keys        int
}

// Failure says why a sync could not be planned.
type Failure struct {
	Summary string // constant, "Cannot read the source"
	Detail  string // what, where and what to do
	Range   hcl.Range
}

// Finding is something to know that is not a change.
type Finding struct {
	Kind     verdict.FindingKind
	Severity Severity
	Address  string // of the sync, or "" for the whole run
	Key      string // destination key, or ""
	Detail   string // full sentences, ending with what to do
	Range    hcl.Range
}

// Severity grades a finding.
type Severity string

// The severities.
const (
	Warning  Severity = "warning"
	Security Severity = "security"
)

// Summary counts destination keys, each once. The exit code of a command is
// computed from it.
type Summary struct {
	Create, Rename, Update, Delete  int
	Adopt, Forget, Release          int
	Unchanged, Kept, Unmanaged      int
	LeftBehind, Blocked, SyncErrors int
	OldestWrite                     time.Time
}

// Summary counts the plan. A change that is blocked counts as blocked only.
func (p *Plan) Summary() Summary {
	var s Summary
	s.Unmanaged = p.Unmanaged
	seen := map[[2]string]bool{}
	for _, sync := range p.Syncs {
		if sync.Status == StatusError {
			s.SyncErrors++
		}
		s.Unchanged += sync.Unchanged
		s.Kept += sync.Kept
		if !sync.OldestWrite.IsZero() && (s.OldestWrite.IsZero() || sync.OldestWrite.Before(s.OldestWrite)) {
			s.OldestWrite = sync.OldestWrite
		}
		for _, c := range sync.Changes {
			id := [2]string{sync.Destination.String(), c.Key}
			if !seen[id] {
				seen[id] = true
				s.count(c)
			}
		}
	}
	for _, r := range p.LeftBehind {
		s.LeftBehind += r.Keys
	}
	return s
}

func (s *Summary) count(c Change) {
	switch {
	case c.BlockedBy != verdict.NotBlocked:
		s.Blocked++
		return
	case c.IsToldOf():
		return
	}
	switch c.Action {
	case verdict.Create:
		s.Create++
	case verdict.Rename:
		s.Rename++
	case verdict.Update:
		s.Update++
	case verdict.Delete:
		s.Delete++
	case verdict.Adopt:
		s.Adopt++
	case verdict.Forget:
		s.Forget++
	case verdict.Release:
		s.Release++
	case verdict.Keep:
		s.Kept++
	}
}

// Writes is how many keys the destination would see change.
func (s Summary) Writes() int { return s.Create + s.Rename + s.Update + s.Delete }

// LedgerOnly is how many keys change in the ledger alone.
func (s Summary) LedgerOnly() int { return s.Adopt + s.Forget + s.Release }

// JoinRenames notes of each rename whether its old key goes in the same run.
func (p *Plan) JoinRenames() {
	for _, s := range p.Syncs {
		old := map[string]int{}
		for i, c := range s.Changes {
			if c.Action == verdict.Delete && c.Reason == verdict.Renamed && c.BlockedBy == verdict.NotBlocked {
				old[c.Key] = i
			}
		}
		for i, c := range s.Changes {
			if j, there := old[c.RenamedFrom]; there && c.Action == verdict.Rename && c.BlockedBy == verdict.NotBlocked {
				s.Changes[i].WithRename, s.Changes[j].WithRename = true, true
			}
		}
	}
}

// IsToldOf reports whether a change is told of with another one.
func (c Change) IsToldOf() bool { return c.WithRename && c.Action == verdict.Delete }

// CanApply is the one place that decides whether there is anything to apply.
func (p *Plan) CanApply() bool {
	s := p.Summary()
	return s.Writes()+s.LedgerOnly() > 0
}

// Moved compares a change that was planned with what is decided about the same
// key now, and says what moved, or returns "" when the change still holds. now is
// false when no change is decided any more.
func (c Change) Moved(later Change, now bool) string {
	var moved []string
	switch {
	case !now && c.Action == verdict.Delete:
		return "it is wanted again"
	case !now:
		return "it is as wanted already, or no longer wanted"
	case c.Action == verdict.Delete && later.Action != verdict.Delete && c.VariableUUID == later.VariableUUID:
		return "it is wanted again, or no longer kmsync's to delete"
	case c.VariableUUID == "" && later.VariableUUID != "":
		moved = append(moved, "the variable exists now")
	case c.VariableUUID != "" && later.VariableUUID == "":
		moved = append(moved, "the variable is gone")
	case c.VariableUUID != later.VariableUUID:
		moved = append(moved, "the variable was made again")
	}
	if c.SecretID != later.SecretID || c.Version != later.Version || c.SecretKey != later.SecretKey || c.Source != later.Source {
		moved = append(moved, "the secret changed in "+later.Source.String())
	}
	if c.MadeOf != later.MadeOf && len(moved) == 0 {
		moved = append(moved, "a secret that it refers to changed")
	}
	if later.RenamedFrom != c.RenamedFrom && later.VariableUUID == c.VariableUUID {
		moved = append(moved, "its old name changed")
	}
	if later.BlockedBy != c.BlockedBy {
		moved = append(moved, "it is refused now")
	}
	if len(moved) == 0 && (c.Action != later.Action || c.Reason != later.Reason || c.Secured != later.Secured) {
		moved = append(moved, "the variable was changed")
	}
	return strings.Join(moved, "; ")
}
