package weight

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

// MaxLoops is how deep expressions that loop may nest.
const MaxLoops = 3

// Loops returns a diagnostic about an expression whose loops nest more than
// [MaxLoops] deep, or nil.
func Loops(expr hcl.Expression) *hcl.Diagnostic {
	node := Deeper(expr, MaxLoops)
	if node == nil {
		return nil
	}
	return spec.ErrorAt(node.Range(), spec.SummaryLoops, fmt.Sprintf("Expressions that loop (for, [*]) nest more than %d deep here. Take the inner ones out into locals.", MaxLoops))
}

// Deeper returns the first loop of an expression that nests more than most deep,
// or nil.
func Deeper(expr hcl.Expression, most int) hclsyntax.Node {
	written, ok := expr.(hclsyntax.Node)
	if !ok {
		return nil
	}
	w := &loopWalker{most: most}
	_ = hclsyntax.Walk(written, w)
	return w.found
}

// loopWalker counts how deep expressions that loop nest.
type loopWalker struct {
	depth, most int
	found       hclsyntax.Node
}

// Enter implements [hclsyntax.Walker].
func (w *loopWalker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	if loops(n) {
		w.depth++
		if w.depth > w.most && w.found == nil {
			w.found = n
		}
	}
	return nil
}

// Exit implements [hclsyntax.Walker].
func (w *loopWalker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	if loops(n) {
		w.depth--
	}
	return nil
}

func loops(n hclsyntax.Node) bool {
	switch n.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		return true
	}
	return false
}

// Meter bounds what the loops of a configuration make together.
type Meter struct {
	spent    int
	reported bool
}

// Watch puts the meter into the loops of an expression: what each round makes
// counts, and from [Most] on the loops make nothing, which is reported once. Only
// expressions in HCL's native syntax have loops that can be reached.
func (m *Meter) Watch(expr hcl.Expression) {
	if written, ok := expr.(hclsyntax.Node); ok {
		_ = hclsyntax.Walk(written, watcher{m})
	}
}

// watcher wraps what loops evaluate in each round.
type watcher struct{ meter *Meter }

// Enter implements [hclsyntax.Walker].
func (w watcher) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch loop := n.(type) {
	case *hclsyntax.ForExpr:
		loop.ValExpr = w.meter.counted(loop.ValExpr)
		if loop.CondExpr != nil {
			loop.CondExpr = w.meter.counted(loop.CondExpr)
		}
	case *hclsyntax.SplatExpr:
		loop.Each = w.meter.counted(loop.Each)
	}
	return nil
}

// Exit implements [hclsyntax.Walker].
func (w watcher) Exit(hclsyntax.Node) hcl.Diagnostics { return nil }

func (m *Meter) counted(expr hclsyntax.Expression) hclsyntax.Expression {
	return &counted{&hclsyntax.ParenthesesExpr{Expression: expr, SrcRange: expr.Range()}, m}
}

// counted is an expression whose values count. The parentheses show walkers what
// stands in them.
type counted struct {
	*hclsyntax.ParenthesesExpr
	meter *Meter
}

// Value implements [hclsyntax.Expression].
func (c *counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if c.meter.spent > Most {
		return cty.DynamicVal, c.meter.complain(c.Range())
	}
	v, diags := c.ParenthesesExpr.Value(ctx)
	c.meter.spent += Of(v)
	return v, diags
}

func (m *Meter) complain(rng hcl.Range) hcl.Diagnostics {
	if m.reported {
		return nil
	}
	m.reported = true
	return hcl.Diagnostics{spec.ErrorAt(rng, spec.SummaryLoops, fmt.Sprintf("The loops of the configuration make more than %d MiB. Loop over less.", Most>>20))}
}
