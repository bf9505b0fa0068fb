package private

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const id = "0123456789abcdef"

func TestPath(t *testing.T) {
	t.Parallel()
	if got, err := Path("dir", "ledger-", id, ".key"); err != nil || got != filepath.Join("dir", "ledger-"+id+".key") {
		t.Errorf("got %q, %v", got, err)
	}
	for _, id := range []string{
		"", "../../x", "..", "/etc/passwd", id + "/", id + "0", id[1:], strings.ToUpper(id), id + "\n", "\n" + id, id[1:] + "\x00", id[1:] + ".",
	} {
		got, err := Path("dir", "ledger-", id, ".key")
		if err == nil || got != "" {
			t.Errorf("%q gave the path %q", id, got)
		}
		if id != "" && strings.Contains(err.Error(), id) && len(id) > 2 {
			t.Errorf("the error quotes %q: %v", id, err)
		}
	}
}

// notes returns an empty place for notes, and what it warned of.
func notes(t *testing.T) (Notes, *[]string) {
	t.Helper()
	warnings := &[]string{}
	return Notes{filepath.Join(t.TempDir(), "state"), func(text string) { *warnings = append(*warnings, text) }}, warnings
}

func TestNotesNeverFall(t *testing.T) {
	t.Parallel()
	n, warnings := notes(t)
	for _, step := range []struct{ raise, want int64 }{{3, 3}, {2, 3}, {3, 3}, {4, 4}} {
		n.Raise(id, step.raise)
		if got := n.Serial(id); got != step.want {
			t.Errorf("%d noted after %d, want %d", got, step.raise, step.want)
		}
	}
	if len(*warnings) != 0 || len(names(t, n.Dir)) != 1 {
		t.Errorf("warnings %q, files %v; want none, and one", *warnings, names(t, n.Dir))
	}
}

// TestABrokenNoteIsNotQuoted since the file may be anybody's.
func TestABrokenNoteIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, content := range []string{canary, "-1234567890", "99999999999999999999999", "9223372036854775807", ""} {
		n, warnings := notes(t)
		path := filepath.Join(n.Dir, "serial-"+id)
		if err := MakeDir(n.Dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), FileMode); err != nil {
			t.Fatal(err)
		}
		if got := n.Serial(id); got != 0 || len(*warnings) != 1 || !strings.Contains((*warnings)[0], path) ||
			content != "" && strings.Contains((*warnings)[0], content) {
			t.Errorf("%q: serial %d, warnings %q", content, got, *warnings)
		}
		n.Raise(id, 5) // mends it
		if got := n.Serial(id); got != 5 {
			t.Errorf("%q: then %d, want 5", content, got)
		}
	}
}

func TestNotesOfAnIDThatIsNone(t *testing.T) {
	t.Parallel()
	n, warnings := notes(t)
	const bad = "../../x"
	outside := filepath.Join(n.Dir, "serial-"+bad)
	if err := MakeDir(filepath.Dir(outside)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, []byte("7"), FileMode); err != nil {
		t.Fatal(err)
	}
	if got := n.Serial(bad); got != 0 {
		t.Errorf("%d was read", got)
	}
	n.Raise(bad, 8)
	holds(t, outside, "7")
	if len(*warnings) != 2 {
		t.Errorf("warnings: %q, want two", *warnings)
	}
}

func TestNoPlaceForNotes(t *testing.T) {
	t.Parallel()
	n := Notes{Warn: func(text string) { t.Error(text) }}
	n.Raise(id, 1)
	if got := n.Serial(id); got != 0 {
		t.Errorf("serial %d", got)
	}
}
