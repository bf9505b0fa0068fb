package textdiff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// render is a diff as it is printed, without the names.
func render(hunks []Hunk) string {
	var b strings.Builder
	for _, h := range hunks {
		b.WriteString(h.Header() + "\n")
		for _, l := range h.Lines {
			b.WriteString(string(l.Sign) + l.Text)
		}
	}
	return b.String()
}

// numbered is lines "1" to "n", some of them replaced; "" leaves a line out.
func numbered(n int, changed map[int]string) string {
	var b strings.Builder
	for i := range n {
		text, ok := changed[i+1]
		if !ok {
			text = fmt.Sprintf("%d\n", i+1)
		}
		b.WriteString(text)
	}
	return b.String()
}

func TestHunks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after, want string }{
		"equal":               {"a\nb\n", "a\nb\n", ""},
		"both empty":          {"", "", ""},
		"new":                 {"", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
		"gone":                {"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
		"one line":            {"a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"},
		"context":             {numbered(9, nil), numbered(9, map[int]string{5: "x\n"}), "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
		"inserted":            {numbered(9, nil), numbered(9, map[int]string{5: "5\nx\n"}), "@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+x\n 6\n 7\n 8\n"},
		"after other inserts": {numbered(20, nil), numbered(20, map[int]string{1: "x\n1\n", 15: ""}), "@@ -1,3 +1,4 @@\n+x\n 1\n 2\n 3\n@@ -12,7 +13,6 @@\n 12\n 13\n 14\n-15\n 16\n 17\n 18\n"},
		"context that touches": {
			numbered(14, nil), numbered(14, map[int]string{4: "x\n", 11: "y\n"}),
			"@@ -1,14 +1,14 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n 7\n 8\n 9\n 10\n-11\n+y\n 12\n 13\n 14\n",
		},
		"context that does not": {
			numbered(15, nil), numbered(15, map[int]string{4: "x\n", 12: "y\n"}),
			"@@ -1,7 +1,7 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n 7\n@@ -9,7 +9,7 @@\n 9\n 10\n 11\n-12\n+y\n 13\n 14\n 15\n",
		},
	} {
		if diff := cmp.Diff(c.want, render(Hunks(c.before, c.after))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestHunksApply: what hunks say, done to the old text at the lines they name, gives
// the new one, also across what is compared at a time.
func TestHunksApply(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		before := make([]string, random.IntN(3*chunkLines))
		for i := range before {
			before[i] = fmt.Sprintf("%d\n", random.IntN(20))
		}
		after := slices.Clone(before)
		for range random.IntN(10) {
			if at := random.IntN(len(after) + 1); random.IntN(2) == 0 && at < len(after) {
				after = slices.Delete(after, at, at+1)
			} else {
				after = slices.Insert(after, at, fmt.Sprintf("%d\n", random.IntN(20)))
			}
		}
		want := strings.Join(after, "")
		if got := apply(t, before, Hunks(strings.Join(before, ""), want)); got != want {
			t.Fatalf("%s", cmp.Diff(want, got))
		}
	}
}

func apply(t *testing.T, before []string, hunks []Hunk) string {
	t.Helper()
	var out []string
	at := 0
	for _, h := range hunks {
		var oldStart, oldCount, newStart, newCount int
		header := strings.NewReplacer("@@", "", "-", "", "+", "", ",", " ").Replace(h.Header())
		if n, _ := fmt.Sscan(header, &oldStart, &oldCount, &newStart, &newCount); n < 4 {
			oldStart, newStart = h.oldStart, h.newStart // a count of one is left out
		} else if oldCount == 0 {
			oldStart++
		} else if newCount == 0 {
			newStart++
		}
		out = append(out, before[at:oldStart-1]...)
		at = oldStart - 1
		if len(out) != newStart-1 {
			t.Fatalf("%s begins at line %d of the new text", h.Header(), len(out)+1)
		}
		for _, l := range h.Lines {
			if l.Sign != '+' {
				if before[at] != l.Text {
					t.Fatalf("%s: %q is not %q", h.Header(), l.Text, before[at])
				}
				at++
			}
			if l.Sign != '-' {
				out = append(out, l.Text)
			}
		}
	}
	return strings.Join(append(out, before[at:]...), "")
}

// TestManyLines: very many lines, all of them changed, are compared in seconds.
func TestManyLines(t *testing.T) {
	t.Parallel()
	const n = 100_000
	before, after := strings.Repeat("a=1\n", n), strings.Repeat("a = 1\n", n)
	lines := 0
	for _, h := range Hunks(before, after) {
		lines += len(h.Lines)
	}
	if lines != 2*n {
		t.Errorf("%d lines", lines)
	}
}
