package applier_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// renaming has B of acme/web owned for the secret A, which sync.a renames to C.
func renaming() *stage {
	s := newStage().secrets("A").variable("B").recorded("B", "{old-B}", canary+"A")
	e := s.state.Destinations[repositoryUUID].Entries["B"]
	e.Source.Name, e.Source.ID = "A", s.folder[app][0].ID
	s.syncs[0].Sources[0].Rename = map[string]config.Located[string]{"A": set("C")}
	return s
}

// A rename is sent as a create is, settled as one when its answer is lost, and
// noted as what it is. The old variable and its record stay.
func TestRenaming(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults []fault
		told   string
		calls  int
	}{
		"answered":              {nil, "C wrote rename", 1},
		"lost after the effect": {[]fault{{err: noAnswer(), effect: true}}, "C wrote rename", 2},
		"lost before":           {[]fault{{err: noAnswer()}}, "C wrote rename", 2},
		"refused":               {[]fault{{err: refusal(403)}}, "C failed", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := renaming()
			s.fail("create acme/web C", test.faults...)
			s.apply(t.Context(), t)
			if got := s.told(); !slices.Equal(got, []string{test.told}) {
				t.Fatalf("told %q", got)
			}
			if calls := s.all("create", "update"); len(calls) != test.calls {
				t.Errorf("calls %q", calls)
			}
			if _, touched := s.book.outcomes["B"]; touched || s.live[web][0].UUID != "{old-B}" {
				t.Error("the old name was touched")
			}
			written := test.told == "C wrote rename"
			if o := s.book.outcomes["C"]; written && (o.Write.Action != string(verdict.Rename) || o.Entry.Source.Name != "A") {
				t.Errorf("the ledger was told %+v", o)
			}
			if want := map[bool]int{true: 1}[written]; s.result.Renamed != want || s.result.Created != 0 || s.result.Wrote() != want || s.result.Held != 1 {
				t.Errorf("result %+v", s.result)
			}
		})
	}
}

// A rename whose old variable goes meanwhile stops: it is another decision then.
func TestRenamingWhatMoved(t *testing.T) {
	t.Parallel()
	s := renaming()
	s.before = func() { s.live[web] = nil; s.clock.advance(31 * time.Second) }
	s.apply(t.Context(), t)
	if got := s.told(); !slices.Equal(got, []string{"C stopped: its old name changed"}) {
		t.Errorf("told %q", got)
	}
}
