package world

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// file is the world's file and what is known of it.
type file struct {
	path string
	text []byte
	info fs.FileInfo
}

// changed tells whether the file differs from what was last read or written,
// and returns its text then; a nil text means that it is gone. The text is
// read only when identity, size or time differ.
func (f *file) changed() (text []byte, changed bool, err error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.text != nil, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read world: %w", err)
	}
	if f.info != nil && os.SameFile(info, f.info) && info.Size() == f.info.Size() && info.ModTime().Equal(f.info.ModTime()) {
		return nil, false, nil
	}
	if text, err = os.ReadFile(f.path); err != nil {
		return nil, false, fmt.Errorf("read world: %w", err)
	}
	f.info = info
	return text, string(text) != string(f.text), nil
}

// write replaces the file in one step, readable by its owner only.
func (f *file) write(text []byte) error {
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	temp, err := os.CreateTemp(dir, ".world-*")
	if err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	if err := roundTime(temp.Name()); err != nil {
		return err
	}
	// What is known of the file is known before it has its name: from then on
	// somebody may edit it.
	info, err := os.Stat(temp.Name())
	if err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	if err := os.Rename(temp.Name(), f.path); err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	f.info, f.text = info, text
	return nil
}

// roundTime sets a file's time back to the whole second. An edit that follows
// within one tick of the file system's clock, in place and of the same size,
// is told by its time all the same.
func roundTime(name string) error {
	info, err := os.Stat(name)
	if err == nil {
		second := info.ModTime().Truncate(time.Second)
		err = os.Chtimes(name, second, second)
	}
	if err != nil {
		return fmt.Errorf("write world: %w", err)
	}
	return nil
}
