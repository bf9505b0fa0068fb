package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
)

func TestLockedErrorNamesWhatIsKnown(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 1, 14, 5, 6, 7, time.FixedZone("", 3600))
	for _, test := range []struct {
		holder ledger.Holder
		want   string
	}{
		{
			ledger.Holder{ID: "ab12", Run: "ada@host", PID: 77, Since: since, Doing: "apply"},
			"locked by ada@host (process 77) since 2026-03-01T13:05:06Z for apply",
		},
		{ledger.Holder{Run: "an unknown run"}, "locked by an unknown run"},
		{ledger.Holder{Run: "build 12", Doing: "watch"}, "locked by build 12 for watch"},
	} {
		var err error = fmt.Errorf("apply: %w", &ledger.LockedError{Holder: test.holder})
		locked, ok := errors.AsType[*ledger.LockedError](err)
		if !ok || locked.Error() != test.want {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestLastWriteIsTheFirstOfTheList(t *testing.T) {
	t.Parallel()
	older := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	newer := older.Add(time.Hour)
	entry := &ledger.Entry{Writes: []ledger.Write{{At: newer}, {At: older}}}
	if got := entry.LastWrite(); !got.Equal(newer) {
		t.Errorf("got %v, want the newest, %v", got, newer)
	}
	if got := (&ledger.Entry{}).LastWrite(); !got.IsZero() {
		t.Errorf("without writes: got %v, want the zero time", got)
	}
}
