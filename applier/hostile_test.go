package applier_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
)

// The answer to a create that names a variable which is another key's proves nothing:
// the write stays in doubt, and the ledger does not take that variable for its own.
func TestAnswerThatNamesAnotherVariable(t *testing.T) {
	t.Parallel()
	s := newStage().secrets("A", "C")
	s.set(web, providers.Variable{UUID: "{new-A}", Key: "B", Secured: true}) // the UUID that the create of A is answered with
	s.apply(t.Context(), t)
	if diff := cmp.Diff([]string{"A in doubt", "C wrote create"}, s.told()); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(s.book.doubts(), []string{"A"}) {
		t.Errorf("in doubt: %q, outcomes %+v", s.book.doubts(), s.book.outcomes)
	}
	if err := s.failure(t, "A"); !strings.Contains(err.Error(), "names another variable, B") {
		t.Errorf("got %v", err)
	}
}

// A create whose answer was lost meets a variable of its name. Where the list before
// was complete it is ours and is set once more; where that list was doubted it may
// have been there all along, and is left alone.
func TestLostCreateAfterADoubtedList(t *testing.T) {
	t.Parallel()
	for name, doubted := range map[string]bool{"complete": false, "doubted": true} {
		s := newStage().secrets("A")
		if doubted { // the ledger knows a variable, and none is listed
			s.recorded("Z", "{old-Z}", "before")
		}
		s.fail("create acme/web A", fault{err: noAnswer()})
		s.before = func() { s.set(web, providers.Variable{UUID: "{foreign}", Key: "A", Secured: true}) }
		s.apply(t.Context(), t)
		updates, told := []string{"update acme/web A"}, []string{"A wrote create"}
		if doubted {
			updates, told = nil, []string{"A in doubt"}
		}
		if diff := cmp.Diff(updates, s.all("update")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(told, s.told()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if inDoubt := slices.Equal(s.book.doubts(), []string{"A"}); inDoubt != doubted {
			t.Errorf("%s: in doubt %q, outcomes %+v", name, s.book.doubts(), s.book.outcomes)
		}
		if creates := s.all("create"); len(creates) != 1 {
			t.Errorf("%s: %q", name, creates)
		}
	}
}
