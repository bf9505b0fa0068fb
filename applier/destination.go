package applier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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

// writer executes the batch of one destination.
type writer struct {
	Deps
	*batch
	events chan<- Event
	diff   *planner.DestinationDiff
	record ledger.Destination
	view   *observe.Observation
	owners *graph.Owners // of the keys that the ledger knows there
	// followed: the records have the owners of today.
	followed bool
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
		w.round(ctx)
		if len(w.stale) == 0 {
			return
		}
		w.tasks, w.stale = w.stale, nil
	}
	for _, t := range w.tasks {
		err := t.keepDoubt(errors.New("what it rests on grew too old again and again while waiting"))
		w.events <- failed(t, err, t.lost)
	}
}

// round reads again what has grown old, stops what moved, and does the rest.
func (w *writer) round(ctx context.Context) {
	view := w.Refresher.Refresh(ctx, w.id, w.Now())
	w.diff = planner.DiffDestination(w.Graph, view, w.State, w.id, w.Now())
	if ctx.Err() != nil {
		w.skip(w.tasks)
		return
	}
	w.notAfter = w.Refresher.ReadAt(w.id).Add(observe.MaxAgeOfEvidence)
	w.view = view
	read := view.Destinations[w.tasks[0].written]
	w.record = ledger.Destination{
		ID: read.ID, RepositoryUUID: read.RepositoryUUID, EnvironmentUUID: read.EnvironmentUUID,
		Workspace: read.Ref.Workspace, Repository: read.Ref.Repository, Environment: read.Ref.Environment,
	}
	holding := w.holding(read.Err)
	if err := w.followMoves(ctx, holding); err != nil {
		for _, t := range holding {
			w.events <- failed(t, t.keepDoubt(err), t.lost)
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
	w.uuids = map[string]string{}
	for _, v := range read.Listing.Variables {
		w.uuids[v.UUID] = v.Key
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
			w.events <- failed(t, t.keepDoubt(cmp.Or(unread, err, errors.New("what it wrote is not wanted any more"))), true)
		case t.lost: // what became of the variable is settled by a list
			holding = append(holding, t)
		case unread != nil || (moved != "" && err != nil):
			err = fmt.Errorf("read again before writing: %w", cmp.Or(unread, err))
			w.events <- failed(t, err, false)
		case moved != "":
			w.events <- stopped(t, moved)
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
			w.events <- failed(t, fmt.Errorf("note the write before sending it: %w", err), false)
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
	out := &order{to: w.events, waiting: map[int]Event{}}
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
			release()
			if open[i] = t.isOpen(err); open[i] {
				out.put(i, nil)
				return
			}
			if t.waits(err) {
				out.put(i, w.later(ctx, *t))
				return
			}
			out.put(i, w.finish(ctx, *t, wrote, t.keepDoubt(err)))
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
	if key, known := w.uuids[uuid]; known && key != t.change.Key {
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
		outcome := ledger.Outcome{Kind: ledger.NotDone, Entry: ledger.Entry{Key: t.change.Key}}
		if err := w.Session.Settle(context.WithoutCancel(ctx), w.record, []ledger.Outcome{outcome}); err != nil {
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
	outcome := ledger.Outcome{Kind: ledger.NotDone, Entry: ledger.Entry{Key: t.change.Key}}
	if err == nil {
		err = w.claim(t, wrote.UUID)
	}
	if err == nil {
		outcome = w.written(t, wrote)
	}
	doubtful := providers.InDoubt(err)
	if !doubtful {
		if lost := w.Session.Settle(context.WithoutCancel(ctx), w.record, []ledger.Outcome{outcome}); lost != nil {
			lost = fmt.Errorf("the answer is in, but the ledger could not note it: %w", lost)
			return Failed{
				Address: t.address, Destination: t.ref, Change: t.change, Err: errors.Join(err, lost),
				Doubtful: err == nil, Taken: err == nil,
			}
		}
	}
	var moved *movedError
	switch {
	case err == nil && wrote.Secured != t.change.Secured:
		return Failed{
			Address: t.address, Destination: t.ref, Change: t.change, Taken: true,
			Err: fmt.Errorf("the value was written, but Bitbucket did not secure it: everybody who can see the %s's settings can read it; secure it by hand, and change the secret", t.ref.RootKind()),
		}
	case err == nil:
		return Wrote{Address: t.address, Destination: t.ref, Change: t.change}
	case errors.As(err, &moved):
		return stopped(t, moved.what)
	case providers.KindOf(err) == providers.KindCanceled && !doubtful:
		return Skipped{Address: t.address, Destination: t.ref, Change: t.change}
	}
	return failed(t, err, doubtful)
}

func failed(t task, err error, doubtful bool) Event {
	return Failed{Address: t.address, Destination: t.ref, Change: t.change, Err: err, Doubtful: doubtful}
}

func stopped(t task, moved string) Event {
	t.change.BlockedBy, t.change.Detail = verdict.Moved, moved
	return Stopped{Address: t.address, Destination: t.ref, Change: t.change}
}

// followMoves gives every record of the destination, in one step, to the sync that
// owns it today, if that sync has anything to do here: by a moved block, or by a name
// that the configuration got. So no record keeps the old address beside new ones of
// the new address; but a create that never got an answer does.
func (w *writer) followMoves(ctx context.Context, tasks []task) error {
	known := w.State.Destinations[w.id]
	if known == nil || w.State.Rolled || w.followed {
		return nil
	}
	working := map[string]bool{}
	for _, t := range tasks {
		working[t.address] = true
	}
	w.owners = w.Graph.Owners(known)
	var outcomes []ledger.Outcome
	for _, key := range slices.Sorted(maps.Keys(known.Entries)) {
		e := known.Entries[key]
		now := ledger.Owner{Config: w.Graph.Name, Sync: w.owners.Of(e.Owner)}
		if working[now.Sync] && now != e.Owner && e.UUID != "" {
			outcomes = append(outcomes, ledger.Outcome{Kind: ledger.Reowned, Entry: ledger.Entry{Key: key, Owner: now}})
		}
	}
	if err := w.Session.Settle(context.WithoutCancel(ctx), w.record, outcomes); err != nil {
		return fmt.Errorf("note who owns the keys: %w", err)
	}
	w.followed = true
	return nil
}

// settleRecords does the changes of the ledger alone.
func (w *writer) settleRecords(ctx context.Context, tasks []task) {
	if len(tasks) == 0 {
		return
	}
	outcomes := make([]ledger.Outcome, len(tasks))
	for i, t := range tasks {
		outcomes[i] = w.recorded(t)
	}
	err := w.Session.Settle(context.WithoutCancel(ctx), w.record, outcomes)
	for _, t := range tasks {
		if err != nil {
			w.events <- failed(t, err, false)
		} else {
			w.events <- Recorded{Address: t.address, Destination: t.ref, Change: t.change}
		}
	}
}

// recorded is what the ledger is to note of a change of its own.
func (w *writer) recorded(t task) ledger.Outcome {
	noted := ledger.Outcome{Entry: ledger.Entry{Key: t.change.Key}}
	switch t.change.Action {
	case verdict.Forget:
		noted.Kind = ledger.Forgotten
		return noted
	case verdict.Release:
		noted.Kind = ledger.Released
		return noted
	}
	if w.onlyRenamed(t) {
		noted.Kind, noted.Entry.Owner = ledger.Reowned, w.owner(t)
		return noted
	}
	noted.Kind = ledger.Adopted
	noted.Entry = w.entry(t, providers.Variable{UUID: t.change.VariableUUID, Secured: t.change.Secured})
	return noted
}

// onlyRenamed reports whether the record is this sync's already, and sure, under an
// address or a configuration that it had before.
func (w *writer) onlyRenamed(t task) bool {
	e := w.known(t.change.Key)
	return e != nil && e.UUID == t.change.VariableUUID && !e.InDoubt && !e.Released && w.owners.Of(e.Owner) == t.address
}

func (w *writer) written(t task, v providers.Variable) ledger.Outcome {
	return ledger.Outcome{Kind: ledger.Written, Entry: w.entry(t, v), Write: ledger.Write{
		At: w.Now().UTC(), Action: string(t.change.Action), Reason: string(t.change.Reason), Version: t.change.Version, Run: w.Run,
	}}
}

// entry is what the ledger is to remember of a key as it is now.
func (w *writer) entry(t task, v providers.Variable) ledger.Entry {
	return ledger.Entry{
		Key: t.change.Key, Owner: w.owner(t), UUID: v.UUID, Secured: v.Secured, Source: source(t.change),
		KeyID:       w.State.Key.ID(),
		Fingerprint: w.State.Key.Fingerprint(w.id, t.change.Key, w.diff.Want(t.change.Key).Value),
	}
}

func (w *writer) owner(t task) ledger.Owner {
	return ledger.Owner{Config: w.Graph.Name, Sync: t.address}
}

func source(c plan.Change) ledger.Source {
	return ledger.Source{
		KMS: c.Source.KMS, Environment: c.Source.Environment, Path: c.Source.Path, Name: c.SecretKey,
		ID: c.SecretID, Version: c.Version,
	}
}

func (w *writer) skip(tasks []task) {
	for _, t := range tasks {
		if t.lost {
			w.events <- failed(t, t.keepDoubt(errors.New("the run is ending")), true)
			continue
		}
		w.events <- Skipped{Address: t.address, Destination: t.ref, Change: t.change}
	}
}
