package functions

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/weight"
)

// values are what the expressions of tests may refer to.
var values = map[string]cty.Value{
	"list":    cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b"), cty.StringVal("c")}),
	"set":     cty.SetVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a")}),
	"map":     cty.MapVal(map[string]cty.Value{"a": cty.StringVal("1"), "b": cty.StringVal("2")}),
	"object":  cty.ObjectVal(map[string]cty.Value{"a": cty.True, "b": cty.NumberIntVal(7), "c": cty.EmptyTupleVal}),
	"empty":   cty.ListValEmpty(cty.String),
	"text":    cty.StringVal("Hello, wörld"),
	"number":  cty.NumberIntVal(42),
	"null":    cty.NullVal(cty.String),
	"unknown": cty.UnknownVal(cty.String),
	"any":     cty.DynamicVal,
	"unlist":  cty.UnknownVal(cty.List(cty.String)),
	"secret":  cty.StringVal("canary").Mark("secret"),
	"whole":   cty.MapVal(map[string]cty.Value{"a": cty.StringVal("canary")}).Mark("secret"),
	"secrets": cty.ListVal([]cty.Value{cty.StringVal("canary").Mark("secret"), cty.StringVal("open")}),
}

// fuzzed is the directory of the fuzz target.
var fuzzed = fstest.MapFS{
	"a.txt": {Data: []byte("text")}, "b.json": {Data: []byte(`{"a": [1, null]}`)}, "sub/c.yaml": {Data: []byte("a: [1, 2]\n")},
	".kmsync/state.db": {Data: []byte("canary")},
}

// FuzzFunctions: no expression panics, takes long, makes much, or reads the
// ledger.
func FuzzFunctions(f *testing.F) {
	for _, c := range append(cases(), mistakes...) {
		f.Add(c[0])
	}
	for _, name := range []string{"list", "map", "object", "null", "unknown", "any", "unlist", "secret", "secrets"} {
		for function := range All(fuzzed) {
			f.Add(function + "(" + name + ")")
			f.Add(function + "(" + name + ", text, " + name + ")")
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		expr, diags := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
		if diags.HasErrors() || weight.Loops(expr) != nil || weight.Numbers(expr) != nil { // as Load does
			return
		}
		before := time.Now()
		new(weight.Meter).Watch(expr)
		v, diags := expr.Value(&hcl.EvalContext{Variables: values, Functions: All(fuzzed)})
		if took := time.Since(before); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		if diags.HasErrors() {
			return
		}
		plain, marks := v.UnmarkDeep()
		if plain.Type() == cty.String && plain.IsKnown() && !plain.IsNull() && len(plain.AsString()) > 10*maxResult {
			t.Errorf("a text of %d bytes", len(plain.AsString()))
		}
		if plain.IsWhollyKnown() && len(marks) == 0 && strings.Contains(plain.GoString(), "canary") && !strings.Contains(text, "canary") {
			t.Errorf("a secret without its mark: %#v", plain)
		}
	})
}
