package format

import (
	"strings"
	"testing"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, want string }{
		"indentation":                        {"sync \"a\" {\nsource {\n      environment=\"dev\"\n  }\n}\n", "sync \"a\" {\n  source {\n    environment = \"dev\"\n  }\n}\n"},
		"alignment":                          {"a = 1\nlong=2 # x\n\nb   = 3\n", "a    = 1\nlong = 2 # x\n\nb = 3\n"},
		"comments":                           {"  # one\n//two\na=/* three */1   #four\n/* five\n   six */\n", "# one\n//two\na = /* three */ 1 #four\n/* five\n   six */\n"},
		"tabs":                               {"a {\n\tb\t=\t[\n\t\t1,2]\n}\n", "a {\n  b = [\n  1, 2]\n}\n"},
		"templates":                          {"a=\"  ${  b  }  \"\n", "a = \"  ${b}  \"\n"},
		"heredocs":                           {"a=<<-E\n     b  = ${ c }\n   E\n", "a = <<-E\n     b  = ${c}\n   E\n"},
		"empty lines":                        {"\n\n\na=1\n\n\n", "\n\n\na = 1\n\n\n"},
		"no last line end":                   {"a=1", "a = 1"},
		"nothing":                            {"", ""},
		"CRLF stays":                         {"a {\r\nb=1 # x\r\n\r\n}\r\n", "a {\r\n  b = 1 # x\r\n\r\n}\r\n"},
		"mixed line ends":                    {"a=1\r\nb=2\n", "a = 1\r\nb = 2\n"},
		"what would change its tokens stays": {"a=b. 0. 1\n", "a=b. 0. 1\n"},
	} {
		formatted, diags := Format("main.sync.hcl", []byte(c.source))
		if diags.HasErrors() || string(formatted) != c.want {
			t.Errorf("%s: %v\n%q\n%q", name, diags, formatted, c.want)
		}
		checkFormatted(t, []byte(c.source), formatted)
	}
}

// TestFormatRefuses: what is no configuration file has a place and no result.
func TestFormatRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source, summary string
		line            int
	}{
		"syntax":          {"a = 1\n\nb = {\n", "Missing expression", 4},
		"byte order mark": {"\xef\xbb\xbfa = 1\n", "Byte order mark", 1},
		"other encoding":  {"a = 1\nb = \"\xe4\"\n", "Not a UTF-8 file", 2},
		"zero byte":       {"a = 1\n#\x00\n", "Not a UTF-8 file", 2},
		"size":            {strings.Repeat("a = 1\n", 200_000), "File too large", 1},
		"nesting":         {"# " + strings.Repeat(".", 10_000) + "\na = " + strings.Repeat("(", 100) + "\n", "Expression too complex", 2},
	} {
		formatted, diags := Format("main.sync.hcl", []byte(c.source))
		if formatted != nil || !diags.HasErrors() {
			t.Errorf("%s: not refused, %q", name, formatted)
			continue
		}
		if d := diags[0]; d.Subject.Filename != "main.sync.hcl" || d.Subject.Start.Line != c.line || !strings.Contains(d.Summary, c.summary) {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestSameTokens: a formatter that lost or joined something would be noticed.
func TestSameTokens(t *testing.T) {
	t.Parallel()
	source := []byte("a = \"b\" # c\n")
	for _, other := range []string{"a = \"b\"\n", "a = \"b\" # d\n", "a = \"b\" # c\n\n", "a = \"b \" # c\n", ""} {
		if sameTokens(tokens(source), tokens([]byte(other))) {
			t.Errorf("%q counts as the same", other)
		}
	}
	if !sameTokens(tokens(source), tokens([]byte("  a=\"b\"\t# c\n"))) {
		t.Error("blanks count")
	}
}
