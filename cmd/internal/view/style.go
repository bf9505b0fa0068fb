package view

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
)

// Style says how text may look where it goes.
type Style struct {
	Color bool
	// Width is the columns that text is wrapped to; 0 never wraps. Source
	// snippets and whatever has no blank to break at may be wider.
	Width int
	// Applying says that the run goes on to apply the plan it shows, so that
	// nobody need be told to.
	Applying bool
	// Destroying: what ends is a destroy, and not an apply.
	Destroying bool
	// Full lists every change under its sync, also what many have alike.
	Full bool
	// Flags end the command that applies what the plan shows, each after a blank.
	Flags string
	// MaxDeletes is --max-deletes as it was given, after a blank, or "": a hint that
	// names another number leaves it out.
	MaxDeletes string
}

// A colour is the parameter of an ANSI escape sequence (ECMA-48, SGR).
type colour string

const (
	plain  colour = ""
	bold   colour = "1"
	dim    colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

// page collects one output. Everything that is written passes its methods, so
// that nothing unsafe gets by.
type page struct {
	style Style
	text  strings.Builder
}

// put adds text to the current line.
func (p *page) put(c colour, text string) {
	text = sanitize.Text(text)
	if p.style.Color && c != plain && text != "" {
		text = "\x1b[" + string(c) + "m" + text + "\x1b[0m"
	}
	p.text.WriteString(text)
}

// line adds text and ends the line.
func (p *page) line(c colour, text string) {
	p.put(c, text)
	p.text.WriteByte('\n')
}

// hang ends a line of which indent columns are filled already with text, wrapped
// so that each further line begins at that column.
func (p *page) hang(c colour, indent int, text string) {
	for i, part := range wrap(sanitize.Text(text), p.room(indent)) {
		if i > 0 {
			p.put(plain, strings.Repeat(" ", indent))
		}
		p.line(c, part)
	}
}

// paragraph writes a word in colour and text, wrapped, from a new line on.
func (p *page) paragraph(c colour, word, text string) {
	const indent = 2
	for i, part := range wrap(sanitize.Text(word+" "+text), p.room(indent)) {
		if i > 0 {
			p.line(plain, strings.Repeat(" ", indent)+part)
			continue
		}
		p.put(c, word)
		p.line(plain, strings.TrimPrefix(part, word))
	}
}

// room is how wide text may be beside indent columns, or 0 for any width.
func (p *page) room(indent int) int {
	if room := p.style.Width - indent; room >= minRoom {
		return room
	}
	return 0
}

// minRoom is how narrow a column may be and still be wrapped.
const minRoom = 24

// flush writes the page at once.
func (p *page) flush(w io.Writer) error {
	_, err := io.WriteString(w, p.text.String())
	return err
}

// wrap breaks text at blanks into lines of at most width runes, longer words
// apart; a width of 0 breaks nothing. There is always one line.
func wrap(text string, width int) []string {
	words := strings.Fields(text)
	if width == 0 || len(words) == 0 {
		return []string{text}
	}
	lines := words[:1:1]
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		if columns(*last)+1+columns(word) <= width {
			*last += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// columns counts runes: names of variables and paths are narrow letters.
func columns(text string) int { return utf8.RuneCountInString(text) }

// pad fills text up with blanks.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// widest returns the width of the widest text, at most maxColumn.
func widest[T any](items []T, text func(T) string) int {
	width := 0
	for _, item := range items {
		width = max(width, columns(sanitize.Text(text(item))))
	}
	return min(width, maxColumn)
}

// maxColumn is how far one long name may push what stands beside the others.
const maxColumn = 40
