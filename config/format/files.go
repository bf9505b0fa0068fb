package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/files"
)

const (
	summaryMissing    = "No such file"
	summaryOther      = "Not a file to format"
	summaryUnwritable = "Cannot write the file"
)

// Options say what [Files] does.
type Options struct {
	Recursive bool // go into sub-directories, but not into hidden ones
	Check     bool // write nothing
}

// Changed is one file that was not in canonical form.
type Changed struct {
	Name          string // below the directory that was given, or as it was named
	Before, After []byte
}

// Result is what [Files] or [Stream] found.
type Result struct {
	Changed []Changed            // in the order of the paths, then of their names
	Sources map[string]*hcl.File // of the files that diagnostics are about, by name
	Text    []byte               // what Stream read, in canonical form; nil when it was refused
}

// Files formats the *.sync.hcl and *.syncvars files that paths lead to, which are
// files or directories, relative to dir or absolute; no paths mean dir itself.
// Hidden files of a directory are left out. A file is replaced at once, keeping its
// permissions, and never through a link that leads out of its directory.
//
// The diagnostics name every file that could not be read, parsed or written; such a
// file stays as it is, and the others are formatted nevertheless. The error is the
// cause of a ctx that ended: files that were not begun then are left out.
func Files(ctx context.Context, dir string, paths []string, opt Options) (*Result, hcl.Diagnostics, error) {
	r := &run{opt: opt, seen: map[string]bool{}, result: Result{Sources: map[string]*hcl.File{}}}
	if len(paths) == 0 {
		r.directory(ctx, dir, "")
	}
	for _, name := range paths {
		full := filepath.Clean(name)
		if !filepath.IsAbs(full) {
			full = filepath.Join(dir, full)
		}
		if info, err := os.Stat(full); err == nil && info.IsDir() {
			r.directory(ctx, full, name)
		} else {
			r.named(ctx, full, name)
		}
	}
	return &r.result, r.diags, context.Cause(ctx)
}

// Stream formats what it reads to its end. The file is called <stdin>; it is one of
// the changed ones unless it was in canonical form. The error is that of in.
func Stream(in io.Reader) (*Result, hcl.Diagnostics, error) {
	const name = "<stdin>"
	r := &run{result: Result{Sources: map[string]*hcl.File{}}}
	src, err := files.ReadAll(in)
	if err != nil {
		return &r.result, nil, fmt.Errorf("read %s: %w", name, err)
	}
	formatted, changed := r.source(name, src)
	if r.result.Text = formatted; changed {
		r.result.Changed = []Changed{{name, src, formatted}}
	}
	return &r.result, r.diags, nil
}

// run is one call of Files or Stream.
type run struct {
	opt    Options
	seen   map[string]bool // full paths
	result Result
	diags  hcl.Diagnostics
}

// formattable reports whether a file of this name is in HCL's native syntax.
func formattable(name string) bool {
	return strings.HasSuffix(name, ".sync.hcl") || strings.HasSuffix(name, ".syncvars")
}

// isOpen reports whether a link may lead to a file of this name: one that would be
// formatted by itself.
func isOpen(target string) bool {
	for part := range strings.SplitSeq(target, "/") {
		if strings.HasPrefix(part, ".") {
			return false
		}
	}
	return formattable(target)
}

// directory formats the files of a directory. name is what people call it, "" for
// nothing.
func (r *run) directory(ctx context.Context, full, name string) {
	root, err := os.OpenRoot(full)
	if err != nil {
		called := name
		if called == "" {
			called = full
		}
		r.refuse(nil, files.Unreadable(called, "directory", err))
		return
	}
	defer root.Close()
	_ = fs.WalkDir(root.FS(), ".", func(at string, entry fs.DirEntry, err error) error {
		hidden := at != "." && strings.HasPrefix(path.Base(at), ".")
		switch called := filepath.Join(name, filepath.FromSlash(at)); {
		case err != nil:
			r.refuse(nil, files.Unreadable(called, "directory", err))
			return fs.SkipDir
		case entry.IsDir() && (hidden || at != "." && !r.opt.Recursive):
			return fs.SkipDir
		case !entry.IsDir() && !hidden && formattable(at):
			r.file(ctx, root, at, filepath.Join(full, at), called)
		}
		return nil
	})
}

// named formats a file that was named itself.
func (r *run) named(ctx context.Context, full, name string) {
	if _, err := os.Lstat(full); errors.Is(err, fs.ErrNotExist) {
		r.refuse(nil, errorIn(name, summaryMissing, "There is no file and no directory of this name. Check the path, which begins in the working directory or in that of --chdir."))
		return
	}
	if !formattable(full) {
		r.refuse(nil, errorIn(name, summaryOther, "Files in HCL's native syntax are formatted: *.sync.hcl and *.syncvars. Name one of these or a directory, or give the text to: kmsync fmt -"))
		return
	}
	root, err := os.OpenRoot(filepath.Dir(full))
	if err != nil {
		r.refuse(nil, files.Unreadable(name, "file", err))
		return
	}
	defer root.Close()
	r.file(ctx, root, filepath.Base(full), full, name)
}

// file formats the file at of a directory, which people call name, once.
func (r *run) file(ctx context.Context, root *os.Root, at, full, name string) {
	if r.seen[full] || ctx.Err() != nil {
		return
	}
	r.seen[full] = true
	if target, _, err := resolve(root, at); err == nil && target != at && !isOpen(target) {
		r.refuse(nil, errorIn(name, summaryOther, fmt.Sprintf(
			"The link leads to %s, which is hidden or no *.sync.hcl or *.syncvars file. Remove the link, or give the text to: kmsync fmt -", target)))
		return
	}
	src, diag := files.ReadSource(root.FS(), at)
	if diag != nil {
		diag.Subject.Filename = name
		r.refuse(nil, diag)
		return
	}
	formatted, changed := r.source(name, src)
	if !changed {
		return
	}
	if !r.opt.Check {
		if err := replace(root, at, src, formatted); err != nil {
			r.refuse(nil, unwritable(name, err))
			return
		}
	}
	r.result.Changed = append(r.result.Changed, Changed{name, src, formatted})
}

// source formats what was read, and says whether that changed it. What is refused is
// nil, and has not changed.
func (r *run) source(name string, src []byte) (formatted []byte, changed bool) {
	formatted, diags := Format(name, src)
	if diags.HasErrors() {
		r.refuse(src, diags...)
		return nil, false
	}
	return formatted, !bytes.Equal(src, formatted)
}

// refuse notes what is wrong with a file, and its source for the snippets.
func (r *run) refuse(src []byte, diags ...*hcl.Diagnostic) {
	r.diags = append(r.diags, diags...)
	if src != nil {
		name := diags[0].Subject.Filename
		r.result.Sources[name] = &hcl.File{Bytes: src, Body: hcl.EmptyBody()}
	}
}

// unwritable explains why a file could not be replaced.
func unwritable(name string, err error) *hcl.Diagnostic {
	remedy := "Make the file and its directory writable"
	switch {
	case errors.Is(err, errMoved):
		remedy = "Name the file that it leads to"
	case errors.Is(err, errChanged):
		remedy = "Format it again"
	case errors.Is(err, errCrowded):
		remedy = "Remove them"
	}
	return errorIn(name, summaryUnwritable, fmt.Sprintf(
		"The file stays as it is: %s. %s, or see the changes with: kmsync fmt --check --diff", cause(err), remedy))
}

// errorIn is a mistake that concerns a whole file.
func errorIn(name, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: detail,
		Subject: &hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos},
	}
}
