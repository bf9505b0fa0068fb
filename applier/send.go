package applier

import (
	"context"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// movedError says that the destination is no longer what the plan was made from.
type movedError struct{ what string }

func (e *movedError) Error() string { return e.what }

// send writes one key and returns the variable as the service answered it.
func (w *writer) send(ctx context.Context, t task) (providers.Variable, error) {
	if providers.Expired(w.Now(), w.notAfter) {
		return providers.Variable{}, &providers.Error{Op: "write", Scope: t.ref.String(), Kind: providers.KindStale}
	}
	switch {
	case t.change.Action.Creates():
		return w.Writers[t.written.Connection].Create(ctx, w.scopeOf(t), w.assignment(t))
	case t.change.Reason == verdict.NotReadable:
		return w.unsecure(ctx, t)
	}
	return w.update(ctx, t, t.change.VariableUUID)
}

// unsecure makes a variable readable in two steps, so that no value before this one
// ever is. Between them the variable holds the new value; when the second step fails
// the write is in doubt, and when its time was over it is done in the next round.
func (w *writer) unsecure(ctx context.Context, t task) (providers.Variable, error) {
	a := w.assignment(t)
	a.Secured = true
	if v, err := w.set(ctx, t, t.change.VariableUUID, a); err != nil {
		return v, err
	}
	v, err := w.update(ctx, t, t.change.VariableUUID)
	if err != nil && !providers.InDoubt(err) {
		if providers.KindOf(err) == providers.KindStale {
			return v, &providers.Error{Op: "write variable", Scope: t.ref.String(), Kind: providers.KindStale, Sent: true}
		}
		err = &providers.Error{
			Op: "write variable", Scope: t.ref.String(), Kind: providers.KindUnavailable, Sent: true,
			Hint: "the value was written, and the variable could not be made readable: " + err.Error(),
		}
	}
	return v, err
}

func (w *writer) assignment(t task) providers.Assignment {
	return providers.Assignment{Key: t.change.Key, Value: w.diff.Want(t.change.Key).Value, Secured: t.change.Secured, NotAfter: w.notAfter}
}

// update sets a variable, and reads a 404 as a variable that somebody removed.
func (w *writer) update(ctx context.Context, t task, uuid string) (providers.Variable, error) {
	return w.set(ctx, t, uuid, w.assignment(t))
}

func (w *writer) set(ctx context.Context, t task, uuid string, a providers.Assignment) (providers.Variable, error) {
	v, err := w.Writers[t.written.Connection].Update(ctx, w.scopeOf(t), uuid, a)
	if providers.KindOf(err) == providers.KindNotFound && !providers.InDoubt(err) {
		return v, &movedError{"the variable is gone"}
	}
	v.UUID = uuid // in the spelling of the list, whatever that of the answer
	return v, err
}

// isOpen reports whether a create needs a listing to settle it: its answer was
// lost, or the service says that the variable exists. It notes which.
func (t *task) isOpen(err error) bool {
	if !t.change.Action.Creates() || t.change.RenamesInPlace() {
		return false
	}
	t.exists = providers.KindOf(err) == providers.KindConflict
	if providers.InDoubt(err) && !t.lost {
		t.lost = true
		return true
	}
	return t.exists && !t.settled
}

// maxAgain is how often a write whose answer was lost comes into another round.
const maxAgain = 2

// waits reports whether a write waits for the next round: what it rests on grew too
// old before it was sent, or sent again. It notes a lost answer.
func (t *task) waits(err error) bool {
	if providers.KindOf(err) != providers.KindStale {
		return false
	}
	t.lost = t.lost || providers.InDoubt(err)
	if !t.lost {
		return true
	}
	t.again++
	t.settled = false
	return t.again <= maxAgain
}

// keepDoubt makes of an error one that leaves the write in doubt, if an earlier
// try of it had no answer: whatever came of a later try, the first may have taken
// effect.
func (t *task) keepDoubt(err error) error {
	if err == nil || !t.lost || providers.InDoubt(err) {
		return err
	}
	return &providers.Error{
		Op: string(t.change.Action) + " variable", Scope: t.ref.String(), Kind: providers.KindUnavailable, Sent: true,
		Hint: "the answer was lost, and it could not be settled whether it took effect: " + err.Error(),
	}
}

// settleLost settles creates from one listing of the destination. A variable that
// is there is ours if the answer of our create was lost and the list before was
// complete, or if the ledger recorded its UUID; it is set once more. A lost one that is not there is created
// once more; the conflict that this may meet says that the listing lagged, and
// one more settles it.
func (w *writer) settleLost(ctx context.Context, tasks []task) {
	for range 2 {
		if len(tasks) == 0 {
			return
		}
		var found map[string]providers.Variable
		err := ctx.Err()
		if err == nil { // what the list shows could not be acted on when the run is ending
			found, err = w.list(ctx, tasks)
		}
		tasks = w.sendAll(ctx, tasks, func(ctx context.Context, t task) (providers.Variable, error) {
			if err != nil {
				return providers.Variable{}, &unsettledError{err}
			}
			return w.settleOne(ctx, t, found)
		})
		for i := range tasks {
			tasks[i].settled = true
		}
	}
}

// settleOne decides about one write from what the listing shows of its key.
func (w *writer) settleOne(ctx context.Context, t task, found map[string]providers.Variable) (providers.Variable, error) {
	v, there := found[t.change.Key]
	switch {
	case t.change.Action == verdict.Update && !there:
		return v, &movedError{"the variable is gone"}
	case t.change.Action == verdict.Update && v.UUID != t.change.VariableUUID:
		return v, &movedError{"the variable was made again"}
	case t.change.Action == verdict.Update:
		return w.update(ctx, t, v.UUID)
	case there && (t.lost && !w.diff.Doubted || w.isRecorded(t.change.Key, v.UUID)):
		return w.update(ctx, t, v.UUID)
	case there && t.lost: // the list that the plan was made from may have lacked it
		return v, &movedError{"the variable exists now, and whether this run created it is not known"}
	case there:
		return v, &movedError{"the variable exists now, and this run did not create it"}
	case t.lost && !t.settled:
		return w.Writers[t.written.Connection].Create(ctx, w.scopeOf(t), w.assignment(t))
	}
	return v, &movedError{"Bitbucket says that the variable exists, and does not list it"}
}

// unsettledError says that the listing that was to settle a create failed. It is
// not a provider's error: the failed request was no write, and leaves none in
// doubt.
type unsettledError struct{ cause error }

func (e *unsettledError) Error() string {
	return "the variable exists, and it could not be read whose it is: " + e.cause.Error()
}

// list reads the destination's variables again, by key. Keys that met a conflict
// are there, so they are waited for, as long as what is found can be acted on.
func (w *writer) list(ctx context.Context, tasks []task) (map[string]providers.Variable, error) {
	var exist []string
	for _, t := range tasks {
		if t.exists {
			exist = append(exist, t.change.Key)
		}
	}
	listing, err := w.Refresher.Await(ctx, tasks[0].written, exist, w.notAfter)
	if err != nil {
		return nil, err
	}
	found := map[string]providers.Variable{}
	for _, v := range listing.Variables {
		found[v.Key] = v
	}
	return found, nil
}

// isRecorded reports whether the ledger has this variable under this key.
func (w *writer) isRecorded(key, uuid string) bool {
	e := w.known(key)
	return e != nil && e.UUID == uuid
}

// known returns what the ledger believes about a key, or nil.
func (w *writer) known(key string) *ledger.Entry {
	known := w.State.Destinations[w.id]
	if known == nil || w.State.Rolled {
		return nil
	}
	return known.Entries[key]
}
