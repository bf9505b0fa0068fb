package observe

import (
	"context"
	"slices"
	"time"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// Lists lag behind writes: a variable that was just created may be missing from
// them for some seconds.
const (
	lagWindow = 60 * time.Second // how long after a write a list may lack it
	lagWait   = 30 * time.Second // how long to ask again before believing the list
)

// await lists a destination again while the list lacks a key that the ledger
// recorded a moment ago. What the last list shows is believed. The reads are of one
// destination, in several spellings.
func (r *repositoryReader) await(ctx context.Context, reads []*DestinationRead) {
	read := reads[0]
	again, stop := r.again(ctx, lagWait, func() bool { return r.lacksRecent(read) }, func() {
		stop := r.Limits.Do(ctx, repositoryKey(read.Ref), func() {
			read.Listing, read.Err = r.reader.Variables(ctx, read.Scope)
		})
		if stop != nil {
			read.Err = stopped("list variables", read.Ref.String())
		}
	})
	if stop != nil {
		read.Err = stopped("list variables", read.Ref.String())
	}
	if again && read.Err == nil {
		read.suspectEmpty(r.state)
	}
	for _, other := range reads[1:] {
		other.Listing, other.Err = read.Listing, read.Err
	}
}

// again lists with growing pauses, which add up to limit at most, while the last
// list lacks something. It reports whether it did, and ctx's error when ctx ended.
func (o *Observer) again(ctx context.Context, limit time.Duration, lacks func() bool, list func()) (bool, error) {
	waited := time.Duration(0)
	for pause := time.Second; waited < limit && lacks(); pause *= 2 {
		pause = min(pause, limit-waited)
		waited += pause
		if err := o.Sleep(ctx, pause); err != nil {
			return true, err
		}
		list()
	}
	return waited > 0, nil
}

// Await lists a destination like [Refresher.Variables], and again, with growing
// pauses, while it lacks one of these keys, which a conflict has shown to be there:
// for 30 s at most, and not beyond the given time.
func (r *Refresher) Await(ctx context.Context, ref graph.DestinationRef, keys []string, until time.Time) (providers.VariableListing, error) {
	listing, err := r.Variables(ctx, ref)
	lacks := func() bool {
		return err == nil && slices.ContainsFunc(keys, func(key string) bool {
			return !slices.ContainsFunc(listing.Variables, func(v providers.Variable) bool { return v.Key == key })
		})
	}
	limit := min(lagWait, until.Sub(r.observer.Now()))
	_, stop := r.observer.again(ctx, limit, lacks, func() { listing, err = r.Variables(ctx, ref) })
	if stop != nil {
		err = stopped("list variables", ref.String())
	}
	return listing, err
}

// lacksRecent reports whether the list lacks a key that was written less than
// lagWindow ago.
func (r *repositoryReader) lacksRecent(read *DestinationRead) bool {
	known := r.state.Destinations[read.ID]
	if read.Err != nil || known == nil || r.state.Rolled {
		return false
	}
	listed := map[string]bool{}
	for _, v := range read.Listing.Variables {
		listed[v.Key] = true
	}
	for key, e := range known.Entries {
		if !listed[key] && r.isRecent(e) {
			return true
		}
	}
	return false
}

func (r *repositoryReader) isRecent(e *ledger.Entry) bool {
	at := e.LastWrite()
	return e.UUID != "" && !at.IsZero() && r.Now().Sub(at) < lagWindow
}
