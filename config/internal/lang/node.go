package lang

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/spec"

	"github.com/hanzoai/kmsync/config/internal/order"
)

// node is what a reference can lead to: a block, a variable, or one of the locals.
type node struct {
	address string
	root    string // first name of references to it: var, local, kms, connection, sync
	label   string
	rng     hcl.Range
	block   *Block // nil for one of the locals
	// attributes are what must have a value before it has one.
	attributes []owned
	// value is what references see; unknown until it is evaluated, and where it is
	// not usable.
	value cty.Value
	// instances are the blocks of a for_each, or the one block itself.
	instances []*Block
	secret    bool // the value holds something sensitive
}

// owned is an attribute and the block it stands in.
type owned struct {
	block *Block
	*attribute
}

// reference is a use of a node in an expression.
type reference = order.Reference[*node]

const labelRule = "A label begins with a letter and holds letters, digits, underscores and hyphens. Choose another."

// nameBlocks makes the nodes of the top-level blocks, and reports labels that are
// wrong or used twice.
func (l *loader) nameBlocks() {
	for _, b := range l.roots {
		switch {
		case b.Spec.Free:
			l.nameLocals(b)
			continue
		case b.Spec.Nameless:
			l.unnamed = append(l.unnamed, l.blockNode(b))
			continue
		case b.Discarded:
			l.lost[b.Spec.Name] = true
		case !hclsyntax.ValidIdentifier(b.Label):
			b.Discarded = true
			l.lost[b.Spec.Name] = true
			l.report(spec.ErrorAt(b.LabelRange, summaryLabel, labelRule))
		case l.named[b.Address] != nil:
			b.Discarded = true
			l.report(spec.ErrorAt(b.Header, summaryDuplicate, fmt.Sprintf(
				"%s is declared at %s already. Rename or remove one of them.", b.Address, spec.Place(l.named[b.Address].rng))))
		}
		n := l.blockNode(b)
		if b.Discarded {
			l.unnamed = append(l.unnamed, n)
			continue
		}
		l.named[b.Address] = n
	}
	for _, address := range SortedNames(l.named) {
		n := l.named[address]
		l.byRoot[n.root] = append(l.byRoot[n.root], n)
	}
}

func (l *loader) blockNode(b *Block) *node {
	root := b.Spec.Name
	if root == "variable" {
		root = "var"
	}
	n := &node{address: b.Address, root: root, label: b.Label, rng: b.Header, block: b, value: cty.DynamicVal}
	b.each(func(in *Block, attr *attribute) {
		switch attr.spec.Kind {
		case spec.Address, spec.Type, spec.Condition, spec.Message: // not values, or evaluated when everything is
			return
		}
		n.attributes = append(n.attributes, owned{in, attr})
	})
	return n
}

// nameLocals makes a node of each of the names in a locals block.
func (l *loader) nameLocals(b *Block) {
	for _, name := range SortedNames(b.attributes) {
		attr := b.attributes[name]
		address := "local." + name
		if first := l.named[address]; first != nil {
			l.report(spec.ErrorAt(attr.name, summaryDuplicate, fmt.Sprintf(
				"%s is declared at %s already. Rename or remove one of them.", address, spec.Place(first.rng))))
			continue
		}
		l.named[address] = &node{
			address: address, root: "local", label: name, rng: attr.name, value: cty.DynamicVal, attributes: []owned{{b, attr}},
		}
	}
}

// nodes returns every node, those with a name first, in order.
func (l *loader) nodes() []*node {
	nodes := make([]*node, 0, len(l.named)+len(l.unnamed))
	for _, address := range SortedNames(l.named) {
		nodes = append(nodes, l.named[address])
	}
	return append(nodes, l.unnamed...)
}

// SortedNames returns the keys of a map in order.
func SortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
