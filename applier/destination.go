package applier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/planner"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// writer executes the changes of one destination.
type writer struct {
	*execution
	id    string
	plan  *plan.Plan
	tasks []task // creates, updates and changes of the ledger
	// inPlace give a variable another name, gone take one away; late is which of both it
	// is at now.
	inPlace, gone, late []task
	diff                *planner.DestinationDiff
	record              ledger.Destination
	view                *observe.Observation
	owners              *graph.Owners // of the keys that the ledger knows there
	// followed: the records have the owners of today; consented: a consent was noted.
	followed, consented bool
	// notAfter is when the evidence for the writes has grown too old.
	notAfter time.Time
	mu       sync.Mutex        // guards what follows
	uuids    map[string]string // of the variables of the destination; the values are keys
	stale    []task            // not sent, or not again, since it had
}

// maxRounds is how often a destination is read again because its evidence grew
// old while the service made its writes wait.
const maxRounds = 20

// run works on the destination, again for what was not sent before its evidence
// had grown too old.
func (w *writer) run(ctx context.Context) {
	for range maxRounds {
		if len(w.tasks) == 0 {
			return
		}
		w.round(ctx)
		w.tasks, w.stale = w.stale, nil
	}
	w.giveUp(w.tasks)
}

// giveUp fails what the service made wait for too long.
func (w *writer) giveUp(tasks []task) {
	for _, t := range tasks {
		err := t.keepDoubt(errors.New("what it rests on grew too old again and again while waiting"))
		w.tell(failed(t, err, t.lost))
	}
}

// look reads again what has grown old, and decides anew by what is there then.
func (w *writer) look(ctx context.Context) {
	w.view = w.Refresher.Refresh(ctx, w.id, w.Now())
	w.diff = planner.DiffDestination(w.Graph, w.view, w.State, w.id, w.Now())
	w.notAfter = w.Refresher.ReadAt(w.id).Add(observe.MaxAgeOfEvidence)
	read := w.read()
	w.record = ledger.Destination{
		ID: read.ID, RepositoryUUID: read.RepositoryUUID, EnvironmentUUID: read.EnvironmentUUID,
		Workspace: read.Ref.Workspace, Repository: read.Ref.Repository, Environment: read.Ref.Environment,
	}
	w.uuids = map[string]string{}
	for _, v := range read.Listing.Variables {
		w.uuids[v.UUID] = v.Key
	}
}

// read is the destination as it was read, in one of its spellings.
func (w *writer) read() *observe.DestinationRead {
	for _, t := range slices.Concat(w.tasks, w.late, w.inPlace, w.gone) {
		return w.view.Destinations[t.written]
	}
	return nil
}

// round reads again what has grown old, stops what moved, and does the rest.
func (w *writer) round(ctx context.Context) {
	w.look(ctx)
	if ctx.Err() != nil {
		w.skip(w.tasks)
		return
	}
	for _, doubt := range planner.Doubts(w.Graph, w.view, &plan.Plan{}, w.id) {
		w.spoil(doubt) // it stops no write
	}
	holding := w.holding(w.read().Err)
	if err := w.followMoves(ctx, holding); err != nil {
		for _, t := range holding {
			w.tell(failed(t, t.keepDoubt(err), t.lost))
		}
		return
	}
	var writes, records, lost []task
	for _, t := range holding {
		switch {
		case t.lost:
			lost = append(lost, t)
		case t.change.Action.Writes():
			writes = append(writes, t)
		default:
			records = append(records, t)
		}
	}
	w.settleRecords(ctx, records)
	w.writeAll(ctx, writes)
	w.settleLost(ctx, lost)
}

// holding returns the tasks whose change is still what would be decided now, and
// stops the others. unread is why the destination could not be read again, and
// stops all of them. A sync whose source cannot be read stops what it wants, but
// not the changes of the ledger that are only shown under its address.
func (w *writer) holding(unread error) []task {
	var holding []task
	for _, t := range w.tasks {
		now, ok := w.diff.Change(t.address, t.change.Key)
		moved := t.change.Moved(now, ok)
		err := w.diff.Errs[t.address]
		switch {
		case t.lost && (unread != nil || err != nil || !w.wantsStill(t)):
			w.tell(failed(t, t.keepDoubt(cmp.Or(unread, err, errors.New("what it wrote is not wanted any more"))), true))
		case t.lost: // what became of the variable is settled by a list
			holding = append(holding, t)
		case unread != nil || (moved != "" && err != nil):
			err = fmt.Errorf("read again before writing: %w", cmp.Or(unread, err))
			w.tell(failed(t, err, false))
		case moved != "":
			w.tell(stopped(t, moved))
		default:
			holding = append(holding, t)
		}
	}
	return holding
}

// wantsStill reports whether the value of a task is wanted as it was planned.
func (w *writer) wantsStill(t task) bool {
	want := w.diff.Want(t.change.Key)
	return want != nil && want.Block == verdict.NotBlocked && want.SecretID == t.change.SecretID && want.Version == t.change.Version
}

// writeAll notes all intents of the destination, then sends the writes.
func (w *writer) writeAll(ctx context.Context, tasks []task) {
	if len(tasks) == 0 {
		return
	}
	intents := make([]ledger.Intent, len(tasks))
	for i, t := range tasks {
		intents[i] = ledger.Intent{Key: t.change.Key, Owner: w.owner(t), UUID: t.change.VariableUUID, Source: source(t.change)}
	}
	if err := w.Session.Intend(context.WithoutCancel(ctx), w.record, intents); err != nil {
		for _, t := range tasks {
			w.tell(failed(t, fmt.Errorf("note the write before sending it: %w", err), false))
		}
		return
	}
	w.settleLost(ctx, w.sendAll(ctx, tasks, w.send))
}

// sendAll sends one request for each task, bounded per repository and run, and
// finishes those whose answer settles them. It returns the creates that only a
// listing can settle.
func (w *writer) sendAll(ctx context.Context, tasks []task, send func(context.Context, task) (providers.Variable, error)) []task {
	open := make([]bool, len(tasks))
	out := &order{to: w.tell, waiting: map[int]Event{}}
	var work sync.WaitGroup
	for i := range tasks {
		t := &tasks[i]
		release, err := w.Limits.Acquire(ctx, w.repositoryOf(*t))
		if err != nil {
			canceled := &providers.Error{Op: "write", Scope: t.ref.String(), Kind: providers.KindCanceled}
			out.put(i, w.finish(ctx, *t, providers.Variable{}, t.keepDoubt(canceled)))
			continue
		}
		work.Go(func() {
			wrote, err := send(ctx, *t)
			var event Event
			switch open[i] = t.isOpen(err); {
			case open[i]:
			case t.waits(err):
				event = w.later(ctx, *t)
			default:
				event = w.finish(ctx, *t, wrote, t.keepDoubt(err))
			}
			release() // what was sent and is not noted, a kill repeats: no more than may be in flight
			out.put(i, event)
		})
	}
	work.Wait()
	var left []task
	for i, t := range tasks {
		if open[i] {
			left = append(left, t)
		}
	}
	return left
}

// claim fails where the answer to a create names a variable that is another one: no
// two have one UUID, and by it a variable is known as ours.
func (w *writer) claim(t task, uuid string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if key, known := w.uuids[uuid]; known && key != t.change.Key && uuid != t.change.VariableUUID {
		return &providers.Error{
			Op: "create variable", Scope: t.ref.String(), Kind: providers.KindUnavailable, Sent: true,
			Hint: "the answer names another variable, " + key,
		}
	}
	w.uuids[uuid] = t.change.Key
	return nil
}

// scopeOf is where the variable of a task is: by the names its own sync is written
// with, whatever others the destination has.
func (w *writer) scopeOf(t task) providers.Scope { return w.view.Destinations[t.written].Scope }

func (w *writer) repositoryOf(t task) string {
	scope := w.scopeOf(t)
	return scope.Workspace + "/" + scope.Repository
}

// later keeps a write for the next round. The intent of one that was not sent is
// taken back; that of a lost one stays.
func (w *writer) later(ctx context.Context, t task) Event {
	if !t.lost {
		if err := w.Session.Settle(context.WithoutCancel(ctx), w.record, notDone(t)); err != nil {
			return failed(t, fmt.Errorf("it was not sent, but the ledger could not note it: %w", err), false)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stale = append(w.stale, t)
	return nil
}

// finish notes what became of a write, and returns the event that says so.
func (w *writer) finish(ctx context.Context, t task, wrote providers.Variable, err error) Event {
	outcomes := notDone(t)
	if err == nil && t.change.Action != verdict.Delete {
		err = w.claim(t, wrote.UUID)
	}
	if err == nil {
		outcomes = w.done(t, wrote)
	}
	doubtful := providers.InDoubt(err)
	if !doubtful {
		if lost := w.Session.Settle(context.WithoutCancel(ctx), w.record, outcomes); lost != nil {
			lost = fmt.Errorf("the answer is in, but the ledger could not note it: %w", lost)
			return Failed{
				Address: t.address, Destination: t.ref, Change: t.change, Err: errors.Join(err, lost),
				Doubtful: err == nil, Taken: err == nil,
			}
		}
	}
	var moved *movedError
	switch {
	case err == nil && t.change.Action != verdict.Delete && wrote.Secured != t.change.Secured:
		return Failed{Address: t.address, Destination: t.ref, Change: t.change, Taken: true, Err: otherwise(t)}
	case err == nil:
		return Wrote{Address: t.address, Destination: t.ref, Change: t.change}
	case errors.As(err, &moved):
		return stopped(t, moved.what)
	case providers.KindOf(err) == providers.KindCanceled && !doubtful:
		return Skipped{Address: t.address, Destination: t.ref, Change: t.change}
	}
	return failed(t, err, doubtful)
}

// otherwise says that the service took a value and not the flag beside it.
func otherwise(t task) error {
	if !t.change.Secured {
		return fmt.Errorf("the value was written, but Bitbucket keeps the variable secured; delete it in the %s's settings so that kmsync makes it anew, or take it out of unsecured", t.ref.RootKind())
	}
	return fmt.Errorf("the value was written, but Bitbucket did not secure it: everybody who can see the %s's settings can read it; secure it by hand, and change the secret", t.ref.RootKind())
}

func failed(t task, err error, doubtful bool) Event {
	return Failed{Address: t.address, Destination: t.ref, Change: t.change, Err: err, Doubtful: doubtful}
}

func stopped(t task, moved string) Event {
	t.change.BlockedBy, t.change.Detail = verdict.Moved, moved
	return Stopped{Address: t.address, Destination: t.ref, Change: t.change}
}

func (w *writer) skip(tasks []task) {
	for _, t := range tasks {
		if t.lost {
			w.tell(failed(t, t.keepDoubt(errors.New("the run is ending")), true))
			continue
		}
		w.tell(Skipped{Address: t.address, Destination: t.ref, Change: t.change})
	}
}
