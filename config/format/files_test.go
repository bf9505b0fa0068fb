package format

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

const ugly, pretty = "a=1\n", "a = 1\n"

// tree makes a directory of files and links; a link has "-> " before its target.
func tree(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(content)) {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if target, isLink := strings.CutPrefix(content[name], "-> "); isLink {
			if err := os.Symlink(target, full); err != nil {
				t.Skipf("no links here: %v", err)
			}
		} else if err := os.WriteFile(full, []byte(content[name]), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// called formats and returns the names of what changed.
func called(t *testing.T, dir string, paths []string, opt Options) ([]string, hcl.Diagnostics) {
	t.Helper()
	result, diags, err := Files(context.Background(), dir, paths, opt)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range result.Changed {
		names = append(names, filepath.ToSlash(c.Name))
	}
	return names, diags
}

// TestWhichFiles: which files are formatted, what they are called, each once.
func TestWhichFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		paths []string
		opt   Options
		want  []string
	}{
		"directory":     {nil, Options{}, []string{"a.auto.syncvars", "b.syncvars", "main.sync.hcl"}},
		"below":         {nil, Options{Recursive: true}, []string{"a.auto.syncvars", "b.syncvars", "main.sync.hcl", "sub/deep/d.sync.hcl", "sub/s.sync.hcl"}},
		"named":         {[]string{"sub", "./main.sync.hcl", "main.sync.hcl"}, Options{}, []string{"sub/s.sync.hcl", "./main.sync.hcl"}},
		"check":         {nil, Options{Check: true}, []string{"a.auto.syncvars", "b.syncvars", "main.sync.hcl"}},
		"twice":         {[]string{"sub", "sub/../sub/s.sync.hcl", "./sub"}, Options{Check: true}, []string{"sub/s.sync.hcl"}},
		"hidden, named": {[]string{".hidden.sync.hcl", ".kmsync"}, Options{}, []string{".hidden.sync.hcl", ".kmsync/k.sync.hcl"}},
	} {
		content := map[string]string{
			"main.sync.hcl": ugly, "b.syncvars": ugly, "a.auto.syncvars": ugly, "good.sync.hcl": pretty, "other.hcl": ugly,
			"x.sync.json": "{}", ".hidden.sync.hcl": ugly, ".kmsync/k.sync.hcl": ugly, ".git/g.sync.hcl": ugly,
			"sub/s.sync.hcl": ugly, "sub/deep/d.sync.hcl": ugly, "dir.sync.hcl/inner.txt": ugly,
		}
		dir := tree(t, content)
		got, diags := called(t, dir, c.paths, c.opt)
		if diff := cmp.Diff(c.want, got); diff != "" || len(diags) > 0 {
			t.Errorf("%s: %v\n%s", name, diags, diff)
		}
		for _, path := range got {
			if !c.opt.Check {
				content[filepath.ToSlash(filepath.Clean(path))] = pretty
			}
		}
		if diff := cmp.Diff(content, contents(t, dir)); diff != "" {
			t.Errorf("%s: what is there now:\n%s", name, diff)
		}
	}
}

// contents returns every file of a directory, so that nothing left over is missed.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		rel = filepath.ToSlash(rel)
		if entry.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			found[rel] = "-> " + target
			return err
		}
		content, err := os.ReadFile(path)
		found[rel] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestLinks: a link stays one; what it leads to is formatted inside of the directory
// only.
func TestLinks(t *testing.T) {
	t.Parallel()
	content := map[string]string{
		"in/link.sync.hcl": "-> real/text.sync.hcl", "in/real/text.sync.hcl": ugly, "in/twice.sync.hcl": "-> link.sync.hcl",
		"in/out.sync.hcl": "-> ../outside.sync.hcl", "in/gone.sync.hcl": "-> nothing", "in/self.sync.hcl": "-> self.sync.hcl",
		"in/dir": "-> ../other", "in/askew.sync.hcl": "-> deep/down/../text", "in/deep/down": "-> ../real/below",
		"in/real/below/keep": "", "in/deep/text": ugly, "in/real/text": ugly, "in/real/text2": ugly, "in/odd.sync.hcl": "-> real/text2",
		"outside.sync.hcl": ugly, "other/o.sync.hcl": ugly,
	}
	dir := tree(t, content)
	got, diags := called(t, filepath.Join(dir, "in"), nil, Options{Recursive: true})
	if diff := cmp.Diff([]string{"link.sync.hcl"}, got); diff != "" {
		t.Error(diff)
	}
	var summaries []string
	for _, d := range diags {
		summaries = append(summaries, d.Subject.Filename+": "+d.Summary)
	}
	want := []string{
		"askew.sync.hcl: Cannot write the file", "gone.sync.hcl: Cannot read the configuration",
		"odd.sync.hcl: Not a file to format", "out.sync.hcl: Link out of the directory", "self.sync.hcl: Cannot read the configuration",
	}
	if diff := cmp.Diff(want, summaries); diff != "" {
		t.Error(diff)
	}
	content["in/real/text.sync.hcl"] = pretty
	if diff := cmp.Diff(content, contents(t, dir)); diff != "" {
		t.Errorf("what is there now:\n%s", diff)
	}
	if _, diags := called(t, dir, []string{"in/out.sync.hcl"}, Options{}); len(diags) != 1 || diags[0].Subject.Filename != "in/out.sync.hcl" {
		t.Errorf("a named link out: %v", diags)
	}
}

// TestPermissions: a file keeps its permissions, and one that may not be written stays.
func TestPermissions(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"main.sync.hcl": ugly, ".main.sync.hcl.0.tmp": "left by a run that was killed"})
	path := filepath.Join(dir, "main.sync.hcl")
	for _, mode := range []os.FileMode{0o604, 0o666} {
		if err := errors.Join(os.WriteFile(path, []byte(ugly), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		if names, diags := called(t, dir, nil, Options{}); len(names) != 1 || len(diags) > 0 {
			t.Fatal(names, diags)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%v, %v, not %v", info.Mode(), err, mode)
		}
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everything")
	}
	if err := errors.Join(os.WriteFile(path, []byte(ugly), 0o600), os.Chmod(path, 0o400)); err != nil {
		t.Fatal(err)
	}
	if names, diags := called(t, dir, nil, Options{}); len(names) > 0 || len(diags) != 1 || diags[0].Summary != "Cannot write the file" {
		t.Error(names, diags)
	}
	if now := contents(t, dir); now["main.sync.hcl"] != ugly || len(now) != 2 {
		t.Error(now)
	}
}

// TestReplaceWhatChanged: what somebody wrote after the file was read stays, and
// nothing is left beside it.
func TestReplaceWhatChanged(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"main.sync.hcl": "theirs = 1\n", "link.sync.hcl": "-> main.sync.hcl"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"main.sync.hcl", "link.sync.hcl"} {
		if err := replace(root, name, []byte(ugly), []byte(pretty)); !errors.Is(err, errChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := contents(t, dir); now["main.sync.hcl"] != "theirs = 1\n" || len(now) != 2 {
		t.Error(now)
	}
}

// TestMistakes: each has its file, and the others are formatted nevertheless.
func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.sync.hcl": "a = {\n", "b.sync.hcl": ugly, "c.sync.json": "{}"})
	names, diags := called(t, dir, []string{".", "nothing", "c.sync.json", "nothing/x.sync.hcl"}, Options{})
	if diff := cmp.Diff([]string{"b.sync.hcl"}, names); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, d := range diags {
		got = append(got, d.Subject.Filename+": "+d.Summary)
	}
	want := []string{"a.sync.hcl: Missing expression", "nothing: No such file", "c.sync.json: Not a file to format", "nothing/x.sync.hcl: No such file"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if now := contents(t, dir); now["a.sync.hcl"] != "a = {\n" {
		t.Error(now)
	}
	if _, diags := called(t, filepath.Join(dir, "nothing"), nil, Options{}); len(diags) != 1 || !strings.Contains(diags[0].Detail, "does not exist") {
		t.Error(diags)
	}
}

// TestEnded: after the end of the context no file is begun.
func TestEnded(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.sync.hcl": ugly})
	ctx, cancel := context.WithCancelCause(context.Background())
	because := errors.New("enough")
	cancel(because)
	for _, paths := range [][]string{nil, {"a.sync.hcl"}} {
		result, diags, err := Files(ctx, dir, paths, Options{})
		if !errors.Is(err, because) || len(result.Changed)+len(diags) > 0 || contents(t, dir)["a.sync.hcl"] != ugly {
			t.Error(paths, result, diags, err)
		}
	}
}

// TestStream: what is read is given back formatted, or refused.
func TestStream(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]struct {
		text             string
		changed, mistake bool
	}{
		ugly: {pretty, true, false}, pretty: {pretty, false, false}, "a = {": {"", false, true}, "": {"", false, false},
		strings.Repeat("#\n", 1<<20): {"", false, true},
	} {
		result, diags, err := Stream(strings.NewReader(source))
		if err != nil || string(result.Text) != want.text || (len(result.Changed) == 1) != want.changed || diags.HasErrors() != want.mistake {
			t.Errorf("%.10q: %v, %v, %v", source, result, diags, err)
		}
		if want.mistake && (diags[0].Subject.Filename != "<stdin>" || result.Sources["<stdin>"] == nil) {
			t.Errorf("%.10q: %v", source, diags)
		}
	}
	if _, _, err := Stream(broken{}); err == nil {
		t.Error("a failed read is not told")
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }
