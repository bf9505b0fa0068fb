package spec

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const summaryTwice = "Key given twice"

// KeyTwice returns a diagnostic about a key that an object in an expression has twice,
// of which HCL would take the last without a word, or nil.
func KeyTwice(expr hcl.Expression) *hcl.Diagnostic {
	written, ok := expr.(hclsyntax.Node)
	if !ok {
		return nil
	}
	var found *hcl.Diagnostic
	_ = hclsyntax.VisitAll(written, func(n hclsyntax.Node) hcl.Diagnostics {
		object, ok := n.(*hclsyntax.ObjectConsExpr)
		if !ok || found != nil {
			return nil
		}
		first := map[string]hcl.Range{}
		for _, item := range object.Items {
			key, diags := item.KeyExpr.Value(nil)
			if diags.HasErrors() || key.IsNull() || !key.IsKnown() || key.Type() != cty.String {
				continue
			}
			if at, known := first[key.AsString()]; known {
				found = ErrorAt(item.KeyExpr.Range(), summaryTwice, fmt.Sprintf("The key %q is there already, at %s. Remove one of them.", key.AsString(), Place(at)))
			}
			first[key.AsString()] = item.KeyExpr.Range()
		}
		return nil
	})
	return found
}
