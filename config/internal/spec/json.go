package spec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// Traversal reads an expression that is a reference and nothing else. In JSON it is
// a text, with or without ${}. The diagnostics say why it is not one.
func Traversal(expr hcl.Expression) (hcl.Traversal, hcl.Diagnostics) {
	if inside, ok := template(expr); ok {
		return hclsyntax.ParseTraversalAbs([]byte(inside), expr.Range().Filename, expr.Range().Start)
	}
	return hcl.AbsTraversalForExpr(expr)
}

// template returns what stands between ${ and } in a text of a JSON file.
func template(expr hcl.Expression) (string, bool) {
	if !json.IsJSONExpression(expr) {
		return "", false
	}
	v, _ := expr.Value(nil) // without a context JSON is not evaluated
	if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		return "", false
	}
	inside, opened := strings.CutPrefix(v.AsString(), "${")
	inside, closed := strings.CutSuffix(inside, "}")
	return strings.TrimSpace(inside), opened && closed
}

// Spelled is how to write a reference in place of an expression: in JSON in
// quotes, as every text.
func Spelled(expr hcl.Expression, form string) string {
	if json.IsJSONExpression(expr) {
		return `"` + strings.ReplaceAll(form, `"`, `\"`) + `"`
	}
	return form
}
