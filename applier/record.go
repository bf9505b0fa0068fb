package applier

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

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
			w.tell(failed(t, err, false))
		} else {
			w.tell(Recorded{Address: t.address, Destination: t.ref, Change: t.change})
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

// done is what the ledger is to note of a write that was taken.
func (w *writer) done(t task, v providers.Variable) []ledger.Outcome {
	forgotten := func(key string) ledger.Outcome {
		return ledger.Outcome{Kind: ledger.Forgotten, Entry: ledger.Entry{Key: key}}
	}
	switch {
	case t.change.Action == verdict.Delete:
		return []ledger.Outcome{forgotten(t.change.Key)}
	case t.change.RenamesInPlace():
		return []ledger.Outcome{w.written(t, v), forgotten(t.change.RenamedFrom)}
	}
	return []ledger.Outcome{w.written(t, v)}
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

// notDone takes the intents of a change back.
func notDone(t task) []ledger.Outcome {
	var outcomes []ledger.Outcome
	for _, key := range t.keys() {
		outcomes = append(outcomes, ledger.Outcome{Kind: ledger.NotDone, Entry: ledger.Entry{Key: key}})
	}
	return outcomes
}
