package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hanzoai/kmsync/planner"
	"github.com/hanzoai/kmsync/planner/evidence"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// deletes does what takes variables away: behind the writes of all destinations, if
// every one of them succeeded, and after what all the deletes rest on was read again
// where it had grown old. Renames in place come first, since they write a value: one that
// fails stops the deletes. A delete that fails stops no other: it leaves nothing in doubt
// that another rests on.
func (r *execution) deletes(ctx context.Context, writers []*writer) {
	for _, w := range writers {
		w.late = w.inPlace
	}
	r.takeAway(ctx, writers)
	r.late = true
	for _, w := range writers {
		w.late = w.gone
	}
	r.takeAway(ctx, writers)
}

// takeAway does what every destination is at now, after all of it was proven.
func (r *execution) takeAway(ctx context.Context, writers []*writer) {
	if r.spoiled() == "" {
		r.walk(writers, func(w *writer) { w.prove(ctx) })
	}
	r.walk(writers, func(w *writer) { w.runLate(ctx) })
}

// runLate does the deletes of the destination, again for those that were not sent
// before their evidence had grown too old.
func (w *writer) runLate(ctx context.Context) {
	for range maxRounds {
		switch {
		case len(w.late) == 0:
			return
		case ctx.Err() != nil:
			w.skip(w.late)
			return
		}
		if w.spoiled() == "" {
			w.prove(ctx)
		}
		switch trouble := w.spoiled(); {
		case ctx.Err() != nil:
			w.skip(w.late)
			return
		case trouble != "":
			w.hold(trouble)
			return
		}
		w.lateRound(ctx)
		w.late, w.stale = w.stale, nil
	}
	w.giveUp(w.late)
}

// prove reads and asks again what the deletes of the destination rest on, where it has
// grown old. What is in doubt then stops all deletes of the run that have not begun.
func (w *writer) prove(ctx context.Context) {
	if len(w.late) == 0 {
		return
	}
	for range maxRounds {
		w.look(ctx)
		rest := w.rest()
		questions := evidence.Questions(w.Graph, w.view, rest)
		view := w.view
		if len(questions) > 0 && ctx.Err() == nil {
			view = w.Refresher.Ask(ctx, questions)
		}
		if ctx.Err() != nil {
			return
		}
		// A failed answer counts now: by the next round it may have grown old.
		doubts := planner.Doubts(w.Graph, view, rest, w.id)
		for _, doubt := range doubts {
			w.spoil(doubt)
		}
		if len(questions) == 0 || len(doubts) > 0 {
			return
		}
	}
	w.spoil("what the deletes of " + w.late[0].ref.String() + " rest on grew too old again and again while waiting")
}

// rest is the part of the plan that is still to be done in this destination, and would
// be planned now too: what moved needs no proof, it stops.
func (w *writer) rest() *plan.Plan {
	p, index := &plan.Plan{}, map[string]int{}
	for _, t := range w.late {
		if now, ok := w.diff.Change(t.address, t.change.Key); t.change.Moved(now, ok) != "" {
			continue
		}
		i, there := index[t.address]
		if !there {
			i = len(p.Syncs)
			index[t.address] = i
			p.Syncs = append(p.Syncs, plan.Sync{Address: t.address, Written: t.written})
		}
		p.Syncs[i].Changes = append(p.Syncs[i].Changes, t.change)
	}
	return p
}

// hold leaves the deletes of the destination, for what went wrong elsewhere.
func (w *writer) hold(trouble string) {
	for _, t := range w.late {
		if t.lost {
			w.tell(failed(t, t.keepDoubt(errors.New(trouble)), true))
			continue
		}
		t.change.BlockedBy, t.change.Detail = verdict.InDoubt, trouble
		w.tell(Held{Address: t.address, Destination: t.ref, Change: t.change})
	}
}

// lateRound deletes what is still to be deleted.
func (w *writer) lateRound(ctx context.Context) {
	tasks := w.holdingLate(ctx)
	if len(tasks) == 0 {
		return
	}
	err := w.followMoves(ctx, tasks)
	if err == nil {
		err = w.noteLate(context.WithoutCancel(ctx), tasks)
	}
	if err != nil {
		for _, t := range tasks {
			w.tell(failed(t, fmt.Errorf("note the delete before sending it: %w", err), false))
		}
		return
	}
	w.sendAll(ctx, tasks, w.sendLate)
}

// holdingLate returns the deletes that would be decided now too, and stops the others.
// A variable that is gone already is as good as deleted.
func (w *writer) holdingLate(ctx context.Context) []task {
	var holding []task
	for _, t := range w.late {
		now, ok := w.diff.Change(t.address, t.change.Key)
		switch moved := t.change.Moved(now, ok); {
		case t.change.Action == verdict.Delete && !w.lists(t.change):
			w.tell(w.finish(ctx, t, providers.Variable{}, nil))
		case now.BlockedBy == verdict.RefusedKey:
			t.change.BlockedBy = now.BlockedBy
			w.tell(Held{Address: t.address, Destination: t.ref, Change: t.change})
		case moved != "" && t.lost:
			w.tell(failed(t, t.keepDoubt(errors.New(moved)), true))
		case moved != "":
			w.tell(stopped(t, moved))
		default:
			holding = append(holding, t)
		}
	}
	return holding
}

// lists reports whether the destination shows a variable, or another of its name.
func (w *writer) lists(c plan.Change) bool {
	return slices.ContainsFunc(w.read().Listing.Variables, func(v providers.Variable) bool {
		return v.UUID == c.VariableUUID || v.Key == c.Key
	})
}

// noteLate notes before they are sent: a consent that was given, and what is about to
// be deleted of what the ledger has.
func (w *writer) noteLate(ctx context.Context, tasks []task) error {
	overwrites := 0
	var intents []ledger.Intent
	for _, t := range tasks {
		if t.change.Reason == verdict.OverwriteDestination {
			overwrites++
		}
		for _, key := range t.keys() {
			if known := w.known(key); (known != nil && known.UUID != "") || t.change.RenamesInPlace() {
				intents = append(intents, ledger.Intent{Key: key, Owner: w.owner(t), UUID: t.change.VariableUUID, Source: source(t.change)})
			}
		}
	}
	// Who was shown a part of them consents to that part alone.
	all := overwrites == w.diff.Overwrites()
	if known := w.State.Destinations[w.id]; overwrites > 0 && all && !w.consented && (known == nil || known.Consent == nil) {
		if err := w.Session.Consent(ctx, w.record, ledger.Consent{By: w.Run, At: w.Now().UTC()}); err != nil {
			return err
		}
		w.consented = true
	}
	if len(intents) == 0 {
		return nil
	}
	return w.Session.Intend(ctx, w.record, intents)
}

// keys are the keys of the ledger that a change is about.
func (t task) keys() []string {
	if t.change.RenamesInPlace() {
		return []string{t.change.Key, t.change.RenamedFrom}
	}
	return []string{t.change.Key}
}

// sendLate deletes a variable, or gives it its new name.
func (w *writer) sendLate(ctx context.Context, t task) (providers.Variable, error) {
	until := w.lateUntil(t)
	if providers.Expired(w.Now(), until) {
		return providers.Variable{}, &providers.Error{Op: "delete", Scope: t.ref.String(), Kind: providers.KindStale}
	}
	if t.change.RenamesInPlace() {
		a := w.assignment(t)
		a.NotAfter = until
		return w.set(ctx, t, t.change.VariableUUID, a)
	}
	err := w.Writers[t.written.Connection].Delete(ctx, w.scopeOf(t), t.change.VariableUUID, until)
	if providers.KindOf(err) == providers.KindNotFound && w.isGone(ctx, t) {
		err = nil
	}
	return providers.Variable{}, err
}

// isGone reports whether a list that is whole lacks the variable of a delete, which was
// answered by "not found" and no word about what was not found.
func (w *writer) isGone(ctx context.Context, t task) bool {
	listing, err := w.Refresher.Variables(ctx, t.written)
	few := len(w.read().Listing.Variables) <= 1 // else an empty list is none to believe
	return err == nil && len(listing.Doubts) == 0 && (few || len(listing.Variables) > 0) &&
		!slices.ContainsFunc(listing.Variables, func(v providers.Variable) bool { return v.UUID == t.change.VariableUUID })
}

// lateUntil is when what a delete rests on has grown too old: what was read, and what
// was asked about its secret and about folders.
func (w *writer) lateUntil(t task) time.Time {
	until := w.notAfter
	for q, a := range w.view.Answers {
		if q.Kind == observe.OfSecret && (q.At != t.change.Source || q.Name != t.change.SecretKey) {
			continue
		}
		if end := a.At.Add(observe.MaxAgeOfEvidence); end.Before(until) {
			until = end
		}
	}
	return until
}
