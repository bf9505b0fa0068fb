// Package private keeps files that only their owner may read: each is written
// whole or not at all, and none through a link.
//
// The folder of a ledger lies beside the configuration, so that a checkout may
// bring one with links in it, which point wherever somebody else wants.
package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The modes of folders and files.
const (
	DirMode  = 0o700
	FileMode = 0o600
)

// temporary is what the name of a file ends with that is not whole yet.
const temporary = ".new"

// RefuseLinks fails with the first of the names that is a link, wherever it
// points. Names that are not there are fine.
func RefuseLinks(names ...string) error {
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("%s is a link, and what it points to is not to be read or changed: remove the link", name)
		}
	}
	return nil
}

// IsThere reports whether a name is there; false only when that is proven.
func IsThere(name string) (bool, error) {
	_, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// MakeUntracked makes a folder that git leaves alone, and what is missing above
// it. A .gitignore that is there stays as it is. The folder, its .gitignore and
// the names inside that are given must not be links.
func MakeUntracked(dir string, inside ...string) error {
	ignore := filepath.Join(dir, ".gitignore")
	if err := RefuseLinks(filepath.Clean(dir), ignore); err != nil {
		return err
	}
	for _, name := range inside {
		if err := RefuseLinks(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := MakeDir(dir); err != nil {
		return err
	}
	err := WriteNew(ignore, []byte("*\n"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// MakeDir makes a folder and what is missing above it, for the owner only.
func MakeDir(dir string) error { return os.MkdirAll(dir, DirMode) }

// Tighten takes away what others may do with a file or folder beyond mode. It
// leaves alone what is not there, and links.
func Tighten(name string, mode fs.FileMode) error {
	info, err := os.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 || info.Mode().Perm()&^mode == 0 {
		return nil
	}
	return os.Chmod(name, mode)
}

// WriteNew writes a file that is not there yet and waits until it is on disk.
func WriteNew(path string, content []byte) error {
	if err := write(path, content); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Replace writes a file so that a reader, or the next run after a crash, finds
// the old content or the new one whole. What a crash leaves behind has one fixed
// name, which the next call clears away: only one process at a time may replace
// a file.
func Replace(path string, content []byte) error {
	half := path + temporary
	if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := write(half, content); err != nil {
		return err
	}
	if err := os.Rename(half, path); err != nil {
		return errors.Join(err, os.Remove(half))
	}
	return SyncDir(filepath.Dir(path))
}

// write makes a file, which no link can stand for, and leaves none where it fails.
func write(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, FileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// SyncDir makes a new name in dir survive a loss of power, where the system can:
// some cannot open or sync a folder, and there the name is not lost for long.
func SyncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = folder.Sync()
	return folder.Close()
}
