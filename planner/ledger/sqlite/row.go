package sqlite

import (
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/record"
)

// rowID is the primary key of entries.
type rowID struct{ destination, key string }

// row is what a session remembers of one row of entries, so that no write has to
// read first: nobody else writes while it holds the lock.
type row struct {
	stored   bool           // whether there is one
	believed bool           // the column
	doubted  bool           // since before this session
	open     int            // intents of this session that were not answered
	shown    *shown         // what a doubt shows of it while it is not believed
	entry    *ledger.Entry  // what is believed, but for its writes; shared with the state, so never changed
	writes   []ledger.Write // the newest first; shared with the state, so never changed
}

// shown is what the last intent without an answer says of a key.
type shown struct {
	owner  ledger.Owner
	source ledger.Source
	before *shown // by the intent before it, if that has no answer either
}

// doubts returns the columns doubt and intent_session, for a session of that id.
func (r row) doubts(id string) (doubt, session string) {
	if r.open == 0 {
		id = ""
	}
	return record.Flag(r.doubted || r.open > 1), id
}

// prepend puts a write before the others and drops those beyond
// [ledger.MaxWrites].
func prepend(write ledger.Write, others []ledger.Write) []ledger.Write {
	all := append(make([]ledger.Write, 0, ledger.MaxWrites), write)
	return append(all, others[:min(len(others), ledger.MaxWrites-1)]...)
}
