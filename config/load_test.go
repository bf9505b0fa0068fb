package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// TestFileMistakes makes what no checkout can hold faithfully: links, wrong
// encodings, sizes.
func TestFileMistakes(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(dir string) error{
		"byte_order_mark": write("main.sync.hcl", "\xef\xbb\xbf"+minimal),
		"encoding":        write("main.sync.hcl", "# fine\nkms \"hanzo\" {\n  project = \"caf\xe9\"\n}\n"),
		"utf16":           write("main.sync.hcl", "\xff\xfek\x00m\x00s\x00"),
		"zero_bytes":      write("main.sync.hcl", "kms \"hanzo\" {\n  project = \"a\x00b\"\n}\n"),
		"too_large":       write("main.sync.hcl", strings.Repeat("#\n", 1<<19)+"#"),
		"nesting":         write("main.sync.hcl", "x = "+strings.Repeat("(", 100)+padding),
		"operators":       write("main.sync.hcl", "x = 1\ny = "+strings.Repeat("!", 1000)+"true"+padding),
		"link_out":        link("../elsewhere.sync.hcl"),
		"link_absolute":   link(os.DevNull),
		"link_dangling":   link("nothing"),
		"link_directory":  link("."),
		"missing_directory": func(dir string) error {
			return os.Remove(dir)
		},
		"not_a_directory": func(dir string) error {
			return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "config")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := prepare(dir); err != nil {
				t.Fatal(err)
			}
			config, diags := Load(dir, LoadOptions{NeedInputs: true})
			checkGolden(t, "file_"+name, config, diags, filepath.Dir(dir)+"/")
		})
	}
}

// padding makes a file large enough for its nesting to be looked at.
var padding = "\n#" + strings.Repeat(".", 10_001)

const minimal = `kms "hanzo" {
  project = "payments"
}
`

func write(name, content string) func(string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
}

func link(target string) func(string) error {
	return func(dir string) error { return os.Symlink(target, filepath.Join(dir, "main.sync.hcl")) }
}

// TestLinkInside follows what Kubernetes makes of a mounted directory: links to
// files in a hidden directory beside them.
func TestLinkInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := errors.Join(
		os.Mkdir(filepath.Join(dir, "..1"), 0o700),
		write("..1/main.sync.hcl", minimal)(dir),
		link("..1/main.sync.hcl")(dir),
	)
	if err != nil {
		t.Fatal(err)
	}
	config, diags := Load(dir, LoadOptions{NeedInputs: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := config.KMS["hanzo"].Project.Value; got != "payments" {
		t.Errorf("project %q", got)
	}
}

// TestUnusualText takes what is text, if unusual: no content, no line end, the
// replacement character written out.
func TestUnusualText(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "# \ufffd", "\r\n\r\n", "# \u202e"} {
		if _, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(source)}}, ".", LoadOptions{}); len(diags) != 0 {
			t.Errorf("%q: %s", source, diags)
		}
	}
}

// failing fails with an error wherever a path is opened.
type failing struct {
	fstest.MapFS
	path string
	err  error
}

func (f failing) Open(name string) (fs.File, error) {
	if name == f.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
	}
	return f.MapFS.Open(name)
}

func (f failing) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == f.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
	}
	return f.MapFS.ReadDir(name)
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]failing{
		"file_forbidden":      {path: "main.sync.hcl", err: fs.ErrPermission},
		"file_disk":           {path: "main.sync.hcl", err: errors.New("bad sector")},
		"directory_forbidden": {path: ".", err: fs.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys.MapFS = fstest.MapFS{
				"main.sync.hcl":  {Data: []byte(minimal)},
				"other.sync.hcl": {Data: []byte("connection \"bitbucket\" \"x\" {\n  workspace = kms.hanzo.project\n}\n")},
			}
			config, diags := load(fsys, "infra", LoadOptions{})
			checkGolden(t, name, config, diags, "\x00")
		})
	}
}

// TestLostBlocks: what refers to a block that could not be read is no mistake of
// its own, whichever way the block was lost.
func TestLostBlocks(t *testing.T) {
	t.Parallel()
	kms := "kms \"hanzo\" {\n  project = \"p\"\n}\n"
	connection := "connection \"bitbucket\" \"acme\" {\n}\n"
	source := "source {\n  kms = kms.hanzo\n  environment = \"dev\"\n}\n"
	destination := "destination \"bitbucket\" {\n  workspace = \"acme\"\n  repository = \"web\"\n}\n"
	for name, broken := range map[string][2]string{
		"invalid label":   {kms, `kms "han zo" { project = "p" }`},
		"no label":        {kms, `kms { project = "p" }`},
		"other block":     {kms, `kmss "hanzo" { project = "p" }`},
		"syntax error":    {kms, `kms "hanzo" { project = }`},
		"unknown service": {connection, `connection "github" "acme" { workspace = "acme" }`},
		"no destination":  {destination, `destination "github" { repository = "web" }`},
		"other argument":  {destination, "destination \"bitbucket\" {\n  workspace = \"acme\"\n  repositroy = \"web\"\n}"},
		"other source":    {source, `sources { environment = "dev" }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := kms + connection + "sync \"one\" {\n" + source + destination + "}\n"
			if _, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(whole)}}, ".", LoadOptions{}); len(diags) != 0 {
				t.Fatal(diags)
			}
			fsys := fstest.MapFS{}
			for name, part := range map[string]string{"a": kms, "b": connection, "c": "sync \"one\" {\n" + source + destination + "}\n"} {
				fsys[name+".sync.hcl"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(part, broken[0], broken[1]+"\n"))}
			}
			if _, diags := load(fsys, ".", LoadOptions{}); len(diags) != 1 {
				t.Errorf("want one mistake, got %s", diags.Errs())
			}
		})
	}
}

// TestFilesForSnippets: sources are there even of files that do not parse.
func TestFilesForSnippets(t *testing.T) {
	t.Parallel()
	config, diags := load(fstest.MapFS{
		"a.sync.hcl":  {Data: []byte("kms {")},
		"b.sync.hcl":  {Data: []byte("\xff")},
		"c.sync.json": {Data: []byte("{}")},
	}, ".", LoadOptions{})
	if !diags.HasErrors() {
		t.Error("no errors")
	}
	if diff := cmp.Diff([]string{"a.sync.hcl", "b.sync.hcl", "c.sync.json"}, sortedNames(config.Files)); diff != "" {
		t.Error(diff)
	}
	for name, file := range config.Files {
		if file.Bytes == nil || file.Body == nil {
			t.Errorf("%s: no source or no body", name)
		}
	}
}

func TestLocated(t *testing.T) {
	t.Parallel()
	if (Located[string]{Value: "x"}).IsSet() {
		t.Error("a default counts as written")
	}
	if !(Located[string]{Range: hcl.Range{Filename: "main.sync.hcl"}}).IsSet() {
		t.Error("a written value counts as default")
	}
}
