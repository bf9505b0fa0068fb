package planner

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/observe"
)

// Action is what a change does to one destination key.
type Action string

// The actions. The first eight stand in plans; the last three are verdicts that
// a plan only counts.
const (
	Create  Action = "create"
	Rename  Action = "rename"
	Update  Action = "update"
	Delete  Action = "delete"
	Adopt   Action = "adopt"   // ledger only: the key becomes this sync's
	Forget  Action = "forget"  // ledger only: the record goes
	Release Action = "release" // ledger only: the key stays, no longer ours to delete
	Keep    Action = "keep"

	Nothing   Action = ""          // there is nothing, and nothing is wanted
	Unchanged Action = "unchanged" // believed to be as wanted
	Unmanaged Action = "unmanaged" // not ours
)

// Writes reports whether the action sends a request to the destination.
func (a Action) Writes() bool {
	return a == Create || a == Update || a == Delete || a == Rename
}

// LedgerOnly reports whether the action changes the ledger and nothing else.
func (a Action) LedgerOnly() bool { return a == Adopt || a == Forget || a == Release }

// Reason says why, for people and programs that read a plan. It decides nothing.
type Reason string

// The reasons, in the order of the verdict table.
const (
	Protected            Reason = "protected"
	Refused              Reason = "refused"
	Missing              Reason = "missing"
	NotSecured           Reason = "not_secured"
	NotReadable          Reason = "not_readable"
	ValueDiffers         Reason = "value_differs"
	Unconfirmed          Reason = "unconfirmed"
	NeverRecorded        Reason = "never_recorded"
	ReplacedOutside      Reason = "replaced_outside"
	SourceChanged        Reason = "source_changed"
	MaxAge               Reason = "max_age"
	Adopted              Reason = "adopted"
	GoneOutside          Reason = "gone_outside"
	SyncNotRead          Reason = "sync_not_read"
	Released             Reason = "released"
	LeftBehind           Reason = "left_behind"
	SyncRemoved          Reason = "sync_removed"
	GoneFromSource       Reason = "gone_from_source"
	NotIncluded          Reason = "not_included"
	SchemaChanged        Reason = "schema_changed"
	Renamed              Reason = "renamed"
	DeletionDisabled     Reason = "deletion_disabled"
	OverwriteDestination Reason = "overwrite_destination"
	InactiveOwner        Reason = "inactive_owner"
	Foreign              Reason = "foreign"
)

// Block is the rule that stops a change, or "" when nothing does.
type Block string

// The blocks.
const (
	NotBlocked          Block = ""
	HiddenValue         Block = "hidden_value"
	UnresolvedReference Block = "unresolved_reference"
	IllegalName         Block = "illegal_name"
	EmptyValue          Block = "empty_value"
	LineBreak           Block = "line_break"
	DuplicateKey        Block = "duplicate_key"
	CaseClash           Block = "case_clash"
	RequiredMissing     Block = "required_missing"
	TooLarge            Block = "size"
	OwnedElsewhere      Block = "owned_elsewhere"
	OwnedByInactive     Block = "owned_by_inactive"
	InDoubt             Block = "doubt"
	RefusedKey          Block = "refused_key"
	MaxCount            Block = "max_count"
	MaxPercent          Block = "max_percent"
	NoConsent           Block = "no_consent"
	Moved               Block = "moved"
	NotSupportedYet     Block = "not_supported_yet"
)

// Status is how far a sync got while planning.
type Status string

// The statuses. Suspended and excluded syncs come with later commands.
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
	Syncs      []SyncPlan // sorted by address
	LeftBehind []Remnant  // sorted by sync, then destination
	Findings   []Finding  // in the order of the syncs
	// Unmanaged counts the live variables that nothing claims, each once.
	Unmanaged int
	// Complete says that every read was complete and nothing is in doubt.
	Complete bool
	Requests Requests
	// Digest is a hash over what a reviewer decides; see [Digest].
	Digest string
}

// Requests counts HTTP requests: those made for the plan, and those the changes
// of the plan need.
type Requests struct{ Made, ToApply int }

// SyncPlan is the part of a plan that one sync causes.
type SyncPlan struct {
	Address     string
	Status      Status
	Sources     []SourceRef
	Destination DestinationRef
	Changes     []Change // sorted by key
	Unchanged   int
	// OldestWrite is when the oldest of the unchanged keys was written; zero if
	// there is none.
	OldestWrite time.Time
	Kept        int // kept keys that are not listed: those of an inactive owner
	Unmanaged   int // live variables of the destination that nothing claims
	Failure     *Failure
	Range       hcl.Range // of the sync block's header
}

// SourceRef names a folder of a KMS.
type SourceRef = observe.SourceRef

// DestinationRef names a destination.
type DestinationRef = observe.DestinationRef

// Change is one destination key that is not simply unchanged.
type Change struct {
	Key         string
	SecretKey   string // name in the KMS; "" when no secret is behind it
	RenamedFrom string // for Rename: the old key
	Action      Action
	Reason      Reason
	BlockedBy   Block
	Secured     bool // as it will be, or as it is for a key that is kept or deleted
	Owned       bool // the ledger says that this variable is ours
	Source      SourceRef
	Version     int // of the secret; 0 when unknown
	OldVersion  int // of the secret last written; 0 when unknown
	// Detail completes the reason for people where names are needed: who else
	// wants the key, which glob protects it. A clause without a full stop.
	Detail string
	Range  hcl.Range // where the cause was declared
	// VariableUUID and SecretID are the evidence: the variable to update or delete,
	// "" for a create, and the secret it is to hold.
	VariableUUID string
	SecretID     string
}

// Remnant is what a sync left behind: keys that the ledger still has for a sync
// that left the configuration, or left this destination.
type Remnant struct {
	Sync        string
	Destination DestinationRef
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
	Kind     FindingKind
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

// FindingKind names a finding.
type FindingKind string

// The kinds of findings.
const (
	FindDoubt            FindingKind = "doubt"             // something is not proven; deletes are held
	FindNotSecured       FindingKind = "not_secured"       // a secret was readable by everyone with access to the repository
	FindProtectedMissing FindingKind = "protected_missing" // a protected key is wanted and not there
	FindUnconfirmed      FindingKind = "unconfirmed"       // a create got no answer; the variable may be ours
	FindSize             FindingKind = "size"              // more than a build can carry
	FindLedger           FindingKind = "ledger"            // the ledger is lost, thrown away or older than it should be
	FindCredential       FindingKind = "credential"        // something about a credential
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
	if c.BlockedBy != NotBlocked {
		s.Blocked++
		return
	}
	switch c.Action {
	case Create:
		s.Create++
	case Rename:
		s.Rename++
	case Update:
		s.Update++
	case Delete:
		s.Delete++
	case Adopt:
		s.Adopt++
	case Forget:
		s.Forget++
	case Release:
		s.Release++
	case Keep:
		s.Kept++
	}
}

// Writes is how many keys the destination would see change.
func (s Summary) Writes() int { return s.Create + s.Rename + s.Update + s.Delete }

// LedgerOnly is how many keys change in the ledger alone.
func (s Summary) LedgerOnly() int { return s.Adopt + s.Forget + s.Release }

// CanApply is the one place that decides whether there is anything to apply.
func (p *Plan) CanApply() bool {
	s := p.Summary()
	return s.Writes()+s.LedgerOnly() > 0
}
