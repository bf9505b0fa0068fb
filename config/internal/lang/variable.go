package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/hanzoai/kmsync/config/internal/rules"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// Input is a value that a variable was given outside of its block.
type Input struct {
	// Text is what the environment or the command line gave: itself for a variable
	// that takes a string, a number or a boolean, else an expression of HCL.
	Text string
	// Expr is what a file gave; nil for the others.
	Expr hcl.Expression
	From string // where it comes from, for people: --var, $KMSYNC_VAR_region
}

// variable returns the value of a variable: what was given, or the default. It is
// unknown where there is none, or where it is not usable.
func (l *loader) variable(n *node) cty.Value {
	for _, attr := range n.attributes {
		if attr.spec.Name != "default" {
			l.evaluateAttribute(attr.attribute, nil)
		}
	}
	want, defaults, ok := l.constraint(n.block)
	if !ok {
		return cty.DynamicVal
	}
	v, from, ok := l.given(n, want)
	if !ok {
		return cty.UnknownVal(want)
	}
	if defaults != nil && !v.IsNull() {
		v = defaults.Apply(v)
	}
	converted, err := convert.Convert(v, want)
	if err != nil {
		l.report(spec.ErrorAt(l.whereGiven(n), summaryVariableType, fmt.Sprintf(
			"The value of %s, from %s, is not of the type %s. Give it such a value.", n.address, from, typeexpr.TypeString(want))))
		return cty.UnknownVal(want)
	}
	if l.flag(n.block, "sensitive") {
		converted = converted.Mark(spec.Sensitive)
	}
	return l.weigh(converted, n.rng)
}

func (l *loader) flag(b *Block, name string) bool {
	v, _ := b.Value(name)
	return v.Type() == cty.Bool && v.IsKnown() && !v.IsNull() && v.True()
}

// constraint returns the type that a variable takes, and the defaults of its
// parts.
func (l *loader) constraint(b *Block) (cty.Type, *typeexpr.Defaults, bool) {
	attr := b.attributes["type"]
	if attr == nil {
		return cty.DynamicPseudoType, nil, true
	}
	want, defaults, diags := typeexpr.TypeConstraintWithDefaults(attr.expr)
	for _, diag := range diags {
		diag.Summary = summaryType2
		diag.Detail += " Write string, number, bool, any, list(...), set(...), map(...), object({...}) or tuple([...])."
		if diag.Subject == nil {
			diag.Subject = attr.expr.Range().Ptr()
		}
	}
	l.report(diags...)
	return want, defaults, !diags.HasErrors()
}

// given returns the value that a variable was given, or its default.
func (l *loader) given(n *node, want cty.Type) (v cty.Value, from string, ok bool) {
	input, found := l.input(n)
	def := n.block.attributes["default"]
	switch {
	case found:
		v, ok = l.parseInput(n, input, want)
		return v, input.From, ok
	case def != nil:
		v, ok = l.compute(def, def.expr, nil)
		return v, "its default", ok
	case l.opt.NeedInputs && !n.block.Discarded:
		l.report(spec.ErrorAt(n.rng, summaryNoInput, fmt.Sprintf(
			"%s has no default, and was not given a value. Give it one: --var %s=VALUE, KMSYNC_VAR_%s, or a *.auto.syncvars file.", n.address, n.label, n.label)))
	}
	return cty.DynamicVal, "", false
}

// input returns what a variable was given outside of its block.
func (l *loader) input(n *node) (Input, bool) {
	input, found := l.opt.Inputs[n.label]
	if !found && l.opt.Fallback != nil {
		return l.opt.Fallback(n.label)
	}
	return input, found
}

// whereGiven is the place of a variable's value: of what a file gave it, or of
// the block.
func (l *loader) whereGiven(n *node) hcl.Range {
	if l.flag(n.block, "sensitive") {
		return n.rng // a snippet would show it
	}
	if input, found := l.input(n); found && input.Expr != nil {
		return input.Expr.Range()
	} else if def := n.block.attributes["default"]; !found && def != nil {
		return def.expr.Range()
	}
	return n.rng
}

// parseInput reads a value given outside. What is wrong with one that may be
// sensitive is not quoted.
func (l *loader) parseInput(n *node, input Input, want cty.Type) (cty.Value, bool) {
	expr := input.Expr
	if expr == nil {
		if want.IsPrimitiveType() || want == cty.DynamicPseudoType {
			return cty.StringVal(input.Text), true
		}
		if !couldParse(input.Text) {
			l.report(spec.ErrorAt(n.rng, summaryInput, fmt.Sprintf("The value of %s, from %s, is too long or too deep. Put it into a *.syncvars file.", n.address, input.From)))
			return cty.DynamicVal, false
		}
		var diags hcl.Diagnostics
		expr, diags = hclsyntax.ParseExpression([]byte(input.Text), input.From, hcl.InitialPos)
		if diags.HasErrors() {
			l.report(spec.ErrorAt(n.rng, summaryInput, fmt.Sprintf(
				"The value of %s, from %s, is no expression of the type %s. Write it as in a file, with quotes around strings.", n.address, input.From, typeexpr.TypeString(want))))
			return cty.DynamicVal, false
		}
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		rng := l.whereGiven(n)
		l.report(spec.ErrorAt(rng, summaryInput, fmt.Sprintf(
			"The value of %s, from %s, must stand there itself: references and functions are not allowed. Write the value.", n.address, input.From)))
		return cty.DynamicVal, false
	}
	return v, true
}

// couldParse reports whether a text is short enough for the parser, which
// recurses.
func couldParse(text string) bool { return len(text) < 64<<10 }

// validate holds a variable against the conditions of its block.
func (l *loader) validate(n *node) {
	for _, b := range n.block.Inner("validation") {
		condition, message := b.attributes["condition"], b.attributes["error_message"]
		if condition == nil || message == nil {
			continue // reported
		}
		l.resolve(b, condition)
		l.resolve(b, message)
		if !condition.broken && !l.refersTo(condition, n) {
			l.report(spec.ErrorAt(condition.expr.Range(), summaryCondition, fmt.Sprintf("The condition does not look at %s, the variable that it is about. Use it.", n.address)))
			continue
		}
		v, ok := l.compute(condition, condition.expr, nil)
		if !ok {
			continue
		}
		if v, _ = v.UnmarkDeep(); v.Type() != cty.Bool {
			l.wrongType(condition, condition.expr)
			continue
		}
		if text, ok := l.message(message); ok && v.False() {
			l.report(spec.ErrorAt(l.whereGiven(n), summaryRejected, fmt.Sprintf(
				"%s That is what %s demands (%s). Give %s another value.", text, n.address, spec.Place(condition.expr.Range()), n.address)))
		}
	}
}

func (l *loader) refersTo(attr *attribute, n *node) bool {
	for _, ref := range attr.refs {
		if ref.Target == n {
			return true
		}
	}
	return false
}

// message returns what a validation says; without its text where that is made of
// something sensitive.
func (l *loader) message(attr *attribute) (string, bool) {
	v, ok := l.compute(attr, attr.expr, nil)
	if !ok {
		return "", false
	}
	v, marks := v.UnmarkDeep()
	if !isString(v) || v.AsString() == "" {
		l.wrongType(attr, attr.expr)
		return "", false
	}
	if len(marks) > 0 {
		return "What is wrong is sensitive.", true
	}
	return rules.Sentence(v.AsString()), true
}
