package verdict

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

// Creates reports whether the action makes a variable that is not there.
func (a Action) Creates() bool { return a == Create || a == Rename }

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
	Destroyed            Reason = "destroyed" // by kmsync destroy, which asks no source
	Renamed              Reason = "renamed"
	RenameWaits          Reason = "rename_waits"
	Overlap              Reason = "overlap"
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
	LineBreak           Block = "line_break" // or other bytes that no variable can carry
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

// FindingKind names a finding.
type FindingKind string

// The kinds of findings.
const (
	FindDoubt            FindingKind = "doubt"             // something is not proven; deletes are held
	FindNotSecured       FindingKind = "not_secured"       // a secret was readable by everyone with access to the repository
	FindStaysSecured     FindingKind = "stays_secured"     // a variable was to become readable, and Bitbucket keeps it secured
	FindProtectedMissing FindingKind = "protected_missing" // a protected key is wanted and not there
	FindUnconfirmed      FindingKind = "unconfirmed"       // a create got no answer; the variable may be ours
	FindSize             FindingKind = "size"              // more than a build can carry
	FindMove             FindingKind = "move"              // a moved block leads to a sync that owns keys of its own
	FindRemoved          FindingKind = "removed"           // a removed block names a place that the ledger does not know
	FindLedger           FindingKind = "ledger"            // the ledger is lost, thrown away or older than it should be
	FindCredential       FindingKind = "credential"        // something about a credential
	FindNotSelected      FindingKind = "not_selected"      // --target or --exclude leave something out of the plan
)
