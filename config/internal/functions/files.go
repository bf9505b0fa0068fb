package functions

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

const (
	maxFile  = 1 << 20 // bytes that a file may hold
	maxNames = 10_000  // that fileset may return
	// ledgerDir holds what kmsync remembers: it is none of the configuration's
	// business.
	ledgerDir = ".kmsync"
)

// files returns the functions that read files of a directory.
func files(dir fs.FS) map[string]function.Function {
	return map[string]function.Function{
		"file": onText(func(name string) (string, error) { return read(dir, name) }),
		"fileexists": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				found, err := exists(dir, args[0].AsString())
				if err != nil {
					return cty.NilVal, function.NewArgError(0, err)
				}
				return cty.BoolVal(found), nil
			},
		}),
		"fileset": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Set(cty.String)),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return set(dir, args[0].AsString(), args[1].AsString())
			},
		}),
	}
}

// clean returns a path below the directory, or why it is not one.
func clean(name string) (string, error) {
	cleaned := path.Clean(name)
	switch {
	case name == "":
		return "", errors.New("the path is empty")
	case strings.ContainsAny(name, "\\\x00"):
		return "", errors.New("the path holds a backslash or a NUL byte; write it with slashes")
	case path.IsAbs(name):
		return "", errors.New("the path is absolute; write it as seen from the directory of the configuration")
	case !fs.ValidPath(cleaned):
		return "", errors.New("the path leads out of the directory of the configuration")
	case inLedger(cleaned):
		return "", errors.New("the path leads into .kmsync, which only kmsync reads")
	}
	return cleaned, nil
}

func inLedger(cleaned string) bool {
	for part := range strings.SplitSeq(cleaned, "/") {
		if strings.EqualFold(part, ledgerDir) {
			return true
		}
	}
	return false
}

// open opens a regular file below the directory. That no link leads out of it, or
// into the ledger's folder, is checked on what was opened.
func open(dir fs.FS, name string) (fs.File, error) {
	cleaned, err := clean(name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(dir, cleaned)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", cleaned)
	}
	if err != nil {
		return nil, explain(cleaned, err)
	}
	if sameAsAny(ledgerFiles(dir), info) {
		return nil, fmt.Errorf("%s is a link into .kmsync, which only kmsync reads", cleaned)
	}
	file, err := dir.Open(cleaned)
	if err != nil {
		return nil, explain(cleaned, err)
	}
	return file, nil
}

func read(dir fs.FS, name string) (string, error) {
	file, err := open(dir, name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return "", explain(path.Clean(name), err)
	case len(content) > maxFile:
		return "", fmt.Errorf("%s holds more than %d bytes", path.Clean(name), maxFile)
	case !utf8.Valid(content) || strings.ContainsRune(string(content), 0):
		return "", fmt.Errorf("%s is no text in UTF-8", path.Clean(name))
	}
	return string(content), nil
}

func exists(dir fs.FS, name string) (bool, error) {
	file, err := open(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, file.Close()
}

// set returns the files below base that a pattern matches, by their paths below
// base: what file can read. Links count if they lead to a file of the directory.
func set(dir fs.FS, base, pattern string) (cty.Value, error) {
	cleaned, err := clean(base)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, err)
	}
	if !doublestar.ValidatePattern(pattern) || path.IsAbs(pattern) || strings.Contains("/"+pattern+"/", "/../") {
		return cty.NilVal, function.NewArgErrorf(1, "the pattern is not valid, or leads out of the directory")
	}
	below, err := fs.Sub(dir, cleaned)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, explain(cleaned, err))
	}
	ledger := ledgerFiles(dir)
	var names []cty.Value
	err = doublestar.GlobWalk(below, pattern, func(name string, _ fs.DirEntry) error {
		full := path.Join(cleaned, name)
		info, err := fs.Stat(dir, full)
		switch {
		case err != nil || !info.Mode().IsRegular() || inLedger(full) || sameAsAny(ledger, info):
			return nil
		case len(names) >= maxNames:
			return fmt.Errorf("the pattern matches more than %d files", maxNames)
		}
		names = append(names, cty.StringVal(name))
		return nil
	}, doublestar.WithNoFollow())
	if err != nil {
		return cty.NilVal, function.NewArgError(1, explain(pattern, err))
	}
	if len(names) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(names), nil
}

// ledgerFiles returns the files of the ledger, which may be reached by other names.
func ledgerFiles(dir fs.FS) []fs.FileInfo {
	var files []fs.FileInfo
	_ = fs.WalkDir(dir, ledgerDir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return nil // not readable: then not readable by another name either
		}
		if info, err := fs.Stat(dir, name); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
		return nil
	})
	return files
}

// sameAsAny reports whether a file is one of others.
func sameAsAny(others []fs.FileInfo, info fs.FileInfo) bool {
	return slices.ContainsFunc(others, func(other fs.FileInfo) bool { return os.SameFile(other, info) })
}

// explain says what is wrong with a file without the system's words.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fileError{fmt.Sprintf("there is no file %s", name), fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not read %s", name)
	}
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return fmt.Errorf("%s cannot be read, or is a link out of the directory", name)
	}
	return err
}

// fileError is a text for people with the error behind it.
type fileError struct {
	text  string
	cause error
}

func (e *fileError) Error() string { return e.text }
func (e *fileError) Unwrap() error { return e.cause }
