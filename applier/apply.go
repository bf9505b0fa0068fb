package applier

import (
	"context"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/limits"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// Deps is what [Apply] works with. The ledger is open, and State is what it held
// when the plan was made, under the lock.
type Deps struct {
	Writers   map[string]providers.Writer // by label of the connection block
	Graph     *graph.Graph
	Refresher *observe.Refresher
	State     *ledger.State
	Session   ledger.Session
	Limits    *limits.Limits
	// Destinations is how many destinations are worked on at a time, at least one.
	Destinations int
	Now          func() time.Time
	Run          string // who runs: user@host, or build and commit
}

// Apply executes the changes of the plan that nothing blocks, and no others. It
// emits what happens, from one goroutine, and returns the counts. When ctx ends
// it starts nothing new, lets the requests in flight finish and notes them in the
// ledger.
func Apply(ctx context.Context, p *plan.Plan, deps Deps, emit func(Event)) Result {
	events := make(chan Event)
	go func() {
		defer close(events)
		events <- Started{Changes: p.Summary().Writes() + p.Summary().LedgerOnly()}
		walk(ctx, destinationsOf(p, deps.Refresher), deps, events)
	}()
	result := Result{Held: p.Summary().Blocked, SyncErrors: p.Summary().SyncErrors}
	for event := range events {
		result.count(event)
		emit(event)
	}
	result.Interrupted = result.Skipped > 0 && ctx.Err() != nil
	emit(Finished{Result: result})
	return result
}

// task is one change to execute, with the sync it belongs to.
type task struct {
	address string
	ref     graph.DestinationRef // for people
	written graph.DestinationRef // as the sync writes it: the key of the observation
	change  plan.Change
	lost    bool // an answer was lost: the write may have taken effect
	again   int  // how often a lost write came into another round
	exists  bool // the last create met a conflict
	settled bool // two listings have not settled it: there is no third
}

// batch is the work of one destination.
type batch struct {
	id    string
	tasks []task
}

// destinationsOf groups the changes that can be executed by destination, in the
// order of the plan.
func destinationsOf(p *plan.Plan, r *observe.Refresher) []*batch {
	var batches []*batch
	index := map[string]*batch{}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if c.BlockedBy != verdict.NotBlocked || !(c.Action.Writes() || c.Action.LedgerOnly()) {
				continue
			}
			id := r.Identity(s.Written)
			if index[id] == nil {
				index[id] = &batch{id: id}
				batches = append(batches, index[id])
			}
			index[id].tasks = append(index[id].tasks, task{address: s.Address, ref: s.Destination, written: s.Written, change: c})
		}
	}
	return batches
}

// walk works on the destinations, several at a time, each started in order.
func walk(ctx context.Context, batches []*batch, deps Deps, events chan<- Event) {
	places := make(chan struct{}, max(1, deps.Destinations))
	var work sync.WaitGroup
	for _, b := range batches {
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			w := &writer{Deps: deps, batch: b, events: events}
			w.run(ctx)
		})
	}
	work.Wait()
}

// count adds what an event says happened.
func (r *Result) count(event Event) {
	switch e := event.(type) {
	case Wrote:
		switch e.Change.Action {
		case verdict.Create:
			r.Created++
		case verdict.Rename:
			r.Renamed++
		default:
			r.Updated++
		}
	case Recorded:
		switch e.Change.Action {
		case verdict.Forget:
			r.Forgotten++
		case verdict.Release:
			r.Released++
		default:
			r.Adopted++
		}
	case Stopped:
		r.Stopped++
	case Failed:
		r.Failed++
		if e.Taken {
			r.Taken++
		}
	case Skipped:
		r.Skipped++
	}
}
