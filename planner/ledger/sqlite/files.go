package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hanzoai/kmsync/planner/ledger/lockfile"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/table"
	"github.com/hanzoai/kmsync/providers/secret"
)

// What SQLite appends to a file's name for what it keeps beside it.
const (
	walSuffix     = "-wal"     // the log in WAL mode
	shmSuffix     = "-shm"     // its index
	journalSuffix = "-journal" // the log in any other mode
)

func (s *Store) file() string    { return filepath.Join(s.opt.Dir, "ledger.db") }
func (s *Store) newFile() string { return s.file() + ".new" } // while it is made

func (s *Store) guard() lockfile.Lock { return lockfile.Lock{Dir: s.opt.Dir} }
func (s *Store) ignorePath() string   { return filepath.Join(s.opt.Dir, ".gitignore") }

// withLogs returns a file of SQLite and what it may keep beside it.
func withLogs(file string) []string {
	return []string{file, file + walSuffix, file + shmSuffix, file + journalSuffix}
}

// exists reports whether there is a ledger. Only a name that is not there counts
// as none: a log without its ledger is an error, and so are a link and a journal,
// which a checkout may have brought. Beside a ledger that was not finished one is
// cleared away.
func (s *Store) exists() (bool, error) {
	names := append([]string{filepath.Clean(s.opt.Dir), s.guard().Path(), s.guard().HolderPath(), s.ignorePath()}, withLogs(s.file())...)
	if err := private.RefuseLinks(append(names, withLogs(s.newFile())...)...); err != nil {
		return false, err
	}
	journal := s.file() + journalSuffix
	if found, err := private.IsThere(journal); found || err != nil {
		if found {
			err = fmt.Errorf("%w: %s lies beside it, which no ledger has and SQLite would replay: remove it", table.ErrDamaged, filepath.Base(journal))
		}
		return false, err
	}
	if found, err := private.IsThere(s.file()); found || err != nil {
		return found, err
	}
	if logged, err := private.IsThere(s.file() + walSuffix); logged || err != nil {
		return false, errors.Join(err, fmt.Errorf("%w: the file is gone and its log is not", table.ErrDamaged))
	}
	return false, nil
}

// makeDir makes the folder of the ledger and keeps git away from it. From a
// ledger in use somebody may have taken the .gitignore on purpose.
func (s *Store) makeDir() error {
	if found, err := s.exists(); found || err != nil {
		return err
	}
	return private.MakeUntracked(s.opt.Dir)
}

// tighten takes the rights of others on the ledger away: a folder that came with
// a checkout has those of the umask. It only warns, since the folder may belong
// to somebody else.
func (s *Store) tighten() {
	for name, mode := range map[string]fs.FileMode{s.opt.Dir: private.DirMode, s.file(): private.FileMode} {
		if err := private.Tighten(name, mode); err != nil {
			s.opt.Warn(fmt.Sprintf("Others may read the ledger %s, and its mode cannot be changed: %v.", name, err))
		}
	}
}

// create makes an empty ledger under another name and renames it when it is
// whole and on disk, so that a run that dies here leaves no half ledger, and a
// file without a schema is always a damaged one.
func (s *Store) create(ctx context.Context, id string, key secret.Key) error {
	path := s.newFile()
	for _, name := range withLogs(path) { // of a run that died here
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := private.WriteNew(path, nil); err != nil { // for its mode
		return err
	}
	if err := table.Fill(ctx, path, id, key, s.opt.Now()); err != nil {
		return err
	}
	if err := os.Rename(path, s.file()); err != nil {
		return err
	}
	return private.SyncDir(s.opt.Dir)
}
