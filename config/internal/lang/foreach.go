package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/rules"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// element is one of those that for_each makes a block for.
type element struct {
	key       string
	variables map[string]cty.Value // each
	secret    bool                 // its value holds something sensitive
}

// evaluateEach makes a block for each element of for_each, and returns them by
// key.
func (l *loader) evaluateEach(n *node) cty.Value {
	var loop *attribute
	for _, attr := range n.attributes {
		if attr.spec.Kind == spec.ForEach {
			loop = attr.attribute
		} else if !attr.each { // the same in every block
			l.evaluateAttribute(attr.attribute, nil)
		}
	}
	elements, ok := l.elements(loop)
	if !ok {
		n.block.Discarded = true
		l.lost[n.block.Spec.Name] = true
		return cty.DynamicVal
	}
	values := map[string]cty.Value{}
	for _, e := range elements {
		b := n.block.instance(e.key)
		l.within = b.Address
		b.each(func(_ *Block, attr *attribute) {
			if attr.each {
				l.evaluateAttribute(attr, e)
			}
		})
		l.within = ""
		n.instances = append(n.instances, b)
		values[e.key] = b.object()
	}
	return cty.ObjectVal(values)
}

// elements returns what for_each goes over, in the order of the keys.
func (l *loader) elements(attr *attribute) ([]*element, bool) {
	rng := attr.expr.Range()
	if attr.broken {
		return nil, false
	}
	if attr.context == nil {
		l.makeContext(attr.source)
	}
	v, diags := attr.expr.Value(attr.context)
	for _, diag := range diags {
		if diag.Subject == nil {
			diag.Subject = rng.Ptr()
		}
		spec.ExplainExpression(diag, attr.secret)
	}
	l.report(diags...)
	if diags.HasErrors() {
		return nil, false
	}
	if detail := rules.ForEach(v, func() string { return unknownRemedy(attr) }); detail != "" {
		if !strings.HasSuffix(detail, madeOf) || !l.diags.HasErrors() { // else that was reported
			l.report(spec.ErrorAt(rng, summaryForEach, detail))
		}
		return nil, false
	}
	var elements []*element
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		key, _ = key.Unmark()
		if detail := rules.ForEachKey(key); detail != "" {
			l.report(spec.ErrorAt(rng, summaryForEach, detail))
			return nil, false
		}
		elements = append(elements, &element{
			key: key.AsString(), secret: value.ContainsMarked(),
			variables: map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})},
		})
	}
	return elements, true
}

const madeOf = "The value is not known: something that it is made of has none. Give that a value."

// unknownRemedy names the variable without a value that a for_each needs.
func unknownRemedy(attr *attribute) string {
	for _, ref := range attr.refs {
		if ref.Target.root == "var" && !ref.Target.value.IsKnown() {
			return fmt.Sprintf("The value of %s is not known. Give it one: --var %s=VALUE, or default = ... in its block.", ref.Target.address, ref.Target.label)
		}
	}
	return madeOf
}

// report takes diagnostics. Of those that a block made by for_each has, one is
// kept for each place and summary, and the others are counted.
func (l *loader) report(diags ...*hcl.Diagnostic) {
	for _, diag := range diags {
		l.diags = l.diags.Append(spec.InBlock(diag, l.within))
	}
}
