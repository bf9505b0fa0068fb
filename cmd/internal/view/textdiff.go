package view

import (
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/view/textdiff"
	"github.com/hanzoai/kmsync/config/format"
)

// Formatted writes the names of files that were not in canonical form, one a line, and
// with diff what differs in each, as a unified diff. The error is that of w.
func Formatted(w io.Writer, found *format.Result, diff bool, style Style) error {
	out := &page{style: style}
	for _, file := range found.Changed {
		out.line(plain, file.Name)
		if diff {
			out.textDiff(file.Name, string(file.Before), string(file.After))
		}
	}
	return out.flush(w)
}

// textDiff writes how a text becomes another as a unified diff. It is not for secret
// values: everything in the texts is shown.
func (p *page) textDiff(name, before, after string) {
	p.line(bold, "--- a/"+name)
	p.line(bold, "+++ b/"+name)
	for _, hunk := range textdiff.Hunks(before, after) {
		p.line(dim, hunk.Header())
		for _, line := range hunk.Lines {
			p.diffLine(line)
		}
	}
}

// diffLine writes one line. Tabs and its line end stay as they are, so that the diff
// can be applied; a terminal only moves by them.
func (p *page) diffLine(l textdiff.Line) {
	c := map[byte]colour{'-': red, '+': green}[l.Sign]
	text, ended := strings.CutSuffix(l.Text, "\n")
	text, carriage := strings.CutSuffix(text, "\r")
	for i, part := range strings.Split(string(l.Sign)+text, "\t") {
		if i > 0 {
			p.text.WriteByte('\t')
		}
		p.put(c, part)
	}
	if carriage {
		p.text.WriteByte('\r')
	}
	p.text.WriteByte('\n')
	if !ended {
		p.line(plain, `\ No newline at end of file`)
	}
}

// FormattedJSON writes which files were not in canonical form as programs read it: the
// document of [DiagnosticsJSON] with two fields more. written says whether those files
// are formatted now. The error is that of w.
func FormattedJSON(w io.Writer, found *format.Result, written bool, diags hcl.Diagnostics) error {
	document := formattedDocument{diagnosticsDocument: documentOf(diags), Written: written, Changed: []string{}}
	for _, file := range found.Changed {
		document.Changed = append(document.Changed, file.Name)
	}
	return writeJSON(w, document)
}

type formattedDocument struct {
	diagnosticsDocument
	Written bool     `json:"written"`
	Changed []string `json:"changed"`
}
