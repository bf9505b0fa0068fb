package providers_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
)

// moved returns a time whose wall clock and monotonic clock went on differently,
// which the package time cannot make on purpose: its second word is the monotonic
// reading.
func moved(t *testing.T, from time.Time, wall, monotonic time.Duration) time.Time {
	t.Helper()
	to := from.Add(wall)
	second := reflect.NewAt(reflect.TypeFor[[2]int64](), reflect.ValueOf(&to).UnsafePointer()).Elem().Index(1)
	second.SetInt(second.Int() + int64(monotonic-wall))
	if to.Sub(from) != monotonic || to.Round(0).Sub(from.Round(0)) != wall {
		t.Fatal("a time.Time is laid out in another way than this test knows")
	}
	return to
}

// Time has passed if either clock says so: the wall clock may be set back, and the
// monotonic one stands still while the machine sleeps.
func TestElapsed(t *testing.T) {
	t.Parallel()
	const minute, hour = time.Minute, time.Hour
	from := time.Now() // with both readings
	wall := from.Round(0)
	for name, c := range map[string]struct {
		from, to time.Time
		want     time.Duration
	}{
		"both clocks":          {from, from.Add(minute), minute},
		"set back":             {from, moved(t, from, -hour, minute), minute},
		"set forward":          {from, moved(t, from, hour, minute), hour},
		"asleep":               {from, moved(t, from, minute, 0), minute},
		"set back by a little": {from, moved(t, from, 0, minute), minute},
		"the wall only":        {wall, wall.Add(minute), minute},
		"from the wall only":   {wall, from.Add(minute), minute},
		"to the wall only":     {from, wall.Add(minute), minute},
		"backwards":            {wall, wall.Add(-minute), -minute},
		"no time":              {from, from, 0},
	} {
		if got := providers.Elapsed(c.from, c.to); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if got := providers.Expired(c.to, c.from); got != (c.want > 0) {
			t.Errorf("%s: expired is %v", name, got)
		}
	}
}
