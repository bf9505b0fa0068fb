package weight

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

func parse(t *testing.T, text string) hclsyntax.Expression {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return expr
}

func TestOf(t *testing.T) {
	t.Parallel()
	marked := cty.StringVal("abcd").Mark("secret")
	for name, c := range map[string]struct {
		value cty.Value
		want  int
	}{
		"text":    {cty.StringVal("abcd"), 20},
		"marked":  {marked, 20},
		"list":    {cty.ListVal([]cty.Value{marked, cty.StringVal("")}).Mark("other"), 52},
		"unknown": {cty.UnknownVal(cty.String), 16},
		"null":    {cty.NullVal(cty.String), 16},
	} {
		if got := Of(c.value); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestOfEnds: a value that holds itself over and over is not counted to the end.
func TestOfEnds(t *testing.T) {
	t.Parallel()
	v := cty.StringVal("x")
	for range 64 {
		v = cty.TupleVal([]cty.Value{v, v})
	}
	if got := Of(v); got <= Most || got > Most+100 {
		t.Error(got)
	}
}

func TestLoops(t *testing.T) {
	t.Parallel()
	for text, deep := range map[string]bool{
		`[for a in x : [for b in x : [for c in x : c]]]`:                 false,
		`[for a in x : [for b in x : [for c in x : [for d in x : d]]]]`:  true,
		`[for a in x : [for b in x : [for c in x : c[*].d]]]`:            true,
		`[[for a in x : a], [for a in x : a], x[*].a, [for a in x : a]]`: false,
	} {
		if diag := Loops(parse(t, text)); (diag != nil) != deep {
			t.Errorf("%s: %v", text, diag)
		}
	}
}

// TestMeter: loops that make too much stop soon, whichever of their parts costs,
// and it is said once.
func TestMeter(t *testing.T) {
	t.Parallel()
	elements := "[" + strings.Repeat("0,", 1000) + "]"
	for _, text := range []string{
		`[for a in x : [for b in x : [for c in x : c]]]`,
		`[for a in x : [for b in x : [for c in x : c if false]]]`,
		`"%{ for a in x }%{ for b in x }%{ for c in x }c%{ endfor }%{ endfor }%{ endfor }"`,
	} {
		expr := parse(t, text)
		new(Meter).Watch(expr)
		list, _ := parse(t, elements).Value(nil)
		before := time.Now()
		_, diags := expr.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"x": list}})
		said := 0
		for _, diag := range diags {
			if diag.Summary == spec.SummaryLoops {
				said++
			}
		}
		if said != 1 {
			t.Errorf("%s: said %d times: %d diagnostics", text, said, len(diags))
		}
		if took := time.Since(before); took > 30*time.Second {
			t.Errorf("%s took %s", text, took)
		}
	}
}

// TestWatchChangesNothing: an expression with a meter is worth what it was, and
// refers to what it did.
func TestWatchChangesNothing(t *testing.T) {
	t.Parallel()
	scope := &hcl.EvalContext{Variables: map[string]cty.Value{
		"x": cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}),
		"o": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"n": cty.True})}),
	}}
	for _, text := range []string{
		`[for a in x : [for i, b in x : "${a}${b}${i}" if a != b]]`, `{ for i, a in x : a => o[0].n }`, `o[*].n`, `o.*.n`, `x[0][*]`,
		`"%{ for a in x }${a}%{ endfor }"`,
	} {
		plain, watched := parse(t, text), parse(t, text)
		new(Meter).Watch(watched)
		want, _ := plain.Value(scope)
		got, diags := watched.Value(scope)
		if diags.HasErrors() || !got.RawEquals(want) {
			t.Errorf("%s is %#v, want %#v: %v", text, got, want, diags)
		}
		if len(watched.Variables()) != len(plain.Variables()) {
			t.Errorf("%s refers to %d, want %d", text, len(watched.Variables()), len(plain.Variables()))
		}
	}
}
