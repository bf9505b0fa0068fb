package weight

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

// maxExponent is how many binary digits a number may have before or after its
// point: as text, each takes a part of a digit, and 1e100000000 would take minutes.
const maxExponent = 4096

const summaryNumber = "Number too large"

// IsHuge reports whether a value is, or holds, a number that is too long as text.
func IsHuge(v cty.Value) bool {
	huge := false
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		v, _ = v.Unmark()
		if v.Type() == cty.Number && v.IsKnown() && !v.IsNull() {
			exponent := v.AsBigFloat().MantExp(nil)
			huge = huge || exponent > maxExponent || exponent < -maxExponent
		}
		return !huge, nil
	})
	return huge
}

// Numbers returns a diagnostic about a number of an expression that is too long as
// text, or nil.
func Numbers(expr hcl.Expression) *hcl.Diagnostic {
	written, ok := expr.(hclsyntax.Node)
	if !ok {
		return nil
	}
	var found *hcl.Diagnostic
	_ = hclsyntax.VisitAll(written, func(n hclsyntax.Node) hcl.Diagnostics {
		if literal, ok := n.(*hclsyntax.LiteralValueExpr); ok && found == nil && IsHuge(literal.Val) {
			found = spec.ErrorAt(n.Range(), summaryNumber, "A number has at most about 1,200 digits before or after its point. Write a smaller one.")
		}
		return nil
	})
	return found
}
