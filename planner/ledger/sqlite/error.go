package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hanzoai/kmsync/planner/ledger/table"
)

// ledgerFiles are what to delete to start anew. The folder may hold more: that of a
// sandbox holds its world.
const ledgerFiles = "ledger.db and its logs (ledger.db-wal, ledger.db-shm)"

// explain adds to an error of SQLite what can be done about it.
func (s *Store) explain(err error) error {
	if errors.Is(err, table.ErrDamaged) {
		return s.damaged(err)
	}
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch failure.Code() & 0xff { // without SQLite's extended part
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_ERROR: // a table or a column is not there: the file is another program's
		return s.damaged(fmt.Errorf("%w: %w", table.ErrDamaged, err))
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("no space is left: %w", err)
	case sqlite3.SQLITE_IOERR: // a full disk has it too, while the log's index is made
		return fmt.Errorf("its disk is full or fails: %w", err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("it may not be written here: %w", err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("it, or its log beside it, cannot be opened (check the rights of %s): %w", s.opt.Dir, err)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("another program holds the file open: %w", err)
	}
	return err
}

func (s *Store) damaged(err error) error {
	return fmt.Errorf("%w; restore %s from a backup, or delete %s there to start anew, which writes every secured variable once more",
		err, s.opt.Dir, ledgerFiles)
}
