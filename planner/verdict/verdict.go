// Package verdict decides what to do with one destination key: the whole verdict
// table as one pure function, and the words that it uses. What the facts are is
// gathered in package planner.
package verdict

// Wanted says whether an active sync of the destination wants a key.
type Wanted int

// The three answers.
const (
	NotWanted Wanted = iota
	IsWanted
	IsRefused // wanted, and stopped by a rule about the key itself: Facts.Block
)

// Live says how the destination shows a key.
type Live int

// The three states of a variable.
const (
	Absent Live = iota
	Readable
	Secured
)

// OwnerState says what has become of the sync that a record belongs to.
type OwnerState int

// The states of an owner.
const (
	OwnerActive   OwnerState = iota // declared for this destination, enabled and read
	OwnerInactive                   // declared, but disabled, suspended, excluded or not readable
	OwnerGone                       // not declared, or declared for another destination
)

// Removal is what a removed block says about the keys of an owner that is gone.
type Removal int

// The answers of a removed block.
const (
	NoRemoval Removal = iota
	RemovalKeep
	RemovalDelete
)

// RenameState says how far the rename of an owned key is, which its sync no longer
// wants while it wants the same secret under another key.
type RenameState int

// The states of a rename.
const (
	NotRenamed     RenameState = iota
	RenameStopped              // the new key is refused or otherwise not written
	RenameOverlaps             // the new key has not been there for long enough
	RenameReady
)

// Record is what the ledger says about a key. The zero Record is none.
type Record struct {
	Exists bool
	// Foreign: it belongs to a configuration of another kmsync.name.
	Foreign bool
	Owner   OwnerState
	// SameSync: it names the sync that wants the key now, by the address and the
	// configuration that this has today.
	SameSync bool
	// HasUUID is false only for a create that never got an answer.
	HasUUID bool
	// SameUUID: the live variable of this name is the one recorded.
	SameUUID bool
	// UUIDLive: the recorded variable is live, under whatever name.
	UUIDLive bool
	InDoubt  bool
	// OtherKey: its fingerprint was made with another root key, or it has none.
	OtherKey        bool
	SameFingerprint bool
	Expired         bool // older than max_age
	// StaysSecured: the newest write was to make the variable readable, and the answer
	// said that it is secured.
	StaysSecured bool
	Released     bool
}

// Facts is everything the verdict on one destination key depends on.
type Facts struct {
	Wanted     Wanted
	Block      Block // for IsRefused
	WantSecure bool  // the key is to be secured
	Live       Live
	SameValue  bool // the readable live value equals the wanted one
	Record     Record
	Protected  bool // matches protect of a declared sync of this destination
	// Doubted: the listing of the destination is not proven complete, so a key that
	// is absent from it may be there.
	Doubted bool
	// UnreadRange: in range of an enabled sync of this destination that was not
	// read in this run.
	UnreadRange bool
	// OverwriteRange: in range of an active sync that has overwrite-destination.
	OverwriteRange   bool
	DeletionDisabled bool
	Removal          Removal
	Gone             Reason // why an active owner no longer wants the key
	// NewName: the sync that wants the key owns a variable of another name for the
	// same secret, whose place it takes.
	NewName bool
	Rename  RenameState // of a key that its active owner no longer wants
}

// Verdict is what to do with one destination key, and why.
type Verdict struct {
	Action    Action
	Reason    Reason
	BlockedBy Block
	Finding   FindingKind // "" for none
}

// Of gives the verdict on one key: the first row of the table in
// docs/decisions.md that fits. It is pure, total and gives exactly one verdict.
func Of(f Facts) Verdict {
	wanted := f.Wanted != NotWanted
	switch {
	case f.Record.Foreign && wanted:
		return refused(OwnedElsewhere)
	case f.Record.Foreign:
		return untouched(f.Live, Foreign)
	case f.Protected && f.Live != Absent:
		return Verdict{Action: Keep, Reason: Protected}
	case f.Protected && wanted:
		return Verdict{Action: Nothing, Reason: Protected, Finding: FindProtectedMissing}
	case f.Wanted == IsRefused:
		return refused(f.Block)
	case f.Record.Exists && f.Record.Owner == OwnerInactive && wanted:
		return refused(OwnedByInactive)
	case f.Record.Exists && f.Record.Owner == OwnerInactive:
		return untouched(f.Live, InactiveOwner)
	case wanted && f.Live == Absent && f.NewName:
		return Verdict{Action: Rename, Reason: Renamed}
	case wanted && f.Live == Absent:
		return Verdict{Action: Create, Reason: Missing}
	case wanted && f.Live == Readable:
		return decideReadable(f)
	case wanted:
		return decideSecured(f)
	case f.Live == Absent && f.Record.Exists && !f.Doubted && !f.Record.Released:
		return Verdict{Action: Forget, Reason: GoneOutside}
	case f.Live == Absent:
		return Verdict{Action: Nothing}
	}
	return decideUnwanted(f)
}

func refused(by Block) Verdict {
	return Verdict{Action: Keep, Reason: Refused, BlockedBy: by}
}

func untouched(live Live, why Reason) Verdict {
	if live == Absent {
		return Verdict{Action: Nothing}
	}
	return Verdict{Action: Keep, Reason: why}
}

// decideReadable judges a wanted key whose value the destination shows.
func decideReadable(f Facts) Verdict {
	switch {
	case f.WantSecure:
		return Verdict{Action: Update, Reason: NotSecured, Finding: FindNotSecured}
	case !f.SameValue:
		return Verdict{Action: Update, Reason: ValueDiffers}
	case !f.Record.Exists || f.Record.InDoubt || !f.Record.SameSync || f.Record.Released:
		return Verdict{Action: Adopt, Reason: Adopted}
	}
	return Verdict{Action: Unchanged}
}

// decideSecured judges a wanted key whose value nobody can read back.
func decideSecured(f Facts) Verdict {
	r := f.Record
	certain := r.Exists && !r.InDoubt && !r.OtherKey && r.SameUUID && r.SameFingerprint
	switch {
	case !f.WantSecure && certain && r.StaysSecured && (!r.SameSync || r.Released):
		return Verdict{Action: Adopt, Reason: Adopted}
	case !f.WantSecure && certain && r.StaysSecured:
		return Verdict{Action: Keep, Reason: NotReadable, Finding: FindStaysSecured}
	case !f.WantSecure:
		return Verdict{Action: Update, Reason: NotReadable}
	case r.Exists && r.InDoubt:
		return Verdict{Action: Update, Reason: Unconfirmed}
	case !r.Exists || r.OtherKey:
		return Verdict{Action: Update, Reason: NeverRecorded}
	case !r.SameUUID:
		return Verdict{Action: Update, Reason: ReplacedOutside}
	case !r.SameFingerprint:
		return Verdict{Action: Update, Reason: SourceChanged}
	case r.Expired:
		return Verdict{Action: Update, Reason: MaxAge}
	case !r.SameSync || r.Released:
		return Verdict{Action: Adopt, Reason: Adopted}
	}
	return Verdict{Action: Unchanged}
}

// decideUnwanted judges a live variable that no active sync wants.
//
// A variable is owned only if it is the very one recorded, by UUID: a variable
// of a recorded name that somebody made again is not ours to delete.
func decideUnwanted(f Facts) Verdict {
	r := f.Record
	owned := r.Exists && r.HasUUID && r.SameUUID
	switch {
	case f.UnreadRange:
		return Verdict{Action: Keep, Reason: SyncNotRead}
	case r.Exists && r.InDoubt && !r.HasUUID:
		return Verdict{Action: Keep, Reason: Unconfirmed, Finding: FindUnconfirmed}
	case r.Exists && r.Released:
		return Verdict{Action: Keep, Reason: Released}
	case owned && r.Owner == OwnerGone:
		return decideLeftBehind(f.Removal)
	case owned && f.DeletionDisabled:
		return Verdict{Action: Keep, Reason: DeletionDisabled}
	case owned && f.Rename != NotRenamed:
		return decideOldName(f.Rename)
	case owned:
		return Verdict{Action: Delete, Reason: f.Gone}
	case f.OverwriteRange && (!r.Exists || !r.UUIDLive) && f.DeletionDisabled:
		return Verdict{Action: Keep, Reason: DeletionDisabled}
	case f.OverwriteRange && (!r.Exists || !r.UUIDLive):
		return Verdict{Action: Delete, Reason: OverwriteDestination}
	case r.Exists && !r.UUIDLive && !f.Doubted:
		return Verdict{Action: Forget, Reason: GoneOutside}
	}
	return Verdict{Action: Unmanaged}
}

// decideOldName judges the old name of a secret that has another one now.
func decideOldName(rename RenameState) Verdict {
	switch rename {
	case RenameReady:
		return Verdict{Action: Delete, Reason: Renamed}
	case RenameOverlaps:
		return Verdict{Action: Keep, Reason: Overlap}
	}
	return Verdict{Action: Keep, Reason: RenameWaits}
}

func decideLeftBehind(removal Removal) Verdict {
	switch removal {
	case RemovalDelete:
		return Verdict{Action: Delete, Reason: SyncRemoved}
	case RemovalKeep:
		return Verdict{Action: Release, Reason: SyncRemoved}
	}
	return Verdict{Action: Keep, Reason: LeftBehind}
}
