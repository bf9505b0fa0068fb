package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const canary = "c4nary-of-somebody-else"

// put makes a file with the canary in it.
func put(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(canary), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestRefuseLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := put(t, filepath.Join(dir, "file"))
	missing := filepath.Join(dir, "missing")
	if err := RefuseLinks(file, dir, missing); err != nil {
		t.Errorf("no link: %v", err)
	}
	for _, target := range []string{file, dir, missing} {
		name := filepath.Join(dir, "to-"+filepath.Base(target))
		link(t, target, name)
		if err := RefuseLinks(file, name); err == nil || !strings.Contains(err.Error(), name+" is a link") || !strings.Contains(err.Error(), "remove") {
			t.Errorf("a link to %s: %v", target, err)
		}
	}
}

func TestMakeUntracked(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "above", "dir")
	for range 2 {
		if err := MakeUntracked(dir, "inside"); err != nil {
			t.Fatal(err)
		}
		holds(t, filepath.Join(dir, ".gitignore"), "*\n")
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("mine\n"), FileMode); err != nil {
		t.Fatal(err)
	}
	if err := MakeUntracked(dir); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, ".gitignore"), "mine\n")
}

// TestMakeUntrackedRefusesLinks has links that a checkout may bring.
func TestMakeUntrackedRefusesLinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".gitignore", "inside", "inside/deep"} {
		for _, dead := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				root := t.TempDir()
				outside, dir := filepath.Join(root, "outside"), filepath.Join(root, "dir")
				if !dead {
					if err := os.Mkdir(outside, DirMode); err != nil {
						t.Fatal(err)
					}
				}
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), DirMode); err != nil {
					t.Fatal(err)
				}
				link(t, outside, path)
				err := MakeUntracked(dir, "inside", filepath.Join("inside", "deep"))
				if err == nil || !strings.Contains(err.Error(), path+" is a link") {
					t.Errorf("got %v, want %s refused", err, path)
				}
				if !dead && len(names(t, outside)) != 0 {
					t.Errorf("there is now %v outside", names(t, outside))
				}
				if _, err := os.Lstat(outside); dead && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("something was made outside: %v", err)
				}
			})
		}
	}
}

func TestTighten(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := t.TempDir()
	file, name := put(t, filepath.Join(dir, "file")), filepath.Join(dir, "link")
	link(t, file, name)
	mode := func() fs.FileMode {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := Tighten(name, FileMode); err != nil || mode() != 0o640 {
		t.Errorf("through a link: %v, and mode %o", err, mode())
	}
	if err := Tighten(file, FileMode); err != nil || mode() != FileMode {
		t.Errorf("a file: %v, and mode %o", err, mode())
	}
	if err := os.Chmod(file, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := Tighten(file, FileMode); err != nil || mode() != 0o400 {
		t.Errorf("a file with less: %v, and mode %o", err, mode())
	}
	if err := Tighten(filepath.Join(dir, "missing"), FileMode); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

func TestWriteNewReplacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, dead := put(t, filepath.Join(dir, "file")), filepath.Join(dir, "dead")
	outside := filepath.Join(dir, "outside")
	link(t, outside, dead)
	for _, name := range []string{file, dead} {
		if err := WriteNew(name, []byte("new")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	holds(t, file, canary)
	if _, err := os.Lstat(outside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was written through a link: %v", err)
	}
}

// TestReplace finds the leavings of a process that was killed, and a link in
// their place.
func TestReplace(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, half, outside string){
		"nothing":   func(*testing.T, string, string) {},
		"half file": func(t *testing.T, half, _ string) { t.Helper(); put(t, half) },
		"a link":    func(t *testing.T, half, outside string) { t.Helper(); link(t, outside, half) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, outside := t.TempDir(), put(t, filepath.Join(t.TempDir(), "outside"))
			file := filepath.Join(dir, "file")
			leave(t, file+".new", outside)
			for _, content := range []string{"one", "two"} {
				if err := Replace(file, []byte(content)); err != nil {
					t.Fatal(err)
				}
				holds(t, file, content)
			}
			if got := names(t, dir); len(got) != 1 {
				t.Errorf("there is %v, want the file alone", got)
			}
			holds(t, outside, canary)
		})
	}
}

func TestReplaceThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "file", "full"), DirMode); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "file"), nil); err == nil {
		t.Error("a folder was replaced")
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("there is %v, want the folder alone", got)
	}
}

// TestIsThere: a dead link is a name that is there, and a name below a file is not
// proven to be missing.
func TestIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, dead := put(t, filepath.Join(dir, "file")), filepath.Join(dir, "dead")
	link(t, filepath.Join(dir, "nowhere"), dead)
	for name, want := range map[string]bool{file: true, dead: true, dir: true, filepath.Join(dir, "missing"): false} {
		if got, err := IsThere(name); got != want || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if got, err := IsThere(filepath.Join(file, "below")); got || err == nil {
		t.Errorf("below a file: %t, %v", got, err)
	}
}
