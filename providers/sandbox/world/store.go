package world

import (
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// flushDelay is how long after a change the file is written at the latest.
const flushDelay = 40 * time.Millisecond

// StoreOptions say where a world comes from.
type StoreOptions struct {
	// Path of the file; empty keeps the world in memory only.
	Path string
	// World is what stands where there is no file yet; nil means Default.
	World *World
	// NewUUID makes UUIDs without braces. nil: a series that follows from the
	// world's own text, the same in every run that starts from the same world.
	NewUUID func() string
	// Log receives a line where something happened that a person should know:
	// a hand edit that won over unsaved changes, a file that cannot be read.
	Log func(string)
}

// Store keeps one world, in memory and in its file. A hand edit counts from
// the next Refresh on, and wins over changes of the emulator that were not
// written yet (they are at most 40 ms old); that is logged. It is safe for
// use by many goroutines.
type Store struct {
	opts   StoreOptions
	series atomic.Uint64
	seed   string

	mu       sync.RWMutex
	world    *World
	file     file
	versions versions
	dirty    bool
	timer    *time.Timer
	lastBad  string
}

// OpenStore reads the world, or makes it and writes its file. The errors name
// file and line.
func OpenStore(opts StoreOptions) (*Store, error) {
	if opts.Log == nil {
		opts.Log = func(string) {}
	}
	s := &Store{opts: opts, file: file{path: opts.Path}}
	if opts.Path == "" {
		return s, s.take(nil)
	}
	text, _, err := s.file.changed()
	if err != nil {
		return nil, err
	}
	if err := s.take(text); err != nil {
		return nil, err
	}
	return s, s.flush()
}

// take makes text the present world; nil stands for the initial one. The
// caller holds the lock or is the only one.
func (s *Store) take(text []byte) error {
	w, err := s.decode(text)
	if err != nil {
		return err
	}
	if err := w.Check(); err != nil {
		return err
	}
	if s.seed == "" {
		encoded, err := Encode(w)
		if err != nil {
			return err
		}
		s.seed = string(encoded)
	}
	filled := w.Fill(s.NewUUID)
	raised := s.versions.settle(w)
	s.world, s.dirty = w, text == nil || filled || raised
	s.file.text = text
	return nil
}

func (s *Store) decode(text []byte) (*World, error) {
	switch {
	case text != nil:
		return Decode(filepath.Base(s.file.path), text)
	case s.opts.World != nil:
		return s.opts.World.Clone(), nil
	default:
		return Default(), nil
	}
}

// NewUUID returns a new UUID without braces.
func (s *Store) NewUUID() string {
	if s.opts.NewUUID != nil {
		return s.opts.NewUUID()
	}
	n := s.series.Add(1)
	return DerivedUUID(s.seed, strconv.FormatUint(n, 10))
}

// Refresh takes over a file that was edited since it was last read or
// written; a deleted one starts the world anew. Its error names file and line;
// the world in memory is then older than the file and should not be served.
func (s *Store) Refresh() error {
	if s.opts.Path == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refresh()
}

func (s *Store) refresh() error {
	text, changed, err := s.file.changed()
	if err != nil || !changed {
		return err
	}
	dirty := s.dirty
	if err := s.take(text); err != nil {
		s.file.info = nil // look again next time
		if s.lastBad != string(text) {
			s.lastBad = string(text)
			s.opts.Log(err.Error())
		}
		return err
	}
	if dirty {
		s.opts.Log(s.file.path + " was edited by hand: it wins over changes that were not saved yet")
	}
	if s.dirty {
		s.schedule()
	}
	return nil
}

// Read shows the world to fn, which must neither change nor keep it.
func (s *Store) Read(fn func(*World)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	fn(s.world)
}

// Write lets fn change Bitbucket's variables and has the file written soon
// after; fn tells whether it changed anything and leaves nothing incomplete.
func (s *Store) Write(fn func(*World) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fn(s.world) {
		s.dirty = true
		s.schedule()
	}
}

// Edit lets fn change anything, as a person with an editor would: what is
// missing afterwards is filled in, and versions are raised.
func (s *Store) Edit(fn func(*World)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(s.world)
	s.world.Fill(s.NewUUID)
	s.versions.settle(s.world)
	s.dirty = true
	s.schedule()
}

func (s *Store) schedule() {
	if s.opts.Path == "" || s.timer != nil {
		return
	}
	s.timer = time.AfterFunc(flushDelay, func() {
		if err := s.Flush(); err != nil {
			s.opts.Log(err.Error())
		}
	})
}

// Flush writes the file now if it is behind. A file that was edited by hand
// meanwhile is taken over instead.
func (s *Store) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.opts.Path == "" || !s.dirty {
		return nil
	}
	if err := s.refresh(); err != nil {
		return err
	}
	return s.flush()
}

func (s *Store) flush() error {
	if !s.dirty {
		return nil
	}
	text, err := Encode(s.world)
	if err != nil {
		return err
	}
	if err := s.file.write(text); err != nil {
		return err
	}
	s.dirty = false
	return nil
}
