package functions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// TestMarksStay: what is made of a sensitive value is sensitive, whatever the
// function, and one that fails does not show it.
func TestMarksStay(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		`upper(secret)`, `format("%s!", secret)`, `join(",", secrets)`, `replace(secret, "a", "b")`, `replace("a", secret, "b")`,
		`length(secret)`, `length(secrets)`, `coalesce(secret, "b")`, `coalesce(null, secret)`, `lookup({ a = secret }, "a", "b")`,
		`lookup({ canary = "a" }, secret, "b")`, `lookup({ canary = "a" }, secret)`, `lookup({ a = secret }, "z", null)`, `index([secret, "a"], "canary")`,
		`one([secret])`, `merge({ a = secret }, {})`, `jsonencode({ a = secret })`, `base64encode(secret)`, `urlencode(secret)`,
		`yamlencode([secret])`, `startswith(secret, "c")`, `try(secret, "a")`, `indent(1, secret)`, `formatlist("%s", secrets)`,
		`setproduct(secrets, ["a"])`, `sum([for s in [secret] : length(s)])`, `alltrue([secret == "canary"])`, `concat(secrets, ["a"])`,
		`lookup(whole, "a")`, `lookup(whole, "z", null)`, `lookup(map, secret, null)`, `fileexists(secret)`, `fileset(".", secret)`, `yamldecode(secret)`, `toset(secrets)`,
	} {
		v, diags := evaluate(t, expression)
		if diags.HasErrors() {
			t.Errorf("%s: %s", expression, diags)
		} else if !v.ContainsMarked() && expression != `lookup({ a = secret }, "z", null)` {
			t.Errorf("%s is %#v, without a mark", expression, v)
		}
	}
}

// TestUnknownPasses: of what is not known nothing is said that may be wrong.
func TestUnknownPasses(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]cty.Type{
		`upper(unknown)`: cty.String, `format("%s", unknown)`: cty.String, `format(unknown, 1)`: cty.String, `join(",", unlist)`: cty.String,
		`join(unknown, ["a"])`: cty.String, `replace(unknown, "a", "b")`: cty.String, `replace("a", unknown, "b")`: cty.String,
		`length(unknown)`: cty.Number, `length(unlist)`: cty.Number, `length(any)`: cty.Number, `coalesce(unknown, "b")`: cty.String,
		`lookup(map, unknown)`: cty.String, `lookup(any, "a")`: cty.DynamicPseudoType, `lookup(object, unknown, null)`: cty.DynamicPseudoType,
		`index(["a", unknown], "b")`: cty.Number, `index(any, 1)`: cty.DynamicPseudoType, `one(unlist)`: cty.String, `one(any)`: cty.DynamicPseudoType,
		`alltrue([unknown, true])`: cty.Bool, `anytrue([unknown, false])`: cty.Bool, `sum([number, any])`: cty.Number,
		`jsondecode(unknown)`: cty.DynamicPseudoType, `jsonencode(any)`: cty.String, `yamldecode(unknown)`: cty.DynamicPseudoType,
		`file(unknown)`: cty.String, `fileexists(unknown)`: cty.Bool, `fileset(".", unknown)`: cty.Set(cty.String),
		`indent(1, unknown)`: cty.String, `range(any)`: cty.List(cty.Number), `setproduct(unlist, unlist)`: cty.List(cty.Tuple([]cty.Type{cty.String, cty.String})),
	} {
		v, diags := evaluate(t, expression)
		if diags.HasErrors() || v.IsKnown() || !v.Type().Equals(want) {
			t.Errorf("%s is %#v, want an unknown %s: %v", expression, v, want.FriendlyName(), diags)
		}
	}
	for _, expression := range []string{`alltrue([unknown, false])`, `!anytrue([unknown, true])`} {
		if v, diags := evaluate(t, expression); diags.HasErrors() || !v.RawEquals(cty.False) {
			t.Errorf("%s is %#v: %v", expression, v, diags)
		}
	}
}

// TestGrowth: calls inside of each other cannot make a small text large.
func TestGrowth(t *testing.T) {
	t.Parallel()
	for name, expression := range map[string]string{
		"jsonencode":   nested("jsonencode(", `"\""`, ")", 60),
		"base64encode": nested("base64encode(", `"aaaaaaaa"`, ")", 100),
		"format":       nested(`format("%[1]s%[1]s%[1]s%[1]s", `, `"aaaa"`, ")", 40),
		"formatlist":   nested(`formatlist("%[1]s%[1]s%[1]s%[1]s", `, `["aaaa"]`, ")", 40),
		"replace":      nested(`replace(`, `"aa"`, `, "a", "aaaaaaaa")`, 30),
		"regex":        nested(`replace(`, `"aa"`, `, "/.*/", "$0$0$0$0")`, 30),
		"indent":       nested(`replace(indent(1000, `, `"\n\n"`, `), " ", "\n")`, 10),
		"join":         nested(`join(format("%999s", ""), split("", `, `"aa"`, `))`, 10),
		"setproduct":   nested(`setproduct(`, `[1, 2]`, `, [1, 2, 3, 4, 5])`, 40),
		"yamldecode":   fmt.Sprintf("yamldecode(%q)", bomb(12)),
	} {
		before := time.Now()
		_, diags := evaluate(t, expression)
		if text := diags.Error(); !strings.Contains(text, "the result would be too large") && !strings.Contains(text, "too many aliases") && !strings.Contains(text, "too long for a regular expression") {
			t.Errorf("%s: %.200s", name, text)
		}
		if took := time.Since(before); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func nested(open, inside, end string, depth int) string {
	return strings.Repeat(open, depth) + inside + strings.Repeat(end, depth)
}

// bomb is YAML of which each line holds the one before nine times.
func bomb(lines int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := range lines {
		fmt.Fprintf(&b, "a%d: &a%[1]d [%s]\n", i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9))
	}
	return b.String()
}

// TestOrdinarySizes: what people write is far from the bounds.
func TestOrdinarySizes(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		`length(join(", ", [for i in range(1000) : "service-${i}"]))`,
		`length(replace(join("", [for i in range(1000) : format("%100s", i)]), " ", "--"))`,
		`length(setproduct(range(100), range(100)))`,
		`length(formatlist("%s-%s", [for i in range(1000) : format("%50d", i)], "x"))`,
		`length(jsonencode([for i in range(1000) : { name = "service-${i}" }]))`,
		`yamldecode("a: &a {x: 1}\nb: *a\nc: *a\nd: '* * * * *'").c.x`,
		`length(indent(8, join("\n", range(1000))))`,
	} {
		if _, diags := evaluate(t, expression); diags.HasErrors() {
			t.Errorf("%s: %s", expression, diags)
		}
	}
}
