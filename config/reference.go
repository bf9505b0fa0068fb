package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// reference is a use of a block, or of one argument of it, in an expression.
type reference struct {
	target *block
	rng    hcl.Range
}

// nameBlocks indexes the top-level blocks by address and reports labels that are
// wrong or used twice.
func (l *loader) nameBlocks() {
	for _, b := range l.roots {
		if b.discarded {
			l.lost[b.spec.name] = true
			continue
		}
		if !hclsyntax.ValidIdentifier(b.label) {
			b.discarded = true
			l.lost[b.spec.name] = true
			l.report(errorAt(b.labelRange, summaryLabel, "A label begins with a letter and holds letters, digits, underscores and hyphens. Choose another."))
			continue
		}
		if first := l.named[b.address]; first != nil {
			b.discarded = true
			l.report(errorAt(b.header, summaryDuplicate, fmt.Sprintf("%s is declared at %s already. Rename or remove one of them.", b.address, place(first.header))))
			continue
		}
		l.named[b.address] = b
	}
	for _, address := range sortedNames(l.named) {
		b := l.named[address]
		l.declared[b.spec.name] = append(l.declared[b.spec.name], b)
	}
}

// resolve finds what an argument refers to and reports what does not exist.
func (l *loader) resolve(attr *attribute) {
	if node, ok := attr.expr.(hclsyntax.Node); ok {
		_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			switch n := n.(type) {
			case *hclsyntax.FunctionCallExpr:
				attr.broken = true
				l.report(errorAt(n.NameRange, summaryNotSupported, "Functions are not supported yet. Write the value itself."))
			case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
				attr.broken = true
				l.report(errorAt(n.Range(), summaryNotSupported, "Expressions that loop (for, [*]) are not supported yet. Write the values themselves."))
			}
			return nil
		})
	}
	for _, traversal := range attr.expr.Variables() {
		target, diag := l.lookUp(traversal)
		if diag != nil {
			l.report(diag)
		}
		if target == nil || diag != nil {
			attr.broken = true
		}
		if target != nil {
			attr.refs = append(attr.refs, reference{target, traversal.SourceRange()})
		}
	}
}

// lookUp finds the block that a traversal begins with. Without a block and
// without a diagnostic the mistake was reported where the block is.
func (l *loader) lookUp(traversal hcl.Traversal) (*block, *hcl.Diagnostic) {
	rng := traversal.SourceRange()
	prefix := []string{traversal.RootName()}
	switch prefix[0] {
	case "kms", "sync":
	case "connection":
		prefix = append(prefix, bitbucketType)
		if step, ok := stepName(traversal, 1); ok && step != bitbucketType {
			if l.named[strings.Join(prefix, ".")+"."+step] == nil {
				step = "NAME"
			}
			return nil, errorAt(rng, summaryUnknown, fmt.Sprintf("The only type of a connection is \"bitbucket\". Write connection.bitbucket.%s.", step))
		}
	case "var", "local", "each":
		return nil, errorAt(rng, summaryNotSupported, fmt.Sprintf("References to %s.NAME are not supported yet. Write the value itself.", prefix[0]))
	default:
		return nil, l.unknownRoot(rng, prefix[0])
	}
	kind := strings.Join(prefix, ".")
	label, ok := stepName(traversal, len(prefix))
	if !ok {
		return nil, errorAt(rng, summaryIncomplete, fmt.Sprintf("This does not name a block. Write %s.NAME, with the name itself.", kind))
	}
	target := l.named[kind+"."+label]
	if target == nil && l.lost[prefix[0]] {
		return nil, nil
	}
	if target == nil {
		return nil, l.unknownBlock(rng, kind, label)
	}
	return target, checkArgument(target, traversal, len(prefix)+1)
}

// unknownRoot explains a first name that is no type of block: a misspelt type, a
// label without its type, or text without quotes.
func (l *loader) unknownRoot(rng hcl.Range, name string) *hcl.Diagnostic {
	remedy := didYouMean(name, []string{"kms", "connection", "sync"}, "%q")
	for _, address := range sortedNames(l.named) {
		if l.named[address].label == name {
			remedy = fmt.Sprintf(" Did you mean %s?", address)
			break
		}
	}
	if remedy == "" {
		remedy = " Text needs quotes."
	}
	return errorAt(rng, summaryUnknown, fmt.Sprintf("An expression may refer to kms.NAME, connection.bitbucket.NAME and sync.NAME, not to %q.%s", name, remedy))
}

// unknownBlock explains a reference to a block that is not declared.
func (l *loader) unknownBlock(rng hcl.Range, kind, label string) *hcl.Diagnostic {
	var labels []string
	root, _, _ := strings.Cut(kind, ".")
	for _, b := range l.declared[root] {
		labels = append(labels, b.label)
	}
	remedy := didYouMean(label, labels, kind+".%s")
	switch {
	case remedy != "":
	case len(labels) == 0:
		remedy = " Declare it."
	default:
		remedy = fmt.Sprintf(" Declare it, or use one of: %s.", strings.Join(labels, ", "))
	}
	return errorAt(rng, summaryUnknown, fmt.Sprintf("No block declares %s.%s.%s", kind, label, remedy))
}

// checkArgument finds the argument that a reference names, if it names one: it
// must be one of the block's own, and have a value.
func checkArgument(target *block, traversal hcl.Traversal, at int) *hcl.Diagnostic {
	name, ok := stepName(traversal, at)
	if !ok {
		return nil
	}
	rng := traversal.SourceRange()
	as := target.spec.attribute(name)
	if as == nil || as.later {
		var names []string
		for i := range target.spec.attributes {
			if !target.spec.attributes[i].later {
				names = append(names, target.spec.attributes[i].name)
			}
		}
		dym := didYouMean(name, slices.Clone(names), target.address+".%s")
		if dym == "" {
			dym = fmt.Sprintf(" Use one of: %s.", strings.Join(names, ", "))
		}
		return errorAt(rng, summaryUnknown, fmt.Sprintf("%s has no argument %q that can be referred to.%s", target.address, name, dym))
	}
	if _, written := target.attributes[name]; !written && target.defaultOf(as).IsNull() {
		return errorAt(rng, summaryNoValue, fmt.Sprintf("%s (%s) does not set %s. Set it there, or write the value here.", target.address, place(target.header), name))
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
