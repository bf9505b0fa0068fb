package view

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config/format"
)

// found is a result with one file that was not formatted.
func found(name, before, after string) *format.Result {
	return &format.Result{Changed: []format.Changed{{Name: name, Before: []byte(before), After: []byte(after)}}}
}

func TestFormatted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result *format.Result
		diff   bool
		style  Style
		want   string
	}{
		"nothing":     {&format.Result{}, true, Style{}, ""},
		"names":       {found("sub/a.sync.hcl", "a=1\n", "a = 1\n"), false, Style{}, "sub/a.sync.hcl\n"},
		"hostile":     {found("\x1b[2J.sync.hcl", "", ""), false, Style{}, "\\x1b[2J.sync.hcl\n"},
		"diff":        {found("a", "x\na=1\n", "x\na = 1\n"), true, Style{}, "a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\n-a=1\n+a = 1\n"},
		"no line end": {found("a", "a=1", "a = 1"), true, Style{}, "a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a=1\n\\ No newline at end of file\n+a = 1\n\\ No newline at end of file\n"},
		"blanks stay": {found("a", "\ta\t=1\r\n", "a = 1\r\n"), true, Style{}, "a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-\ta\t=1\r\n+a = 1\r\n"},
		"unsafe text": {found("a", "a=1#\x1b[2J\u202e\rb\n", "a = 1 #\x1b[2J\u202e\rb\n"), true, Style{}, "a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a=1#\\x1b[2J\\u202e\\x0db\n+a = 1 #\\x1b[2J\\u202e\\x0db\n"},
		"colour": {
			found("a", "x\na=1\n", "x\na = 1\n"), true,
			Style{Color: true},
			"a\n\x1b[1m--- a/a\x1b[0m\n\x1b[1m+++ b/a\x1b[0m\n\x1b[2m@@ -1,2 +1,2 @@\x1b[0m\n x\n\x1b[31m-a=1\x1b[0m\n\x1b[32m+a = 1\x1b[0m\n",
		},
	} {
		var out strings.Builder
		if err := Formatted(&out, c.result, c.diff, c.style); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if err := Formatted(failing{}, found("a", "", ""), false, Style{}); err == nil {
		t.Error("a failed write is not told")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }
