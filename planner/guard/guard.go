// Package guard holds back deletes: those that a refused key may be the cause of, those
// that nobody consented to, those that are more than a run may do, and all of them
// where anything is in doubt. It works on a plan as data and reads nothing.
//
// The order is that of the functions: each leaves alone what an earlier one holds.
package guard

import (
	"fmt"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// Few is how many deletes a destination may see whatever share of it they are.
const Few = 5

// RefusedKey holds the deletes among the changes of one sync in one destination where it
// has a refused key there: each of its old keys may be the name that one had before.
func RefusedKey(changes []plan.Change) {
	for _, c := range changes {
		if c.Reason == verdict.Refused {
			hold(changes, verdict.RefusedKey, fmt.Sprintf("%s (%s)", c.Key, c.BlockedBy), plan.Change.Deletes)
			return
		}
	}
}

// NoConsent holds deletes of variables that kmsync never wrote: overwrite-destination
// needs a consent, once for each destination, which is noted in the ledger.
func NoConsent(changes []plan.Change) {
	hold(changes, verdict.NoConsent, "", func(c plan.Change) bool { return c.Reason == verdict.OverwriteDestination })
}

func hold(changes []plan.Change, by verdict.Block, what string, which func(plan.Change) bool) {
	for i, c := range changes {
		if c.Deletes() && c.BlockedBy == verdict.NotBlocked && which(c) {
			changes[i].BlockedBy, changes[i].HeldBy = by, what
		}
	}
}

// Place is a destination as guards see it.
type Place struct {
	ID string
	// Claimed is how many of its variables a share is taken of: those that kmsync owns,
	// by whichever sync, and those in range of an overwrite-destination.
	Claimed int
}

// Count holds the deletes that are too many: all of the run, or those of one
// destination. What is allowed in so many words is counted for the whole run alone.
// Every delete that waits for a number learns which would do. An old name whose place
// a new one takes does not count: nothing is lost with it.
func Count(p *plan.Plan, limits graph.Deletes, placeOf func(plan.Sync) Place) {
	total, inPlace := 0, map[string]int{}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if counts(c) {
				total++
			}
			if counts(c) && c.BlockedBy == verdict.NotBlocked {
				inPlace[placeOf(s).ID]++
			}
		}
	}
	run := 0
	for _, n := range inPlace {
		run += n
	}
	for i := range p.Syncs {
		s := &p.Syncs[i]
		place := placeOf(*s)
		n := inPlace[place.ID]
		switch {
		case limits.Allowed != nil && run > *limits.Allowed:
			hold(s.Changes, verdict.MaxCount, fmt.Sprintf("--max-deletes %d", *limits.Allowed), counts)
		case limits.Allowed == nil && run > limits.MaxCount:
			hold(s.Changes, verdict.MaxCount, fmt.Sprintf("max_count (%d)", limits.MaxCount), counts)
		case limits.Allowed == nil && n > Few && n*100 > limits.MaxPercent*place.Claimed:
			hold(s.Changes, verdict.MaxPercent, fmt.Sprintf("max_percent (%d)", limits.MaxPercent), counts)
		}
		for j, c := range s.Changes {
			switch c.BlockedBy {
			case verdict.MaxCount, verdict.MaxPercent, verdict.NoConsent:
				s.Changes[j].MaxDeletes = total
			}
		}
	}
}

// counts reports whether a delete is one that --max-deletes would allow, or needs not
// to.
func counts(c plan.Change) bool {
	switch c.BlockedBy {
	case verdict.NotBlocked, verdict.NoConsent, verdict.MaxCount, verdict.MaxPercent:
		return c.Action == verdict.Delete && !c.TakenOver
	}
	return false
}

// Doubt holds all deletes of a run in which a read was not complete, or anything else
// is in doubt. what names it where the findings of the plan do not.
func Doubt(p *plan.Plan, what string) {
	for _, s := range p.Syncs {
		hold(s.Changes, verdict.InDoubt, what, plan.Change.Deletes)
	}
}
