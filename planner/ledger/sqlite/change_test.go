package sqlite

import (
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
)

var (
	released = ledger.Outcome{Kind: ledger.Released, Entry: ledger.Entry{Key: "A"}}
	reowned  = ledger.Outcome{Kind: ledger.Reowned, Entry: ledger.Entry{Key: "A", Owner: ledger.Owner{Config: "store", Sync: "sync.b"}}}
)

// TestChangesOfTheLedgerAlone releases an entry and gives it another owner: all
// else stays as it was written, also what is in doubt, and whether the entry is of
// an earlier session or of the same.
func TestChangesOfTheLedgerAlone(t *testing.T) {
	t.Parallel()
	for _, between := range []bool{false, true} {
		for _, doubt := range []bool{false, true} {
			p := newPlace(t)
			first := func(s ledger.Session, state *ledger.State) {
				settle(t, s, written("A", state.Key, "old"), written("B", state.Key, "other"))
				if doubt {
					intend(t, s, create("A"))
				}
			}
			second := func(s ledger.Session, _ *ledger.State) { settle(t, s, released, reowned) }
			var was *ledger.Entry
			p.session(t, func(s ledger.Session, state *ledger.State) {
				first(s, state)
				was = entry(p.load(t), "A")
				if !between {
					second(s, state)
				}
			})
			if between {
				p.session(t, second)
			}
			want := *was
			want.Released, want.Owner = true, reowned.Entry.Owner
			state := p.load(t)
			diff(t, entry(state, "A"), &want)
			if e := entry(state, "B"); e.Released || e.Owner.Sync != "sync.a" {
				t.Errorf("another key changed too: %+v", e)
			}
			if want.InDoubt != doubt {
				t.Errorf("the doubt is %t, want %t", want.InDoubt, doubt)
			}
		}
	}
}

// TestAReleaseEnds with the next write, and when a sync takes the key over.
func TestAReleaseEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(s ledger.Session, state *ledger.State) {
		settle(t, s, written("A", state.Key, "old"), released)
		settle(t, s, written("A", state.Key, "new"))
	})
	state := p.load(t)
	if entry(state, "A").Released {
		t.Error("released after a write")
	}
	p.session(t, func(s ledger.Session, state *ledger.State) {
		settle(t, s, released, ledger.Outcome{Kind: ledger.Adopted, Entry: written("A", state.Key, "new").Entry})
	})
	if e := entry(p.load(t), "A"); e.Released || len(e.Writes) != 2 {
		t.Errorf("got %+v, want it taken over with its writes", e)
	}
}

// TestOnlyWhatIsBelievedChanges: there is nothing to release where nothing is
// recorded, or nothing but a create without an answer. Nothing is written then.
func TestOnlyWhatIsBelievedChanges(t *testing.T) {
	t.Parallel()
	for _, outcome := range []ledger.Outcome{released, reowned} {
		for name, before := range map[string]func(ledger.Session){
			"nothing":           func(ledger.Session) {},
			"create unanswered": func(s ledger.Session) { intend(t, s, create("A")) },
		} {
			p := newPlace(t)
			p.session(t, func(s ledger.Session, _ *ledger.State) { before(s) })
			was := entry(p.load(t), "A")
			p.session(t, func(s ledger.Session, state *ledger.State) {
				outcomes := []ledger.Outcome{written("B", state.Key, "b"), outcome}
				if err := s.Settle(t.Context(), staging, outcomes); err == nil {
					t.Errorf("%s, kind %d: no error", name, outcome.Kind)
				}
			})
			state := p.load(t)
			diff(t, entry(state, "A"), was)
			if entry(state, "B") != nil {
				t.Errorf("%s, kind %d: half of it was noted", name, outcome.Kind)
			}
		}
	}
}
