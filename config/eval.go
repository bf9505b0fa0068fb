package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxString is the length of a value in bytes. No argument has use for a longer
// one, and values that refer to each other could double each other's length.
const maxString = 1024

// evaluate gives every argument its value, each block after those it refers to.
func (l *loader) evaluate() {
	for _, b := range l.roots {
		b.each(l.resolve)
	}
	order := &ordering{done: map[*block]bool{}, blamed: map[*block]bool{}, report: l.report}
	for _, b := range l.roots {
		order.visit(b)
	}
	for _, b := range order.sorted {
		b.each(l.evaluateAttribute)
	}
}

// each calls f for the arguments of a block and of the blocks inside it, in the
// order of the language.
func (b *block) each(f func(*attribute)) {
	for i := range b.spec.attributes {
		if attr := b.attributes[b.spec.attributes[i].name]; attr != nil {
			f(attr)
		}
	}
	for i := range b.spec.blocks {
		for _, inner := range b.blocks[b.spec.blocks[i].name] {
			inner.each(f)
		}
	}
}

// evaluateAttribute computes the value of one argument, or leaves it unknown.
func (l *loader) evaluateAttribute(attr *attribute) {
	switch attr.spec.kind {
	case kindKMS:
		l.choose(attr, "kms", "kms.NAME")
	case kindConnection:
		l.choose(attr, "connection", "connection.bitbucket.NAME")
	case kindStrings:
		l.evaluateStrings(attr)
	case kindBool:
		attr.value = l.single(attr, attr.expr, cty.Bool)
	default:
		attr.value = l.single(attr, attr.expr, cty.String)
	}
}

// choose takes an argument that is to be a reference to a block as a whole.
func (l *loader) choose(attr *attribute, kind, form string) {
	if attr.broken {
		return
	}
	traversal, diags := hcl.AbsTraversalForExpr(attr.expr)
	length := strings.Count(form, ".") + 1
	if diags.HasErrors() || len(traversal) != length || traversal.RootName() != kind {
		attr.broken = true
		l.report(errorAt(attr.expr.Range(), summaryNotReference, fmt.Sprintf("The argument %s names a block by reference. Write %s, without quotes.", attr.spec.name, form)))
		return
	}
	attr.target = attr.refs[0].target
}

// evaluateStrings takes a list, each element with its own range where it is
// written out.
func (l *loader) evaluateStrings(attr *attribute) {
	if attr.broken {
		return
	}
	if exprs, diags := hcl.ExprList(attr.expr); !diags.HasErrors() {
		for _, expr := range exprs {
			if v := l.single(attr, expr, cty.String); v.IsKnown() {
				attr.items = append(attr.items, Located[string]{v.AsString(), expr.Range()})
			}
		}
		return
	}
	v, ok := l.compute(attr, attr.expr)
	if !ok {
		return
	}
	if !v.Type().IsTupleType() && !v.Type().IsListType() && !v.Type().IsSetType() {
		l.wrongType(attr, attr.expr, "a list of strings", `["..."]`)
		return
	}
	for _, element := range v.AsValueSlice() {
		if v := l.finish(attr, attr.expr, element, cty.String); v.IsKnown() {
			attr.items = append(attr.items, Located[string]{v.AsString(), attr.expr.Range()})
		}
	}
}

// single computes an expression that is to have a type, and checks its value.
func (l *loader) single(attr *attribute, expr hcl.Expression, want cty.Type) cty.Value {
	v, ok := l.compute(attr, expr)
	if !ok {
		return cty.UnknownVal(want)
	}
	return l.finish(attr, expr, v, want)
}

// compute returns the value of an expression, or false when it has none; what
// is wrong has been reported then.
func (l *loader) compute(attr *attribute, expr hcl.Expression) (cty.Value, bool) {
	if attr.broken {
		return cty.DynamicVal, false
	}
	v, diags := expr.Value(attr.context())
	for _, diag := range diags {
		if diag.Subject == nil {
			diag.Subject = expr.Range().Ptr()
		}
	}
	l.report(diags...)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return cty.DynamicVal, false
	}
	if v.IsNull() {
		l.report(errorAt(expr.Range(), summaryNull, fmt.Sprintf("The argument %s must have a value. Give it one, or remove it.", attr.spec.name)))
		return cty.DynamicVal, false
	}
	return v, true
}

// finish converts a value as HCL does, so that "true" is a boolean and 7 a
// string, and checks it.
func (l *loader) finish(attr *attribute, expr hcl.Expression, v cty.Value, want cty.Type) cty.Value {
	converted, err := convert.Convert(v, want)
	if err != nil || converted.IsNull() {
		if want == cty.Bool {
			l.wrongType(attr, expr, "a boolean", "true or false, without quotes")
		} else if attr.spec.kind == kindStrings {
			l.wrongType(attr, expr, "a list of strings", `["..."]`)
		} else {
			l.wrongType(attr, expr, "a string", "the value in quotes")
		}
		return cty.UnknownVal(want)
	}
	if want == cty.String && len(converted.AsString()) > maxString {
		l.report(errorAt(expr.Range(), summaryTooLong, fmt.Sprintf("The value of the argument %s is longer than %d bytes. Shorten it.", attr.spec.name, maxString)))
		return cty.UnknownVal(want)
	}
	if attr.spec.check == nil {
		return converted
	}
	if p := attr.spec.check(converted.AsString()); p != nil {
		l.report(errorAt(expr.Range(), p.Summary, p.Detail))
		return cty.UnknownVal(want)
	}
	return converted
}

func (l *loader) wrongType(attr *attribute, expr hcl.Expression, want, form string) {
	l.report(errorAt(expr.Range(), summaryWrongType, fmt.Sprintf("The argument %s must be %s. Write %s.", attr.spec.name, want, form)))
}

// context holds the blocks that an argument refers to, and nothing else.
func (a *attribute) context() *hcl.EvalContext {
	if len(a.refs) == 0 {
		return nil
	}
	kinds := map[string]map[string]cty.Value{}
	for _, ref := range a.refs {
		kind := ref.target.spec.name
		if kinds[kind] == nil {
			kinds[kind] = map[string]cty.Value{}
		}
		kinds[kind][ref.target.label] = ref.target.object()
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}}
	for kind, labels := range kinds {
		v := cty.ObjectVal(labels)
		if kind == "connection" {
			v = cty.ObjectVal(map[string]cty.Value{bitbucketType: v})
		}
		ctx.Variables[kind] = v
	}
	return ctx
}

// object is what references see of a block: its own arguments that are written
// or have a default.
func (b *block) object() cty.Value {
	values := map[string]cty.Value{}
	for i := range b.spec.attributes {
		as := &b.spec.attributes[i]
		if attr := b.attributes[as.name]; attr != nil {
			values[as.name] = attr.value
		} else if v := b.defaultOf(as); !v.IsNull() {
			values[as.name] = v
		}
	}
	return cty.ObjectVal(values)
}

// defaultOf returns the default of an argument, or null.
func (b *block) defaultOf(as *attributeSpec) cty.Value {
	switch {
	case as.fromLabel != nil:
		return cty.StringVal(as.fromLabel(b.label))
	case as.def == cty.NilVal:
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return as.def
}

func isString(v cty.Value) bool {
	return !v.IsNull() && v.IsKnown() && v.Type() == cty.String
}
