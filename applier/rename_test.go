package applier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
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
// noted as what it is. The old variable goes last, and stays where the new one fails.
func TestRenaming(t *testing.T) {
	t.Parallel()
	const done = "B wrote delete, C wrote rename"
	for name, test := range map[string]struct {
		faults []fault
		told   string
		calls  int
	}{
		"answered":              {nil, done, 1},
		"lost after the effect": {[]fault{{err: noAnswer(), effect: true}}, done, 2},
		"lost before":           {[]fault{{err: noAnswer()}}, done, 2},
		"refused":               {[]fault{{err: refusal(403)}}, "B held by doubt: C of sync.a failed, C failed", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := renaming()
			s.fail("create acme/web C", test.faults...)
			s.apply(t.Context(), t)
			if got := strings.Join(s.told(), ", "); got != test.told {
				t.Fatalf("told %q", got)
			}
			if calls := s.all("create", "update"); len(calls) != test.calls {
				t.Errorf("calls %q", calls)
			}
			written := test.told == done
			if there := s.live[web][0].UUID == "{old-B}"; there == written || (s.book.outcomes["B"].Kind == ledger.Forgotten) != written {
				t.Errorf("the old name is there: %v, its record %+v", there, s.book.outcomes["B"])
			}
			if order := s.all("create acme/web C", "delete"); written && (len(order) != test.calls+1-len(s.all("update")) || order[len(order)-1] != "delete acme/web B") {
				t.Errorf("in the order %q", order)
			}
			if o := s.book.outcomes["C"]; written && (o.Write.Action != string(verdict.Rename) || o.Entry.Source.Name != "A") {
				t.Errorf("the ledger was told %+v", o)
			}
			if want := map[bool]int{true: 1}[written]; s.result.Renamed != want || s.result.Created+s.result.Deleted != 0 || s.result.Wrote() != want || s.result.Held != 1-want {
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
	if got := s.told(); len(got) != 2 || !strings.HasPrefix(got[0], "B held by doubt: acme/web lists no variable") || got[1] != "C stopped: its old name changed" {
		t.Errorf("told %q", got)
	}
}
