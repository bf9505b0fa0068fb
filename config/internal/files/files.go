// Package files reads the files of a configuration: which of a directory count,
// what is refused before HCL sees it, and the parsed rest.
package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

const (
	nativeSuffix = ".sync.hcl"
	jsonSuffix   = ".sync.json"
	inputsSuffix = ".auto.syncvars"
	// maxFileSize is far beyond what people write, and keeps a wrong file out.
	maxFileSize = 1 << 20
)

const (
	summaryNoFiles       = "No configuration files"
	summaryUnreadable    = "Cannot read the configuration"
	summaryLink          = "Link out of the directory"
	summaryTooLarge      = "File too large"
	summaryEncoding      = "Not a UTF-8 file"
	summaryByteOrderMark = "Byte order mark"
	summaryNesting       = "Expression too complex"
)

// File is one file of a configuration.
type File struct {
	Name   string
	Parsed *hcl.File // nil when the file could not be read
	Broken bool      // what Parsed holds is not all that was written
}

// Open returns the directory as a file system in which no path and no link leads
// out of it. The caller calls the returned function when done.
func Open(dir string) (fs.FS, func(), *hcl.Diagnostic) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, Unreadable(dir, "directory", err)
	}
	return root.FS(), func() { _ = root.Close() }, nil
}

// Read reads and parses the files of a directory, sorted by name. dir is what
// diagnostics call the directory; file names in them are relative to it.
func Read(fsys fs.FS, dir string) ([]File, hcl.Diagnostics) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return []File{{Name: dir, Broken: true}}, hcl.Diagnostics{Unreadable(dir, "directory", err)}
	}
	var found []File
	var diags hcl.Diagnostics
	for _, entry := range entries {
		name := entry.Name()
		native := strings.HasSuffix(name, nativeSuffix)
		if entry.IsDir() || strings.HasPrefix(name, ".") || !native && !strings.HasSuffix(name, jsonSuffix) {
			continue
		}
		parsed, mistakes := readFile(fsys, name, native)
		found = append(found, File{Name: name, Parsed: parsed, Broken: mistakes.HasErrors()})
		diags = append(diags, mistakes...)
	}
	if len(found) == 0 {
		diags = append(diags, errorAt(fileStart(dir), summaryNoFiles, "The directory holds no *.sync.hcl and no *.sync.json file. Create main.sync.hcl in it, with a kms, a connection and a sync block."))
	}
	return found, diags
}

// ReadInputs reads and parses the *.auto.syncvars files of a directory, sorted by
// name. A directory that cannot be read has none: Read reports it.
func ReadInputs(fsys fs.FS) ([]File, hcl.Diagnostics) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, nil
	}
	var found []File
	var diags hcl.Diagnostics
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || strings.HasPrefix(name, ".") || !strings.HasSuffix(name, inputsSuffix) {
			continue
		}
		parsed, mistakes := readFile(fsys, name, true)
		found = append(found, File{Name: name, Parsed: parsed, Broken: mistakes.HasErrors()})
		diags = append(diags, mistakes...)
	}
	return found, diags
}

// Parse parses a file in HCL's native syntax that was read elsewhere. It refuses
// what [Read] refuses.
func Parse(name string, src []byte) (File, hcl.Diagnostics) {
	if len(src) > maxFileSize {
		return File{Name: name, Broken: true}, hcl.Diagnostics{tooLarge(name)}
	}
	parsed, diags := parse(name, src, true)
	return File{Name: name, Parsed: parsed, Broken: diags.HasErrors()}, diags
}

// readFile reads and parses one file. The file is nil when it could not be read.
func readFile(fsys fs.FS, name string, native bool) (*hcl.File, hcl.Diagnostics) {
	src, diag := ReadSource(fsys, name)
	if diag != nil {
		return nil, hcl.Diagnostics{diag}
	}
	return parse(name, src, native)
}

// parse parses a file in HCL's native syntax or in JSON.
func parse(name string, src []byte, native bool) (*hcl.File, hcl.Diagnostics) {
	unparsed := &hcl.File{Bytes: src, Body: hcl.EmptyBody()}
	if diag := checkEncoding(name, src); diag != nil {
		return unparsed, hcl.Diagnostics{diag}
	}
	check, parser := checkNesting, parseNative
	if !native {
		check, parser = checkJSON, parseJSON
	}
	if diag := check(name, src); diag != nil {
		return unparsed, hcl.Diagnostics{diag}
	}
	file, diags := parser(src, name)
	for _, diag := range diags {
		if diag.Subject == nil {
			diag.Subject = fileStart(name).Ptr()
		}
	}
	if file == nil {
		file = unparsed
	}
	file.Bytes = src
	return file, diags
}

func parseNative(src []byte, name string) (*hcl.File, hcl.Diagnostics) {
	return hclsyntax.ParseConfig(src, name, hcl.InitialPos)
}

// parseJSON reports the first mistake only: the others follow from it.
func parseJSON(src []byte, name string) (*hcl.File, hcl.Diagnostics) {
	file, diags := json.Parse(src, name)
	if len(diags) > 0 {
		diags = diags[:1]
		diags[0].Detail += " Correct the JSON."
	}
	return file, diags
}

// ReadSource reads the bytes of one file, which must be a regular one, or a link to
// one inside of fsys.
func ReadSource(fsys fs.FS, name string) ([]byte, *hcl.Diagnostic) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, Unreadable(name, "file", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errorAt(fileStart(name), summaryUnreadable, "This is not a regular file. Put the configuration into a plain file, or rename this.")
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, Unreadable(name, "file", err)
	}
	defer file.Close()
	src, err := ReadAll(file)
	if err != nil {
		return nil, Unreadable(name, "file", err)
	}
	if len(src) > maxFileSize {
		return nil, tooLarge(name)
	}
	return src, nil
}

// ReadAll reads to the end, or one byte more than a file may hold, so that [Parse]
// notices.
func ReadAll(in io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(in, maxFileSize+1)) }

func tooLarge(name string) *hcl.Diagnostic {
	return errorAt(fileStart(name), summaryTooLarge, fmt.Sprintf("A file may hold %d bytes. Split it into several.", maxFileSize))
}

// Unreadable explains a failure of the file system without its words, which
// differ between systems. what is "file" or "directory".
func Unreadable(name, what string, err error) *hcl.Diagnostic {
	summary, detail := summaryUnreadable, fmt.Sprintf("The %s cannot be read. Check the disk, and that it is a %s.", what, what)
	switch {
	case errors.Is(err, fs.ErrPermission):
		detail = fmt.Sprintf("This user may not read the %s. Change its permissions.", what)
	case errors.Is(err, fs.ErrNotExist) && what == "directory":
		detail = "The directory does not exist. Name one that holds *.sync.hcl files."
	case errors.Is(err, fs.ErrNotExist):
		detail = "This is a link to a file that does not exist. Mend or remove the link."
	case isEscape(err):
		summary = summaryLink
		detail = "This link leads out of the directory, or is absolute. Copy the file into the directory, or link it by a relative path inside."
	}
	return errorAt(fileStart(name), summary, detail)
}

// isEscape recognises the error of [os.Root] for a path that leaves the root; it
// has no exported value (Go 1.26, os/root.go).
func isEscape(err error) bool {
	pathErr, ok := errors.AsType[*fs.PathError](err)
	return ok && pathErr.Err != nil && pathErr.Err.Error() == "path escapes from parent"
}

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	// replacement is what decoding shows for broken bytes, and may be written too.
	replacement = []byte(string(utf8.RuneError))
)

// checkEncoding finds what HCL would refuse in less clear words, and zero bytes,
// which it takes.
func checkEncoding(name string, src []byte) *hcl.Diagnostic {
	if bytes.HasPrefix(src, byteOrderMark) {
		return errorAt(fileStart(name), summaryByteOrderMark, "The file begins with a byte order mark, which HCL does not allow. Save it as UTF-8 without one.")
	}
	at := hcl.InitialPos
	for i, r := range string(src) {
		if r == 0 || r == utf8.RuneError && !bytes.HasPrefix(src[i:], replacement) {
			at.Byte = i
			return errorAt(hcl.Range{Filename: name, Start: at, End: at}, summaryEncoding, "Here is a byte that is no text in UTF-8. Save the file as UTF-8.")
		}
		at.Column++
		if r == '\n' {
			at.Line, at.Column = at.Line+1, 1
		}
	}
	return nil
}

func fileStart(name string) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}

func errorAt(subject hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}
