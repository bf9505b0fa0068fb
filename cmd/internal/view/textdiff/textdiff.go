// Package textdiff finds what differs between two texts, line by line, as unified
// diffs show it.
package textdiff

import (
	"fmt"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

const (
	// contextLines is how many equal lines stand around a change.
	contextLines = 3
	// chunkLines is how many lines are compared at a time where both texts have the
	// same number of them: the work grows with the square of what differs.
	chunkLines = 64
)

// Line is one line of a diff: ' ' for both texts, '-' for the old one only, '+' for
// the new one only. The text has its line break, if it has one.
type Line struct {
	Sign byte
	Text string
}

// Hunk is a stretch of a diff with three lines of context around its changes.
type Hunk struct {
	Lines              []Line
	oldStart, newStart int // line numbers from 1
}

// Hunks returns how a text becomes another, in the order of the lines; nothing for
// equal texts.
func Hunks(before, after string) []Hunk { return group(compare(before, after)) }

// compare returns the lines of both texts in the order of the diff.
func compare(before, after string) []Line {
	olds, news := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	if len(olds) != len(news) {
		return compareLines(before, after)
	}
	var lines []Line
	for at := 0; at < len(olds); at += chunkLines {
		end := min(at+chunkLines, len(olds))
		lines = append(lines, compareLines(strings.Join(olds[at:end], ""), strings.Join(news[at:end], ""))...)
	}
	return lines
}

func compareLines(before, after string) []Line {
	differ := diffmatchpatch.New()
	differ.DiffTimeout = 0 // the clock must not decide what is shown
	olds, news, texts := differ.DiffLinesToRunes(before, after)
	var lines []Line
	for _, part := range differ.DiffCharsToLines(differ.DiffMainRunes(olds, news, false), texts) {
		sign := map[diffmatchpatch.Operation]byte{diffmatchpatch.DiffDelete: '-', diffmatchpatch.DiffInsert: '+'}[part.Type]
		if sign == 0 {
			sign = ' '
		}
		for text := range strings.SplitAfterSeq(part.Text, "\n") {
			if text != "" {
				lines = append(lines, Line{sign, text})
			}
		}
	}
	return lines
}

// Header is the line that begins a hunk: where it stands in both texts.
func (h Hunk) Header() string {
	olds, news := 0, 0
	for _, l := range h.Lines {
		if l.Sign != '+' {
			olds++
		}
		if l.Sign != '-' {
			news++
		}
	}
	return "@@ -" + span(h.oldStart, olds) + " +" + span(h.newStart, news) + " @@"
}

// span is a range of lines as diffs write it: one line has no count, and none is
// said to follow the line before.
func span(start, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", start-1)
	case 1:
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, count)
}

// group joins changes whose context touches.
func group(lines []Line) []Hunk {
	var found []Hunk
	end := 0 // behind the last hunk
	oldLine, newLine := 1, 1
	for i, l := range lines {
		if l.Sign != ' ' {
			from := max(end, i-contextLines)
			if len(found) == 0 || i-contextLines > end {
				found = append(found, Hunk{oldStart: oldLine - (i - from), newStart: newLine - (i - from)})
			}
			to := min(len(lines), i+1+contextLines)
			h := &found[len(found)-1]
			h.Lines = append(h.Lines, lines[from:to]...)
			end = to
		}
		if l.Sign != '+' {
			oldLine++
		}
		if l.Sign != '-' {
			newLine++
		}
	}
	return found
}
