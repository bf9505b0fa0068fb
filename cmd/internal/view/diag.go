package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
	"github.com/hanzoai/kmsync/planner/codec"
)

// Diagnostics writes mistakes and warnings as people read them, each with its
// file, line and source snippet. files are the sources by name, as config.Config
// has them. Nothing of a file reaches the terminal as a control character. The
// error is that of w.
func Diagnostics(w io.Writer, files map[string]*hcl.File, diags hcl.Diagnostics, style Style) error {
	if len(diags) == 0 {
		return nil
	}
	clean := make(map[string]*hcl.File, len(files))
	for name, file := range files {
		if file != nil {
			clean[sanitize.Text(name)] = &hcl.File{Bytes: maskControls(file.Bytes), Nav: safeNav{file.Nav}}
		}
	}
	var out bytes.Buffer
	writer := hcl.NewDiagnosticTextWriter(&out, clean, uint(max(0, style.Width)), style.Color)
	for i, d := range diags {
		if i == maxShown {
			fmt.Fprintf(&out, "%s more not shown. Mend these first.\n\n", number(len(diags)-maxShown, "mistake"))
			break
		}
		safe := safeDiagnostic(d)
		if safe.Subject != nil && isLong(clean[safe.Subject.Filename], safe.Subject) {
			safe.Detail = fmt.Sprintf("In %s, line %d, column %d: %s", safe.Subject.Filename, safe.Subject.Start.Line, safe.Subject.Start.Column, safe.Detail)
			safe.Subject, safe.Context = nil, nil
		}
		if err := writer.WriteDiagnostic(safe); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

const (
	// maxShown is how many diagnostics are written: a file of one line may hold very
	// many mistakes.
	maxShown = 500
	// maxSnippet is how long, in bytes, the lines of a snippet may be.
	maxSnippet = 4 << 10
)

// isLong reports whether the lines that a snippet would show are too long for one.
func isLong(file *hcl.File, at *hcl.Range) bool {
	if file == nil || at.Start.Byte > len(file.Bytes) || at.End.Byte > len(file.Bytes) || at.End.Byte < at.Start.Byte {
		return false
	}
	begin := bytes.LastIndexByte(file.Bytes[:at.Start.Byte], '\n') + 1
	end := bytes.IndexByte(file.Bytes[at.End.Byte:], '\n')
	if end < 0 {
		end = len(file.Bytes) - at.End.Byte
	}
	return at.End.Byte+end-begin > maxSnippet
}

// safeDiagnostic returns a copy that is safe to print. Its expression is left
// out: hcl would print what it evaluates to.
func safeDiagnostic(d *hcl.Diagnostic) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: d.Severity,
		Summary:  sanitize.Text(d.Summary),
		Detail:   sanitizeLines(d.Detail),
		Subject:  safeRange(d.Subject),
		Context:  safeRange(d.Context),
	}
}

func safeRange(r *hcl.Range) *hcl.Range {
	if r == nil {
		return nil
	}
	clean := *r
	clean.Filename = sanitize.Text(r.Filename)
	return &clean
}

// sanitizeLines keeps the line breaks that hcl's own parser puts into details.
func sanitizeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = sanitize.Text(line)
	}
	return strings.Join(lines, "\n")
}

// maskControls replaces what a terminal might obey by as many question marks as
// it had bytes, so that ranges still point where they did. Line ends stay.
func maskControls(source []byte) []byte {
	clean := bytes.Clone(source)
	for i := 0; i < len(clean); {
		r, size := utf8.DecodeRune(clean[i:])
		switch {
		case r == '\n' || r == '\r' && bytes.HasPrefix(clean[i:], []byte("\r\n")):
		case r == '\t':
			clean[i] = ' '
		case sanitize.IsUnsafe(r) || r == utf8.RuneError && size == 1:
			copy(clean[i:i+size], "????")
		}
		i += size
	}
	return clean
}

// safeNav keeps "in sync "x"" beside a line, without what a label could smuggle.
type safeNav struct{ nav any }

// ContextString is what hcl asks for the block at an offset.
func (n safeNav) ContextString(offset int) string {
	if nav, ok := n.nav.(interface{ ContextString(int) string }); ok {
		return sanitize.Text(nav.ContextString(offset))
	}
	return ""
}

// DiagnosticsJSON writes mistakes and warnings as programs read them: one JSON
// document, whether there are any or not. Lines and columns count from 1. The
// error is that of w.
func DiagnosticsJSON(w io.Writer, diags hcl.Diagnostics) error {
	return writeJSON(w, documentOf(diags))
}

func documentOf(diags hcl.Diagnostics) diagnosticsDocument {
	document := diagnosticsDocument{FormatVersion: codec.FormatVersion, Diagnostics: []diagnosticDocument{}}
	for _, d := range diags {
		severity := "error"
		if d.Severity == hcl.DiagWarning {
			severity = "warning"
			document.Warnings++
		} else {
			document.Errors++
		}
		document.Diagnostics = append(document.Diagnostics, diagnosticDocument{
			Severity: severity, Summary: d.Summary, Detail: d.Detail, Range: rangeOf(d.Subject),
		})
	}
	document.Valid = document.Errors == 0
	return document
}

type diagnosticsDocument struct {
	FormatVersion string               `json:"format_version"`
	Valid         bool                 `json:"valid"`
	Errors        int                  `json:"error_count"`
	Warnings      int                  `json:"warning_count"`
	Diagnostics   []diagnosticDocument `json:"diagnostics"`
}

type diagnosticDocument struct {
	Severity string         `json:"severity"`
	Summary  string         `json:"summary"`
	Detail   string         `json:"detail"`
	Range    *rangeDocument `json:"range"`
}

type rangeDocument struct {
	Filename  string `json:"filename"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
}

func rangeOf(r *hcl.Range) *rangeDocument {
	if r == nil {
		return nil
	}
	return &rangeDocument{
		Filename: r.Filename, Line: r.Start.Line, Column: r.Start.Column,
		EndLine: r.End.Line, EndColumn: r.End.Column,
	}
}

func writeJSON(w io.Writer, document any) error {
	text, err := codec.JSON(document, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
