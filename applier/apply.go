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
		r := &execution{Deps: deps, events: events}
		writers, changes := r.writers(p), 0
		for _, w := range writers {
			changes += len(w.tasks) + len(w.inPlace) + len(w.gone)
		}
		events <- Started{Changes: changes}
		r.walk(writers, func(w *writer) {
			w.run(ctx)
			w.view, w.diff, w.uuids = nil, nil, nil // looked up anew for the deletes
		})
		r.deletes(ctx, writers)
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

// execution is one apply: all writes of all destinations, then, behind a barrier, the
// deletes.
type execution struct {
	Deps
	events  chan<- Event
	mu      sync.Mutex
	trouble string // what went wrong first, and stops every delete
	late    bool   // the writes are done: what a delete does stops no other
}

// tell emits an event. What failed, moved or was not tried stops every delete of the
// run.
func (r *execution) tell(e Event) {
	switch e := e.(type) {
	case Failed:
		r.trip(e.Change.Key + " of " + e.Address + " failed")
	case Stopped:
		r.trip(e.Change.Key + " of " + e.Address + " moved while kmsync was at work")
	case Skipped:
		r.trip("the run is ending")
	}
	r.events <- e
}

// trip notes what went wrong among the writes.
func (r *execution) trip(trouble string) {
	if !r.late {
		r.spoil(trouble)
	}
}

// spoil notes what stops the deletes that have not begun.
func (r *execution) spoil(trouble string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble == "" {
		r.trouble = trouble
	}
}

func (r *execution) spoiled() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

// writers groups the changes that can be executed by destination, in the order of the
// plan.
func (r *execution) writers(p *plan.Plan) []*writer {
	var writers []*writer
	index := map[string]*writer{}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if c.BlockedBy != verdict.NotBlocked || !(c.Action.Writes() || c.Action.LedgerOnly()) {
				continue
			}
			id := r.Refresher.Identity(s.Written)
			w := index[id]
			if w == nil {
				w = &writer{execution: r, id: id, plan: p}
				index[id], writers = w, append(writers, w)
			}
			t := task{address: s.Address, ref: s.Destination, written: s.Written, change: c}
			switch {
			case c.RenamesInPlace():
				w.inPlace = append(w.inPlace, t)
			case c.Deletes():
				w.gone = append(w.gone, t)
			default:
				w.tasks = append(w.tasks, t)
			}
		}
	}
	return writers
}

// walk works on the destinations, several at a time, each started in order.
func (r *execution) walk(writers []*writer, do func(*writer)) {
	places := make(chan struct{}, max(1, r.Destinations))
	var work sync.WaitGroup
	for _, w := range writers {
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			do(w)
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
		case verdict.Delete:
			if !e.Change.IsToldOf() {
				r.Deleted++
			}
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
	case Held:
		r.Held++
	case Failed:
		r.Failed++
		if e.Taken {
			r.Taken++
		}
	case Skipped:
		r.Skipped++
	}
}
