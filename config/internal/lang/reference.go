package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/spec"
	"github.com/hanzoai/kmsync/config/internal/weight"
)

// bitbucketType is the one type of connections.
const bitbucketType = "bitbucket"

// roots are the first names that a reference may have.
var roots = []string{"var", "local", "kms", "connection", "sync", "each"}

// resolve finds what an argument refers to and reports what does not exist. in is
// the block at the top, "" for a local.
func (l *loader) resolve(in *Block, attr *attribute) {
	for _, check := range []func(hcl.Expression) *hcl.Diagnostic{weight.Loops, weight.Numbers, spec.KeyTwice} {
		if diag := check(attr.expr); diag != nil {
			l.report(diag)
			attr.broken = true
			return
		}
	}
	l.meter.Watch(attr.expr)
	for _, traversal := range attr.expr.Variables() {
		if traversal.RootName() == "each" {
			attr.each = true
			if diag := l.checkEach(in, attr, traversal); diag != nil {
				l.report(diag)
				attr.broken = true
			}
			continue
		}
		target, diag := l.lookUp(traversal)
		if diag != nil {
			l.report(diag)
		}
		if target == nil || diag != nil {
			attr.broken = true
		}
		if target != nil {
			attr.refs = append(attr.refs, reference{Target: target, Range: traversal.SourceRange()})
		}
	}
}

// checkEach explains a use of each where there is none.
func (l *loader) checkEach(in *Block, attr *attribute, traversal hcl.Traversal) *hcl.Diagnostic {
	rng := traversal.SourceRange()
	name, _ := stepName(traversal, 1)
	switch {
	case name != "key" && name != "value":
		return spec.ErrorAt(rng, summaryUnknown, "There are each.key and each.value only. Write one of them.")
	case in == nil || in.Spec.Argument("for_each") == nil:
		return spec.ErrorAt(rng, summaryEach, "each stands for an element of for_each, which only a sync has. Write the value itself.")
	case attr.spec.Kind == spec.ForEach:
		return spec.ErrorAt(rng, summaryEach, "for_each makes the elements, so it cannot use one. Write the value itself.")
	case !in.Has("for_each"):
		return spec.ErrorAt(rng, summaryEach, fmt.Sprintf("%s has no for_each, so there is no element. Write for_each in the block, or the value itself.", in.Address))
	}
	return nil
}

// lookUp finds the node that a traversal begins with. Without a node and without
// a diagnostic the mistake was reported where the node is.
func (l *loader) lookUp(traversal hcl.Traversal) (*node, *hcl.Diagnostic) {
	rng := traversal.SourceRange()
	root := traversal.RootName()
	prefix := []string{root}
	switch root {
	case "kms", "sync", "var", "local":
	case "connection":
		prefix = append(prefix, bitbucketType)
		if step, ok := stepName(traversal, 1); ok && step != bitbucketType {
			if l.named[strings.Join(prefix, ".")+"."+step] == nil {
				step = "NAME"
			}
			return nil, spec.ErrorAt(rng, summaryUnknown, fmt.Sprintf("The only type of a connection is \"bitbucket\". Write connection.bitbucket.%s.", step))
		}
	default:
		return nil, l.unknownRoot(rng, root)
	}
	kind := strings.Join(prefix, ".")
	label, ok := stepName(traversal, len(prefix))
	if !ok {
		return nil, spec.ErrorAt(rng, summaryIncomplete, fmt.Sprintf("This does not name a declaration. Write %s.NAME, with the name itself.", kind))
	}
	target := l.named[kind+"."+label]
	if target == nil && l.lost[declaredBy(root)] {
		return nil, nil
	}
	if target == nil {
		return nil, l.unknownNode(rng, kind, label)
	}
	if target.block == nil || root == "var" || target.block.Has("for_each") {
		return target, nil
	}
	return target, checkArgument(target.block, traversal, len(prefix)+1)
}

// declaredBy returns the type of the blocks that declare what a root refers to.
func declaredBy(root string) string {
	switch root {
	case "var":
		return "variable"
	case "local":
		return "locals"
	}
	return root
}

// unknownRoot explains a first name that leads nowhere: a misspelt one, a label
// without its type, or text without quotes.
func (l *loader) unknownRoot(rng hcl.Range, name string) *hcl.Diagnostic {
	remedy := spec.DidYouMean(name, roots, "%q")
	for _, address := range SortedNames(l.named) {
		if l.named[address].label == name {
			remedy = fmt.Sprintf(" Did you mean %s?", address)
			break
		}
	}
	if remedy == "" {
		remedy = " Text needs quotes."
	}
	return spec.ErrorAt(rng, summaryUnknown, fmt.Sprintf(
		"An expression may refer to var.NAME, local.NAME, kms.NAME, connection.bitbucket.NAME, sync.NAME, each.key and each.value, not to %q.%s", name, remedy))
}

// unknownNode explains a reference to what is not declared.
func (l *loader) unknownNode(rng hcl.Range, kind, label string) *hcl.Diagnostic {
	var labels []string
	root, _, _ := strings.Cut(kind, ".")
	for _, n := range l.byRoot[root] {
		labels = append(labels, n.label)
	}
	remedy := spec.DidYouMean(label, labels, kind+".%s")
	switch {
	case remedy != "":
	case len(labels) == 0:
		remedy = " Declare it."
	default:
		remedy = fmt.Sprintf(" Declare it, or use one of: %s.", enumerate(labels))
	}
	return spec.ErrorAt(rng, summaryUnknown, fmt.Sprintf("Nothing declares %s.%s.%s", kind, label, remedy))
}

// enumerate lists names, but not hundreds of them.
func enumerate(names []string) string {
	const most = 20
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// checkArgument finds the argument that a reference names, if it names one: it
// must be one of the block's own, and have a value.
func checkArgument(target *Block, traversal hcl.Traversal, at int) *hcl.Diagnostic {
	if at < len(traversal) {
		if index, ok := traversal[at].(hcl.TraverseIndex); ok && target.Spec.Argument("for_each") != nil {
			return spec.ErrorAt(index.SrcRange, summaryUnknown, fmt.Sprintf("%s (%s) has no for_each, so it has no elements. Write %s.ARGUMENT.", target.Address, spec.Place(target.Header), target.Address))
		}
	}
	name, ok := stepName(traversal, at)
	if !ok {
		return nil
	}
	rng := traversal.SourceRange()
	argument := target.Spec.Argument(name)
	if argument == nil || argument.Later || argument.Kind == spec.ForEach {
		names := target.Spec.Referable()
		remedy := spec.DidYouMean(name, slices.Clone(names), target.Address+".%s")
		if remedy == "" {
			remedy = fmt.Sprintf(" Use one of: %s.", strings.Join(names, ", "))
		}
		return spec.ErrorAt(rng, summaryUnknown, fmt.Sprintf("%s has no argument %q that can be referred to.%s", target.Address, name, remedy))
	}
	if !target.Has(name) && target.defaultOf(argument).IsNull() {
		return spec.ErrorAt(rng, summaryNoValue, fmt.Sprintf("%s (%s) does not set %s. Set it there, or write the value here.", target.Address, spec.Place(target.Header), name))
	}
	return nil
}

// stepName returns the name that a step of a traversal gives: both .name and
// ["name"] do.
func stepName(traversal hcl.Traversal, at int) (string, bool) {
	if at >= len(traversal) {
		return "", false
	}
	switch step := traversal[at].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if isString(step.Key) {
			return step.Key.AsString(), true
		}
	}
	return "", false
}
