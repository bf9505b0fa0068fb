package limits_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hanzoai/kmsync/planner/limits"
)

// Whoever waits for a place when the run ends gets an error, without running, and
// holds no place afterwards.
func TestWaitingForAPlaceEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parallelism        int
		holder, repository string
	}{
		"in all": {1, "", ""}, "in all, for a repository": {1, "acme/api", "acme/web"}, "of the repository": {9, "acme/web", "acme/web"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := limits.New(test.parallelism)
			done := make(chan struct{})
			holders := min(test.parallelism, limits.PerRepository)
			for range holders {
				go l.Do(context.Background(), test.holder, func() { <-done })
			}
			synctest.Wait()
			for range limits.PerRepository { // a place that leaks is missed the last time
				ctx, cancel := context.WithCancel(t.Context())
				result := make(chan error, 1)
				go func() { result <- l.Do(ctx, test.repository, func() { t.Errorf("%s: it ran", name) }) }()
				synctest.Wait()
				select {
				case err := <-result:
					t.Fatalf("%s: it did not wait: %v", name, err)
				default:
				}
				cancel()
				if err := <-result; !errors.Is(err, context.Canceled) {
					t.Errorf("%s: got %v", name, err)
				}
			}
			close(done)
			synctest.Wait()
			// All places are free again.
			var n atomic.Int64
			again := make(chan struct{})
			for range holders {
				go l.Do(context.Background(), test.repository, func() { n.Add(1); <-again })
			}
			synctest.Wait()
			if ran := int(n.Load()); ran != holders {
				t.Errorf("%s: %d of %d places were given back", name, ran, holders)
			}
			close(again)
		})
	}
}

// A run that has ended starts nothing, even where there is room.
func TestNoPlaceAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // a free place and an ended ctx are both ready
		if err := limits.New(8).Do(ctx, "", func() { t.Error("it ran") }); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}
