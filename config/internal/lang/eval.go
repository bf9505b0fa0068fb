package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/hanzoai/kmsync/config/internal/order"
	"github.com/hanzoai/kmsync/config/internal/spec"
	"github.com/hanzoai/kmsync/config/internal/weight"
)

// maxString is the length in bytes of a value that an argument takes. None has
// use for a longer one.
const maxString = 1024

// evaluate gives every argument its value, each after those it refers to.
func (l *loader) evaluate() {
	nodes := l.nodes()
	for _, n := range nodes {
		for _, attr := range n.attributes {
			l.resolve(n.block, attr.attribute)
		}
	}
	sorter := &order.Sorter[*node]{References: references, Name: func(n *node) string { return n.address }, Report: l.report}
	for _, n := range sorter.Sort(nodes, func(n *node) hcl.Range { return n.rng }) {
		l.evaluateNode(n)
	}
	for _, n := range nodes {
		if n.root == "var" && !n.block.Discarded {
			l.validate(n)
		}
	}
}

func references(n *node) []reference {
	var all []reference
	for _, attr := range n.attributes {
		all = append(all, attr.refs...)
	}
	return all
}

func (l *loader) evaluateNode(n *node) {
	switch {
	case n.root == "var":
		n.value = l.variable(n)
	case n.block == nil:
		attr := n.attributes[0].attribute
		n.value, _ = l.compute(attr, attr.expr, nil)
		n.value = l.weigh(n.value, attr.expr.Range())
	case n.block.Has("for_each"):
		n.value = l.evaluateEach(n)
	default:
		for _, attr := range n.attributes {
			l.evaluateAttribute(attr.attribute, nil)
		}
		n.instances = []*Block{n.block}
		n.value = n.block.object()
	}
	n.secret = n.value.ContainsMarked()
}

// evaluateAttribute computes the value of one argument, or leaves it unknown.
func (l *loader) evaluateAttribute(attr *attribute, each *element) {
	switch attr.spec.Kind {
	case spec.KMSRef:
		l.choose(attr, "kms", "kms.NAME")
	case spec.ConnectionRef:
		l.choose(attr, "connection", "connection.bitbucket.NAME")
	case spec.Strings:
		l.evaluateStrings(attr, each)
	case spec.StringMap:
		l.evaluateMap(attr, each)
	case spec.Bool:
		attr.value = l.single(attr, attr.expr, cty.Bool, each)
	case spec.Whole:
		attr.value = l.single(attr, attr.expr, cty.Number, each)
	case spec.Any:
		attr.value, _ = l.compute(attr, attr.expr, each)
	case spec.String:
		attr.value = l.single(attr, attr.expr, cty.String, each)
	}
}

// choose takes an argument that is to be a reference to a block as a whole.
func (l *loader) choose(attr *attribute, root, form string) {
	if attr.broken {
		return
	}
	traversal, diags := spec.Traversal(attr.expr)
	length := strings.Count(form, ".") + 1
	if diags.HasErrors() || len(traversal) != length || traversal.RootName() != root {
		attr.broken = true
		written := spec.Spelled(attr.expr, form)
		if written == form {
			written += ", without quotes"
		}
		l.report(spec.ErrorAt(attr.expr.Range(), summaryNotReference, fmt.Sprintf("The argument %s names a block by reference. Write %s.", attr.spec.Name, written)))
		return
	}
	target, diag := l.lookUp(traversal) // in JSON the expression is a text, and refers to nothing
	if diag != nil {
		l.report(diag)
	}
	if target != nil {
		attr.target = target.block
	}
}

// evaluateStrings takes a list, each element with its own range where it is
// written out.
func (l *loader) evaluateStrings(attr *attribute, each *element) {
	if attr.broken {
		return
	}
	if exprs, diags := hcl.ExprList(attr.expr); !diags.HasErrors() {
		for _, expr := range exprs {
			if v := l.single(attr, expr, cty.String, each); v.IsKnown() {
				attr.items = append(attr.items, Item{v.AsString(), expr.Range()})
			}
		}
		attr.whole = len(attr.items) == len(exprs)
		return
	}
	v, ok := l.compute(attr, attr.expr, each)
	if !ok || !l.showable(attr, attr.expr, &v) {
		return
	}
	if !v.Type().IsTupleType() && !v.Type().IsListType() && !v.Type().IsSetType() {
		l.wrongType(attr, attr.expr)
		return
	}
	for _, inner := range v.AsValueSlice() {
		if v := l.finish(attr, attr.expr, inner, cty.String); v.IsKnown() {
			attr.items = append(attr.items, Item{v.AsString(), attr.expr.Range()})
		}
	}
	attr.whole = len(attr.items) == v.LengthInt()
}

// evaluateMap takes a map of strings, each element with its own range where it is
// written out.
func (l *loader) evaluateMap(attr *attribute, each *element) {
	if attr.broken {
		return
	}
	ranges := map[string]hcl.Range{}
	if pairs, diags := hcl.ExprMap(attr.expr); !diags.HasErrors() {
		for _, pair := range pairs {
			if key, diags := pair.Key.Value(attr.scope(each)); !diags.HasErrors() && isString(key) {
				ranges[key.AsString()] = hcl.RangeBetween(pair.Key.Range(), pair.Value.Range())
			}
		}
	}
	v, ok := l.compute(attr, attr.expr, each)
	if !ok || !l.showable(attr, attr.expr, &v) {
		return
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		l.wrongType(attr, attr.expr)
		return
	}
	for it := v.ElementIterator(); it.Next(); {
		key, inner := it.Element()
		rng, written := ranges[key.AsString()]
		if !written {
			rng = attr.expr.Range()
		}
		if v := l.finishAt(attr, rng, inner, cty.String); v.IsKnown() {
			attr.pairs = append(attr.pairs, Pair{Item{key.AsString(), rng}, Item{v.AsString(), rng}})
		}
	}
	attr.whole = len(attr.pairs) == v.LengthInt()
}

// single computes an expression that is to have a type, and checks its value.
func (l *loader) single(attr *attribute, expr hcl.Expression, want cty.Type, each *element) cty.Value {
	v, ok := l.compute(attr, expr, each)
	if !ok || !l.showable(attr, expr, &v) {
		return cty.UnknownVal(want)
	}
	return l.finish(attr, expr, v, want)
}

// showable removes the mark of a sensitive value, and reports one where outputs
// would show it.
func (l *loader) showable(attr *attribute, expr hcl.Expression, v *cty.Value) bool {
	plain, marks := v.UnmarkDeep()
	if len(marks) > 0 && !attr.spec.Hidden {
		l.report(spec.ErrorAt(expr.Range(), summarySensitive, fmt.Sprintf(
			"The value is made of a sensitive variable, and plans show the argument %s. Take it from a variable without sensitive = true.", attr.spec.Name)))
		return false
	}
	*v = plain
	return true
}

// compute returns the value of an expression, or false when it has none; what
// is wrong has been reported then.
func (l *loader) compute(attr *attribute, expr hcl.Expression, each *element) (cty.Value, bool) {
	if attr.broken {
		return cty.DynamicVal, false
	}
	if attr.context == nil {
		l.makeContext(attr.source)
	}
	v, diags := expr.Value(attr.scope(each))
	for _, diag := range diags {
		if diag.Subject == nil {
			diag.Subject = expr.Range().Ptr()
		}
		spec.ExplainExpression(diag, attr.secret || each != nil && attr.each && each.secret)
	}
	l.report(diags...)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return cty.DynamicVal, false
	}
	if v.IsNull() && attr.spec.Kind != spec.Any {
		l.report(spec.ErrorAt(expr.Range(), summaryNull, fmt.Sprintf("The argument %s must have a value. Give it one, or remove it.", attr.spec.Name)))
		return cty.DynamicVal, false
	}
	return v, true
}

// finish converts a value as HCL does, so that "true" is a boolean and 7 a
// string, and checks it.
func (l *loader) finish(attr *attribute, expr hcl.Expression, v cty.Value, want cty.Type) cty.Value {
	return l.finishAt(attr, expr.Range(), v, want)
}

func (l *loader) finishAt(attr *attribute, rng hcl.Range, v cty.Value, want cty.Type) cty.Value {
	if weight.IsHuge(v) {
		l.wrongTypeAt(attr, rng)
		return cty.UnknownVal(want)
	}
	converted, err := convert.Convert(v, want)
	if err != nil || converted.IsNull() {
		l.wrongTypeAt(attr, rng)
		return cty.UnknownVal(want)
	}
	if want == cty.String && len(converted.AsString()) > maxString {
		l.report(spec.ErrorAt(rng, summaryTooLong, fmt.Sprintf("The value of the argument %s is longer than %d bytes. Shorten it.", attr.spec.Name, maxString)))
		return cty.UnknownVal(want)
	}
	if attr.spec.Check == nil {
		return converted
	}
	text, _ := convert.Convert(converted, cty.String) // of a string or a number it never fails
	if p := attr.spec.Check(text.AsString()); p != nil {
		l.report(spec.ErrorAt(rng, p.Summary, p.Detail))
		return cty.UnknownVal(want)
	}
	return converted
}

func (l *loader) wrongType(attr *attribute, expr hcl.Expression) { l.wrongTypeAt(attr, expr.Range()) }

func (l *loader) wrongTypeAt(attr *attribute, rng hcl.Range) {
	want, form := attr.spec.Kind.Words()
	l.report(spec.ErrorAt(rng, summaryWrongType, fmt.Sprintf("The argument %s must be %s. Write %s.", attr.spec.Name, want, form)))
}

// scope is what an expression sees: what it refers to, and the element of
// for_each it is evaluated for.
func (a *attribute) scope(each *element) *hcl.EvalContext {
	if each == nil || !a.each {
		return a.context
	}
	scope := a.context.NewChild()
	scope.Variables = each.variables
	return scope
}

// makeContext gathers what an argument refers to, and nothing else.
func (l *loader) makeContext(s *source) {
	s.context = &hcl.EvalContext{Functions: l.opt.Functions}
	if len(s.refs) == 0 {
		return
	}
	byRoot := map[string]map[string]cty.Value{}
	for _, ref := range s.refs {
		root := ref.Target.root
		if byRoot[root] == nil {
			byRoot[root] = map[string]cty.Value{}
		}
		byRoot[root][ref.Target.label] = ref.Target.value
		s.secret = s.secret || ref.Target.secret
	}
	s.context.Variables = map[string]cty.Value{}
	for root, labels := range byRoot {
		v := cty.ObjectVal(labels)
		if root == "connection" {
			v = cty.ObjectVal(map[string]cty.Value{bitbucketType: v})
		}
		s.context.Variables[root] = v
	}
}

func isString(v cty.Value) bool {
	return !v.IsNull() && v.IsKnown() && v.Type() == cty.String
}
