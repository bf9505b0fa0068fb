package world_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func openStore(t *testing.T, path string) (*world.Store, *lines) {
	t.Helper()
	log := &lines{}
	s, err := world.OpenStore(world.StoreOptions{Path: path, Log: log.add})
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

func worldFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "sandbox", "world.json")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replace edits the file in place, as some editors do: same file, and the
// same size where old and new are equally long.
func replace(t *testing.T, path, old, fresh string) {
	t.Helper()
	text := read(t, path)
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in the file", old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, old, fresh)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until the emulator has written text to the file.
func waitFor(t *testing.T, path, text string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(read(t, path), text); {
		if time.Now().After(deadline) {
			t.Fatalf("%q did not reach the file", text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func flags(s *world.Store) (value string, version int) {
	s.Read(func(w *world.World) {
		for _, secret := range w.KMS.Project("demo").Environment("dev").Folder("/web").Secrets {
			if secret.Key == "FEATURE_FLAGS" {
				value, version = secret.Value, secret.Version
			}
		}
	})
	return value, version
}

func setRegion(value string) func(*world.World) bool {
	return func(w *world.World) bool {
		w.Bitbucket.Workspace("acme").Repository("web").Variables[0].Value = value
		return true
	}
}

func TestStoreMakesFile(t *testing.T) {
	t.Parallel()
	path := worldFile(t)
	openStore(t, path)
	want, err := world.Encode(world.Default())
	if err != nil || read(t, path) != string(want) {
		t.Errorf("the file is not the default world (%v)", err)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, want mode %v", name, info.Mode(), mode)
		}
	}
	// A time that no clock gives by chance: what follows in the same tick differs.
	if info, err := os.Stat(path); err != nil || info.ModTime().Nanosecond() != 0 {
		t.Errorf("the file's time is %v (%v), want a whole second", info.ModTime(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files besides the world: %v", left)
	}
}

func TestStoreFillsHandWrittenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(path, []byte(`{"kms": {"projects": [{"slug": "shop"}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	openStore(t, path)
	first := read(t, path)
	if !strings.Contains(first, `"name": "shop"`) {
		t.Fatalf("what was missing is not in the file:\n%s", first)
	}
	openStore(t, path)
	if read(t, path) != first {
		t.Error("a second start changed the file")
	}
}

func TestStoreRefusesBrokenFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"broken": "{\n", "empty": ""} {
		path := filepath.Join(t.TempDir(), "world.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := world.OpenStore(world.StoreOptions{Path: path}); err == nil || !strings.Contains(err.Error(), "world.json") {
			t.Errorf("%s: got error %v", name, err)
		}
		if read(t, path) != text {
			t.Errorf("%s: the file was overwritten", name)
		}
	}
}

func TestStoreWritesSoon(t *testing.T) {
	t.Parallel()
	path := worldFile(t)
	s, _ := openStore(t, path)
	s.Write(setRegion("us-east-1"))
	waitFor(t, path, "us-east-1")
	s.Write(func(*world.World) bool { return false })
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestStoreHandEdit(t *testing.T) {
	t.Parallel()
	path := worldFile(t)
	s, _ := openStore(t, path)
	replace(t, path, "new-checkout,dark-mode", "old-checkout,dark-mode") // same size, same instant
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	if value, version := flags(s); value != "old-checkout,dark-mode" || version != 2 {
		t.Errorf("got %q in version %d, want the edited value in version 2", value, version)
	}
	waitFor(t, path, `"version": 2`) // the raised version is written without more ado
	replace(t, path, "old-checkout,dark-mode", "none")
	replace(t, path, `"version": 2`, `"version": 7`)
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	if value, version := flags(s); value != "none" || version != 7 {
		t.Errorf("got %q in version %d, want the version that was given", value, version)
	}
}

// The person wins over what the emulator has not written yet, and is told.
func TestStoreHandEditWins(t *testing.T) {
	t.Parallel()
	path := worldFile(t)
	s, log := openStore(t, path)
	s.Write(setRegion("lost"))
	replace(t, path, "eu-central-1", "by-hand")
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	if !strings.Contains(text, "by-hand") || strings.Contains(text, "lost") {
		t.Error("the hand edit was overwritten")
	}
	if !strings.Contains(log.String(), "edited by hand") {
		t.Errorf("nothing was said about it: %q", log)
	}
}

func TestStoreBrokenByHand(t *testing.T) {
	t.Parallel()
	path := worldFile(t)
	s, log := openStore(t, path)
	good := read(t, path)
	s.Write(setRegion("pending"))
	if err := os.WriteFile(path, []byte("{ oops"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Refresh(); err == nil || !strings.Contains(err.Error(), "world.json:1") {
			t.Errorf("got error %v, want file and line", err)
		}
	}
	if err := s.Flush(); err == nil || read(t, path) != "{ oops" {
		t.Error("the broken file was overwritten")
	}
	if n := strings.Count(log.String(), "world.json:1"); n != 1 {
		t.Errorf("the mistake was logged %d times", n)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(good, "eu-central-1", "mended")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(); err != nil {
		t.Errorf("the mended file is refused: %v", err)
	}
}

func TestStoreDeletedFile(t *testing.T) {
	t.Parallel()
	path := worldFile(t)
	s, _ := openStore(t, path)
	s.Edit(func(w *world.World) { w.KMS.Projects = nil })
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	if value, _ := flags(s); value == "" {
		t.Error("the world did not start anew")
	}
	if err := s.Flush(); err != nil || read(t, path) == "" {
		t.Errorf("no new file: %v", err)
	}
}

func TestStoreEditRaisesVersions(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t, "")
	edit := func(change func(*world.Secret)) {
		s.Edit(func(w *world.World) {
			change(w.KMS.Project("demo").Environment("dev").Folder("/web").Secret("FEATURE_FLAGS"))
		})
	}
	steps := []struct {
		change func(*world.Secret)
		want   int
	}{
		{func(s *world.Secret) { s.Value = "a" }, 2},
		{func(s *world.Secret) { s.Comment = "same value" }, 2},
		{func(s *world.Secret) { s.Value, s.Version = "b", 9 }, 9},
		{func(s *world.Secret) { s.Value = "a" }, 10},
	}
	for i, step := range steps {
		edit(step.change)
		if _, version := flags(s); version != step.want {
			t.Errorf("step %d: version %d, want %d", i, version, step.want)
		}
	}
}

func TestNewUUIDSeries(t *testing.T) {
	t.Parallel()
	a, _ := openStore(t, "")
	b, _ := openStore(t, "")
	first, second := a.NewUUID(), a.NewUUID()
	if first == second || first != b.NewUUID() {
		t.Errorf("series %s, %s is not stable and without repeats", first, second)
	}
	other, err := world.OpenStore(world.StoreOptions{World: &world.World{}})
	if err != nil {
		t.Fatal(err)
	}
	if other.NewUUID() == first {
		t.Error("another world has the same series")
	}
}
