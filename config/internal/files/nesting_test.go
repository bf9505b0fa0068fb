package files

import (
	"strings"
	"testing"
	"testing/fstest"
)

// padding makes a file large enough to be looked at.
var padding = "\n#" + strings.Repeat(".", harmless)

func TestNesting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source string
		refuse bool
	}{
		"long list":          {"protect = [" + strings.Repeat("\"A_*\",\n", 2000) + "]\n", false},
		"long map":           {"x = {\n" + strings.Repeat("a = 1\n", 2000) + "}\n", false},
		"many blocks":        {strings.Repeat("a \"b\" {\n  c = \"${d.e}\"\n}\n", 2000), false},
		"long comment":       {strings.Repeat("# ((((((\n", 2000), false},
		"heredoc":            {"x = <<E\n" + strings.Repeat("((( ${a}\n", 100) + "E\n", false},
		"parentheses":        {"x = " + strings.Repeat("(", 64), true},
		"over many lines":    {"x = " + strings.Repeat("(\n", 64), true},
		"blocks":             {strings.Repeat("a {\n", 64), true},
		"templates":          {"x = " + strings.Repeat("\"${", 40), true},
		"heredocs":           {strings.Repeat("x = <<E\n${", 40), true},
		"signs":              {"x = " + strings.Repeat("-", 513), true},
		"sums":               {"x = 1" + strings.Repeat("+1", 513), true},
		"choices":            {"x = " + strings.Repeat("a?b:", 300), true},
		"steps":              {"x = a" + strings.Repeat("[0]", 513), true},
		"directives":         {"x = \"" + strings.Repeat("%{if a}", 513), true},
		"sum over lines":     {"x = (1" + strings.Repeat("+\n1", 513) + ")", true},
		"sum of calls":       {"x = 1" + strings.Repeat("+f(1,2)", 513), true},
		"signs inside calls": {"x = f(1, " + strings.Repeat("!", 513) + "a)", true},
	} {
		if diag := checkNesting("main.sync.hcl", []byte(c.source+padding)); (diag != nil) != c.refuse {
			t.Errorf("%s: %v", name, diag)
		}
	}
}

// TestHarmless: what is not looked at is parsed, and does not overflow the stack.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"(", "!", "f(", "\"${", "a{\n"} {
		source := []byte("x = " + strings.Repeat(part, harmless))[:harmless]
		if couldNest(source) {
			t.Errorf("%q is looked at", part)
		}
		if file, diags := readFile(fstest.MapFS{"main.sync.hcl": {Data: source}}, "main.sync.hcl", true); file == nil || !diags.HasErrors() {
			t.Errorf("%q: %v", part, diags)
		}
	}
}
