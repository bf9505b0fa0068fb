package applier

import (
	"time"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
)

// Event is one thing that happened while applying. Events leave the applier from
// one goroutine, in the order they happened.
type Event interface{ event() }

// Started is the first event.
type Started struct{ Changes int }

// Wrote says that the destination took a write: Change.Action is Create, Rename,
// Update or Delete.
type Wrote struct {
	Address     string
	Destination graph.DestinationRef
	Change      plan.Change
}

// Recorded says that a change of the ledger alone is done.
type Recorded struct {
	Address     string
	Destination graph.DestinationRef
	Change      plan.Change
}

// Stopped says that a key was left alone, since what the plan was made from
// moved: Change.BlockedBy is Moved and Change.Detail names what moved.
type Stopped struct {
	Address     string
	Destination graph.DestinationRef
	Change      plan.Change
}

// Held says that a delete was not begun: something else of the run failed, moved or is
// in doubt. Change.BlockedBy is InDoubt, or RefusedKey, and Change.Detail names why.
type Held struct {
	Address     string
	Destination graph.DestinationRef
	Change      plan.Change
}

// Failed says that the write of a key failed. Doubtful: it may have taken effect.
// Taken: it has, but not as it should, or the ledger could not note it.
type Failed struct {
	Address     string
	Destination graph.DestinationRef
	Change      plan.Change
	Err         error
	Doubtful    bool
	Taken       bool
}

// Skipped says that a key was not tried, since the run is ending.
type Skipped struct {
	Address     string
	Destination graph.DestinationRef
	Change      plan.Change
}

// Waiting says that a service asked to slow down.
type Waiting struct {
	Service string
	For     time.Duration
}

// Finished is the last event.
type Finished struct{ Result Result }

func (Started) event()  {}
func (Wrote) event()    {}
func (Recorded) event() {}
func (Stopped) event()  {}
func (Held) event()     {}
func (Failed) event()   {}
func (Skipped) event()  {}
func (Waiting) event()  {}
func (Finished) event() {}
