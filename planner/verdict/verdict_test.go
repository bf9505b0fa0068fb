package verdict

import "testing"

// allFacts calls yield with every combination of facts about one key.
func allFacts(yield func(Facts)) {
	for _, record := range allRecords() {
		for bits := range 1 << 7 {
			bit := func(i int) bool { return bits>>i&1 == 1 }
			for _, wanted := range []Wanted{NotWanted, IsWanted, IsRefused} {
				for _, live := range []Live{Absent, Readable, Secured} {
					for _, removal := range []Removal{NoRemoval, RemovalKeep, RemovalDelete} {
						f := Facts{
							Wanted: wanted, Live: live, Removal: removal, Record: record, Gone: GoneFromSource,
							WantSecure: bit(0), SameValue: bit(1), Protected: bit(2), UnreadRange: bit(3),
							OverwriteRange: bit(4), DeletionDisabled: bit(5), Doubted: bit(6), Block: EmptyValue,
						}
						// A variable that is not there has no UUID that is the recorded one.
						if live == Absent && record.SameUUID {
							continue
						}
						yield(f)
						allRenames(f, yield)
					}
				}
			}
		}
	}
}

// allRenames calls yield with the same facts about a key that takes part in a
// rename: the new name where it is wanted, the old one where it is owned and not.
func allRenames(f Facts, yield func(Facts)) {
	switch {
	case f.Wanted != NotWanted:
		f.NewName = true
		yield(f)
	case f.Record.SameUUID && f.Record.Owner == OwnerActive && !f.Record.Foreign:
		for _, f.Rename = range []RenameState{RenameStopped, RenameOverlaps, RenameReady} {
			yield(f)
		}
	}
}

// allRecords returns every state that the ledger can hold about one key.
func allRecords() []Record {
	records := []Record{{}}
	for bits := range 1 << 8 {
		bit := func(i int) bool { return bits>>i&1 == 1 }
		for _, owner := range []OwnerState{OwnerActive, OwnerInactive, OwnerGone} {
			// no UUID; the live one's; one that is live under another name; one that is gone
			for _, uuid := range []Record{{}, {HasUUID: true, SameUUID: true, UUIDLive: true}, {HasUUID: true, UUIDLive: true}, {HasUUID: true}} {
				r := uuid
				r.Exists, r.Owner = true, owner
				r.Foreign, r.SameSync, r.InDoubt, r.OtherKey = bit(0), bit(1), bit(2), bit(3)
				r.SameFingerprint, r.Expired, r.Released, r.StaysSecured = bit(4), bit(5), bit(6), bit(7)
				if !r.HasUUID && !r.InDoubt {
					continue // only a create in doubt has no UUID
				}
				records = append(records, r)
			}
		}
	}
	return records
}

// TestTruths holds every verdict on one key against the truths that no
// configuration, ledger or answer of a service may break.
func TestTruths(t *testing.T) {
	t.Parallel()
	n := 0
	allFacts(func(f Facts) {
		n++
		v := Of(f)
		if broken := brokenTruth(f, v); broken != "" {
			t.Fatalf("%s\nfacts   %+v\nverdict %+v", broken, f, v)
		}
	})
	if n < 500_000 {
		t.Fatalf("only %d combinations were tried", n)
	}
}

func brokenTruth(f Facts, v Verdict) string {
	wanted := f.Wanted != NotWanted
	ours := f.Record.Exists && f.Record.SameUUID && !f.Record.Foreign && f.Record.Owner != OwnerInactive
	switch v.Action {
	case Delete:
		switch {
		case wanted:
			return "a wanted key is deleted"
		case f.Live == Absent:
			return "a variable that is not there is deleted"
		case f.Protected, f.Record.Foreign, f.UnreadRange, f.Record.Exists && f.Record.Released:
			return "a key is deleted that a rule keeps"
		case f.Record.Exists && f.Record.Owner == OwnerInactive:
			return "a key of a sync that is not active is deleted"
		case f.DeletionDisabled && v.Reason != SyncRemoved:
			return "a key is deleted although deletion is disabled"
		case !ours && !f.OverwriteRange:
			return "a variable that is not ours is deleted without overwrite-destination"
		case v.Reason == SyncRemoved && f.Removal != RemovalDelete:
			return "what a sync left behind is deleted without being asked to"
		case f.Rename == RenameStopped || f.Rename == RenameOverlaps:
			return "an old name is deleted before the new one holds"
		case (f.Rename == RenameReady) != (v.Reason == Renamed):
			return "an old name is deleted for another reason, or another key for this one"
		}
	case Create, Update, Rename:
		switch {
		case f.Wanted != IsWanted:
			return "a key is written that nobody wants, or that is refused"
		case v.Action.Creates() != (f.Live == Absent):
			return "a create of what is there, or an update of what is not"
		case f.Protected:
			return "a protected key is written"
		case v.Action == Rename && !f.NewName, v.Action == Create && f.NewName:
			return "a rename without an old name, or a create of a new name"
		case f.Record.Foreign, f.Record.Exists && f.Record.Owner == OwnerInactive:
			return "a key of another owner is written"
		}
	case Unchanged, Adopt:
		if f.Wanted != IsWanted || f.Live == Absent {
			return "a key is believed that is not there or not wanted"
		}
		if f.Live == Secured && !(f.Record.Exists && !f.Record.InDoubt && !f.Record.OtherKey && f.Record.SameUUID && f.Record.SameFingerprint) {
			return "a secured key is believed without the fingerprint of this very variable"
		}
		if f.Live == Readable && f.WantSecure {
			return "a readable secret is left readable"
		}
		if f.Live == Secured && !f.WantSecure && (v.Action == Unchanged || !f.Record.StaysSecured) {
			return "a secured variable that is to be readable is believed before it was tried"
		}
		if v.Action == Unchanged && (!f.Record.SameSync || f.Record.Released) {
			return "a record stays that names another owner, or gives up a key that is wanted again"
		}
	case Forget, Release:
		if wanted || !f.Record.Exists || f.Record.Foreign {
			return "a record is dropped that is wanted, missing or another configuration's"
		}
		if v.Action == Release && (f.Removal != RemovalKeep || !ours || f.Record.Owner != OwnerGone || f.Record.Released) {
			return "a key is given up that is not ours to give up, or that nobody gave up"
		}
		if v.Action == Forget && f.Doubted {
			return "a record is dropped because of a listing that proves nothing"
		}
	case Keep:
		if v.Reason == "" {
			return "a key is kept without a reason"
		}
		if v.Reason == NotReadable && (v.Finding == "" || !f.Record.StaysSecured || !f.Record.SameUUID || !f.Record.SameFingerprint || f.Record.InDoubt) {
			return "a variable stays secured in silence, or although something changed"
		}
	case Nothing, Unmanaged:
		if wanted && v.Finding == "" {
			return "a wanted key is ignored"
		}
	default:
		return "there is no such action"
	}
	if (v.BlockedBy != NotBlocked) != (v.Reason == Refused) {
		return "a verdict is blocked without being a refusal, or the other way round"
	}
	return ""
}

// TestSettles applies each verdict to the facts it was made from: what
// follows must need no write and no change of the ledger.
func TestSettles(t *testing.T) {
	t.Parallel()
	allFacts(func(f Facts) {
		v := Of(f)
		again := Of(after(f, v))
		if again.Action.Writes() || again.Action.LedgerOnly() {
			t.Fatalf("not settled\nfacts   %+v\nverdict %+v\nthen    %+v\nand     %+v", f, v, after(f, v), again)
		}
	})
}

// after is what a key's facts are once its verdict was carried out.
func after(f Facts, v Verdict) Facts {
	fresh := Record{Exists: true, SameSync: true, HasUUID: true, SameUUID: true, UUIDLive: true, SameFingerprint: true}
	switch v.Action {
	case Create, Update, Rename:
		f.Live, f.SameValue, f.Record = Readable, true, fresh
		if f.WantSecure {
			f.Live = Secured
		}
	case Adopt:
		fresh.StaysSecured = f.Record.StaysSecured // an adopted record keeps its writes
		f.Record = fresh
	case Forget:
		f.Record = Record{}
	case Release:
		f.Record.Released = true
	case Delete:
		f.Live, f.Record = Absent, Record{}
	}
	return f
}

// TestStaysSecured: a variable that Bitbucket does not make readable is tried once, then
// left, with a finding.
func TestStaysSecured(t *testing.T) {
	t.Parallel()
	tried := 0
	allFacts(func(f Facts) {
		v := Of(f)
		if v.Action != Update || v.Reason != NotReadable {
			return
		}
		tried++
		f = after(f, v)
		f.Live, f.Record.StaysSecured = Secured, true
		if v := Of(f); v.Action != Keep || v.Reason != NotReadable || v.Finding != FindStaysSecured {
			t.Fatalf("it is tried again\nfacts   %+v\nverdict %+v", f, v)
		}
	})
	if tried == 0 {
		t.Error("nothing was tried")
	}
}

// TestRows has one case per row of the table in docs/decisions.md, each with
// what the rows above it would need to take it away.
func TestRows(t *testing.T) {
	t.Parallel()
	ours := Record{Exists: true, SameSync: true, HasUUID: true, SameUUID: true, UUIDLive: true, SameFingerprint: true}
	with := func(change func(*Record)) Record {
		r := ours
		change(&r)
		return r
	}
	foreign := with(func(r *Record) { r.Foreign = true })
	inactive := with(func(r *Record) { r.Owner = OwnerInactive })
	gone := with(func(r *Record) { r.Owner = OwnerGone })
	replaced := with(func(r *Record) { r.SameUUID, r.UUIDLive = false, false })
	lostCreate := Record{Exists: true, InDoubt: true}
	want := func(live Live, r Record) Facts {
		return Facts{Wanted: IsWanted, WantSecure: true, Live: live, Record: r}
	}
	readable := func(same bool, r Record) Facts {
		return Facts{Wanted: IsWanted, Live: Readable, SameValue: same, Record: r}
	}
	toBeReadable := func(change func(*Record)) Facts {
		r := with(func(r *Record) { r.StaysSecured = true })
		if change != nil {
			change(&r)
		}
		return Facts{Wanted: IsWanted, Live: Secured, Record: r}
	}
	unwanted := func(r Record) Facts { return Facts{Live: Secured, Record: r, Gone: GoneFromSource} }

	for _, row := range []struct {
		name  string
		facts Facts
		want  Verdict
	}{
		{"another configuration's, wanted", want(Secured, foreign), Verdict{Keep, Refused, OwnedElsewhere, ""}},
		{"another configuration's", unwanted(foreign), Verdict{Action: Keep, Reason: Foreign}},
		{"protected and there", Facts{Wanted: IsWanted, Protected: true, Live: Secured}, Verdict{Action: Keep, Reason: Protected}},
		{"protected, wanted, not there", Facts{Wanted: IsWanted, Protected: true}, Verdict{Action: Nothing, Reason: Protected, Finding: FindProtectedMissing}},
		{"protected beats refused", Facts{Wanted: IsRefused, Block: EmptyValue, Protected: true, Live: Secured}, Verdict{Action: Keep, Reason: Protected}},
		{"refused", Facts{Wanted: IsRefused, Block: EmptyValue, Live: Secured, Record: ours}, Verdict{Keep, Refused, EmptyValue, ""}},
		{"of an inactive sync, wanted by another", want(Secured, inactive), Verdict{Keep, Refused, OwnedByInactive, ""}},
		{"of an inactive sync", unwanted(inactive), Verdict{Action: Keep, Reason: InactiveOwner}},
		{"of an inactive sync, not there", Facts{Record: inactive}, Verdict{}},
		{"missing", want(Absent, Record{}), Verdict{Action: Create, Reason: Missing}},
		{"missing, recorded", want(Absent, replaced), Verdict{Action: Create, Reason: Missing}},
		{"missing, the new name of an owned one", Facts{Wanted: IsWanted, WantSecure: true, NewName: true}, Verdict{Action: Rename, Reason: Renamed}},
		{"the new name, and there", Facts{Wanted: IsWanted, WantSecure: true, NewName: true, Live: Secured, Record: ours}, Verdict{Action: Unchanged}},
		{"the new name, refused", Facts{Wanted: IsRefused, Block: EmptyValue, NewName: true}, Verdict{Keep, Refused, EmptyValue, ""}},
		{"readable secret", want(Readable, ours), Verdict{Action: Update, Reason: NotSecured, Finding: FindNotSecured}},
		{"to be readable", Facts{Wanted: IsWanted, Live: Secured, Record: ours}, Verdict{Action: Update, Reason: NotReadable}},
		{"stays secured", toBeReadable(nil), Verdict{Action: Keep, Reason: NotReadable, Finding: FindStaysSecured}},
		{"stays secured, and is older than max_age", toBeReadable(func(r *Record) { r.Expired = true }), Verdict{Action: Keep, Reason: NotReadable, Finding: FindStaysSecured}},
		{"stays secured, of another sync", toBeReadable(func(r *Record) { r.SameSync = false }), Verdict{Action: Adopt, Reason: Adopted}},
		{"stays secured, and was released", toBeReadable(func(r *Record) { r.Released = true }), Verdict{Action: Adopt, Reason: Adopted}},
		{"stayed secured, and has another value now", toBeReadable(func(r *Record) { r.SameFingerprint = false }), Verdict{Action: Update, Reason: NotReadable}},
		{"stayed secured, and was made again", toBeReadable(func(r *Record) { r.SameUUID, r.UUIDLive = false, false }), Verdict{Action: Update, Reason: NotReadable}},
		{"stayed secured, and is in doubt", toBeReadable(func(r *Record) { r.InDoubt = true }), Verdict{Action: Update, Reason: NotReadable}},
		{"stayed secured, with another root key", toBeReadable(func(r *Record) { r.OtherKey = true }), Verdict{Action: Update, Reason: NotReadable}},
		{"stayed secured, and is wanted so now", want(Secured, with(func(r *Record) { r.StaysSecured = true })), Verdict{Action: Unchanged}},
		{"readable, differs", readable(false, ours), Verdict{Action: Update, Reason: ValueDiffers}},
		{"readable, equal", readable(true, ours), Verdict{Action: Unchanged}},
		{"readable, equal, not recorded", readable(true, Record{}), Verdict{Action: Adopt, Reason: Adopted}},
		{"readable, equal, in doubt", readable(true, with(func(r *Record) { r.InDoubt = true })), Verdict{Action: Adopt, Reason: Adopted}},
		{"readable, equal, another sync's", readable(true, with(func(r *Record) { r.SameSync = false })), Verdict{Action: Adopt, Reason: Adopted}},
		{"in doubt", want(Secured, with(func(r *Record) { r.InDoubt = true })), Verdict{Action: Update, Reason: Unconfirmed}},
		{"never recorded", want(Secured, Record{}), Verdict{Action: Update, Reason: NeverRecorded}},
		{"another root key", want(Secured, with(func(r *Record) { r.OtherKey = true })), Verdict{Action: Update, Reason: NeverRecorded}},
		{"replaced outside", want(Secured, replaced), Verdict{Action: Update, Reason: ReplacedOutside}},
		{"source changed", want(Secured, with(func(r *Record) { r.SameFingerprint = false })), Verdict{Action: Update, Reason: SourceChanged}},
		{"too old", want(Secured, with(func(r *Record) { r.Expired = true })), Verdict{Action: Update, Reason: MaxAge}},
		{"believed", want(Secured, ours), Verdict{Action: Unchanged}},
		{"believed, of another sync", want(Secured, with(func(r *Record) { r.SameSync = false })), Verdict{Action: Adopt, Reason: Adopted}},
		{"gone outside", Facts{Record: replaced}, Verdict{Action: Forget, Reason: GoneOutside}},
		{"not listed, and the list proves nothing", Facts{Record: replaced, Doubted: true}, Verdict{}},
		{"nothing at all", Facts{}, Verdict{}},
		{"in range of a sync that was not read", Facts{Live: Secured, UnreadRange: true, OverwriteRange: true, Record: ours}, Verdict{Action: Keep, Reason: SyncNotRead}},
		{"create in doubt, not wanted", unwanted(lostCreate), Verdict{Action: Keep, Reason: Unconfirmed, Finding: FindUnconfirmed}},
		{"released, wanted again", want(Secured, with(func(r *Record) { r.Released = true })), Verdict{Action: Adopt, Reason: Adopted}},
		{"released", unwanted(with(func(r *Record) { r.Released = true })), Verdict{Action: Keep, Reason: Released}},
		{"left behind", unwanted(gone), Verdict{Action: Keep, Reason: LeftBehind}},
		{"left behind, keep = true", Facts{Live: Secured, Record: gone, Removal: RemovalKeep}, Verdict{Action: Release, Reason: SyncRemoved}},
		{"left behind, keep = false", Facts{Live: Secured, Record: gone, Removal: RemovalDelete}, Verdict{Action: Delete, Reason: SyncRemoved}},
		{"owned, gone from the source", unwanted(ours), Verdict{Action: Delete, Reason: GoneFromSource}},
		{"owned, deletion disabled", Facts{Live: Secured, Record: ours, DeletionDisabled: true}, Verdict{Action: Keep, Reason: DeletionDisabled}},
		{"the old name, the new one stopped", Facts{Live: Secured, Record: ours, Gone: GoneFromSource, Rename: RenameStopped}, Verdict{Action: Keep, Reason: RenameWaits}},
		{"the old name, the new one fresh", Facts{Live: Secured, Record: ours, Gone: GoneFromSource, Rename: RenameOverlaps}, Verdict{Action: Keep, Reason: Overlap}},
		{"the old name", Facts{Live: Secured, Record: ours, Gone: GoneFromSource, Rename: RenameReady}, Verdict{Action: Delete, Reason: Renamed}},
		{"the old name, deletion disabled", Facts{Live: Secured, Record: ours, DeletionDisabled: true, Rename: RenameReady}, Verdict{Action: Keep, Reason: DeletionDisabled}},
		{"the old name, protected", Facts{Live: Secured, Record: ours, Protected: true, Rename: RenameReady}, Verdict{Action: Keep, Reason: Protected}},
		{"made again by somebody is not ours", unwanted(replaced), Verdict{Action: Forget, Reason: GoneOutside}},
		{"overwrite-destination", Facts{Live: Secured, OverwriteRange: true}, Verdict{Action: Delete, Reason: OverwriteDestination}},
		{"overwrite-destination, made again", Facts{Live: Secured, OverwriteRange: true, Record: replaced}, Verdict{Action: Delete, Reason: OverwriteDestination}},
		{"overwrite-destination, deletion disabled", Facts{Live: Secured, OverwriteRange: true, DeletionDisabled: true}, Verdict{Action: Keep, Reason: DeletionDisabled}},
		{"unmanaged", unwanted(Record{}), Verdict{Action: Unmanaged}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := Of(row.facts); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}
