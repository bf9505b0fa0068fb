package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/record"
	"github.com/hanzoai/kmsync/planner/ledger/table"
)

// writer gathers the changes of one destination that belong into one
// transaction, without touching the file: what is needed of its rows the session
// remembers.
type writer struct {
	session     *session
	destination string // id
	changes     []change
	rows        map[rowID]row   // that the changes touch, as they are then
	seen        map[string]seen // destinations that the changes touch, as they are then
	grown       int             // by how many rows the destination grew
}

func (s *session) writer() *writer {
	return &writer{session: s, rows: map[rowID]row{}, seen: map[string]seen{}}
}

// change is one statement with its arguments.
type change struct {
	statement string
	args      []any
}

// prepare compiles the changes of the ledger, once in a session.
func prepare(ctx context.Context, db *sql.DB) (map[string]*sql.Stmt, error) {
	prepared := map[string]*sql.Stmt{}
	for _, text := range []string{table.SetMeta, table.SeeDestination, table.GrowDestination, table.PutEntry, table.MarkEntry, table.RemoveEntry, table.RemoveDestination} {
		statement, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, err
		}
		prepared[text] = statement
	}
	return prepared, nil
}

// run makes the changes: all of them, or none. A single one is a transaction by
// itself, for half the price.
func (s *session) run(ctx context.Context, changes []change) error {
	if len(changes) == 1 {
		_, err := s.prepared[changes[0].statement].ExecContext(ctx, changes[0].args...)
		return err
	}
	return table.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, c := range changes {
			if _, err := tx.StmtContext(ctx, s.prepared[c.statement]).ExecContext(ctx, c.args...); err != nil {
				return err
			}
			s.store.step()
		}
		return nil
	})
}

func (w *writer) add(statement string, args ...any) {
	w.changes = append(w.changes, change{statement, args})
}

// seenAs returns what is noted of a destination, and whether anything is.
func (w *writer) seenAs(id string) (now seen, known bool) {
	if now, known = w.seen[id]; !known {
		now, known = w.session.seen[id]
	}
	return now, known
}

// see notes a destination as it is now, unless that is known.
func (w *writer) see(id string, now seen) {
	if before, known := w.seenAs(id); !known || before != now {
		w.noteDestination(id, now)
	}
}

func (w *writer) noteDestination(id string, now seen) {
	w.add(table.SeeDestination, id, now[0], now[1], now[2], now[3], now[4], now[5], now[6], w.session.seals.Destination(id, now[:]...))
	w.seen[id] = now
}

// row returns the row of a key, or a zero one.
func (w *writer) row(key string) row {
	id := rowID{w.destination, key}
	if r, changed := w.rows[id]; changed {
		return r
	}
	return w.session.rows[id]
}

// intend notes an intent. What is believed of a key stays as it is; any other
// row says whose intent was the last, and has no UUID: whether the variable it
// wants to change was ever written by kmsync is not known, so it must not count
// as owned.
func (w *writer) intend(i ledger.Intent) error {
	if i.Key == "" {
		return errors.New("an intent without a key")
	}
	r := w.row(i.Key)
	r.open++
	if r.believed {
		w.mark(rowID{w.destination, i.Key}, r)
	} else {
		r.shown = &shown{owner: i.Owner, source: i.Source, before: r.shown}
		w.show(i.Key, r)
	}
	return nil
}

// settle notes an outcome. A believed entry is put without doubts: the variable
// is known to hold its value.
func (w *writer) settle(o ledger.Outcome) error {
	key := o.Entry.Key
	if key == "" {
		return errors.New("an outcome without a key")
	}
	r := w.row(key)
	switch o.Kind {
	case ledger.NotDone:
		w.takeBack(key, r)
	case ledger.Written:
		w.put(o.Entry, row{believed: true, writes: prepend(o.Write, r.writes)})
	case ledger.Adopted:
		w.put(o.Entry, row{believed: true, writes: r.writes})
	case ledger.Forgotten:
		if r.stored {
			w.remove(key)
		}
	case ledger.Released, ledger.Reowned:
		if !r.believed {
			return fmt.Errorf("a change of the entry of %s, which is not believed", key)
		}
		e := *r.entry
		if e.Released = e.Released || o.Kind == ledger.Released; o.Kind == ledger.Reowned {
			e.Owner = o.Entry.Owner
		}
		w.put(e, r)
	default:
		return fmt.Errorf("an outcome of unknown kind %d for %s", o.Kind, key)
	}
	return nil
}

// takeBack takes back the last intent of this session. One before it stays as much
// in doubt as it was, and a row goes that says nothing any more.
func (w *writer) takeBack(key string, r row) {
	if r.open == 0 {
		return
	}
	r.open--
	if r.believed {
		w.mark(rowID{w.destination, key}, r)
		return
	}
	r.shown = r.shown.before
	switch {
	case r.shown != nil:
		w.show(key, r)
	case len(r.writes) > 0: // set aside
		w.mark(rowID{w.destination, key}, r)
	default:
		w.remove(key)
	}
}

// show puts a row of which nothing is known but its last intent.
func (w *writer) show(key string, r row) {
	w.put(ledger.Entry{Key: key, Owner: r.shown.owner, Source: r.shown.source}, r)
}

// put puts an entry in place of what was there.
func (w *writer) put(e ledger.Entry, r row) {
	fingerprint := e.Fingerprint.Bytes()
	if fingerprint == nil {
		fingerprint = []byte{} // the column is not null
	}
	writes := record.EncodeWrites(r.writes)
	doubt, intent := r.doubts(w.session.id)
	w.add(table.PutEntry, w.destination, e.Key, e.Owner.Config, e.Owner.Sync, e.UUID, e.Secured, fingerprint, e.KeyID,
		e.Source.KMS, e.Source.Environment, e.Source.Path, e.Source.Name, e.Source.ID, e.Source.Version, e.Released,
		writes, record.Flag(r.believed), doubt, intent, w.session.seals.Entry(w.destination, &e, fingerprint, writes),
		w.session.seals.Flags(w.destination, e.Key, record.Flag(r.believed), doubt, intent))
	if !w.row(e.Key).stored {
		w.grown++
	}
	r.stored, r.entry = true, &e
	w.rows[rowID{w.destination, e.Key}] = r
}

// mark changes the flags of a row and nothing else.
func (w *writer) mark(id rowID, r row) {
	doubt, intent := r.doubts(w.session.id)
	believed := record.Flag(r.believed)
	w.add(table.MarkEntry, believed, doubt, intent, w.session.seals.Flags(id.destination, id.key, believed, doubt, intent), id.destination, id.key)
	w.rows[id] = r
}

// remove removes a row that is there, with its writes and its doubts.
func (w *writer) remove(key string) {
	w.add(table.RemoveEntry, w.destination, key)
	w.rows[rowID{w.destination, key}] = row{}
	w.grown--
}
