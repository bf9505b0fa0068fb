package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

// Block is one block of the configuration, with the values of its arguments. A
// block with for_each is there once for each element.
type Block struct {
	Spec       *spec.Block
	Type       string // its label "type", or ""
	Label      string // the name that was given to it; "" for nested blocks
	Address    string // as references spell it: connection.bitbucket.acme
	LabelRange hcl.Range
	Header     hcl.Range
	// Discarded: its label is wrong or was used before.
	Discarded bool
	// Key is the element of for_each that this block is for; nil without for_each.
	Key *string

	attributes map[string]*attribute
	blocks     map[string][]*Block
	complaints hcl.Diagnostics // about what was found between its braces
}

// attribute is one argument as it was written, and its value.
type attribute struct {
	*source
	// value has the type of the specification; it is unknown until it is
	// evaluated, and stays so when it is not usable.
	value   cty.Value
	items   []Item  // of Strings
	pairs   []Pair  // of StringMap, in the order of the keys
	whole   bool    // no element of items or pairs is missing
	target  *Block  // of a reference to a block; nil when not usable
	address *string // of Address; nil when not usable
}

// source is what was written: the blocks of one for_each share it.
type source struct {
	spec    *spec.Argument
	expr    hcl.Expression
	name    hcl.Range
	refs    []reference
	each    bool // uses each.key or each.value
	broken  bool
	context *hcl.EvalContext // what it refers to, but for each; made when it is needed
	secret  bool             // refers to something sensitive; known when context is
}

// Item is a string of a list, with the place it was written at.
type Item struct {
	Text  string
	Range hcl.Range
}

// Pair is an element of a map, with the places it was written at.
type Pair struct{ Key, Value Item }

// Misspelt reports whether an argument or a block of that name may be there, in a
// form that was complained about already.
func (b *Block) Misspelt(name string) bool { return misspelt(b.complaints, name) }

// Inner returns the blocks of a type inside of this one.
func (b *Block) Inner(name string) []*Block { return b.blocks[name] }

// Has reports whether an argument was written, usable or not.
func (b *Block) Has(name string) bool { return b.attributes[name] != nil }

// Value returns what was written for an argument, with its range, or else the
// default, which is null where there is none. What is not usable is unknown: it
// was reported.
func (b *Block) Value(name string) (cty.Value, hcl.Range) {
	if attr := b.attributes[name]; attr != nil {
		v, _ := attr.value.UnmarkDeep()
		return v, attr.expr.Range()
	}
	return b.defaultOf(b.Spec.Argument(name)), hcl.Range{}
}

// Items returns the strings of a list, without those that are not usable.
func (b *Block) Items(name string) []Item {
	if attr := b.attributes[name]; attr != nil {
		return attr.items
	}
	return nil
}

// Pairs returns the elements of a map, without those that are not usable, in the
// order of their keys.
func (b *Block) Pairs(name string) []Pair {
	if attr := b.attributes[name]; attr != nil {
		return attr.pairs
	}
	return nil
}

// Target returns the block that an argument refers to; nil where it is not usable.
func (b *Block) Target(name string) *Block {
	if attr := b.attributes[name]; attr != nil {
		return attr.target
	}
	return nil
}

// defaultOf returns the default of an argument, or null.
func (b *Block) defaultOf(argument *spec.Argument) cty.Value {
	switch {
	case argument.FromLabel != nil && b.Key != nil:
		return cty.StringVal(argument.FromLabel(b.Label + " " + *b.Key))
	case argument.FromLabel != nil:
		return cty.StringVal(argument.FromLabel(b.Label))
	case argument.Default == cty.NilVal:
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return argument.Default
}

// each calls f for the arguments of a block and of the blocks inside it, in the
// order of the language.
func (b *Block) each(f func(*Block, *attribute)) {
	for i := range b.Spec.Arguments {
		if attr := b.attributes[b.Spec.Arguments[i].Name]; attr != nil {
			f(b, attr)
		}
	}
	for i := range b.Spec.Blocks {
		for _, inner := range b.blocks[b.Spec.Blocks[i].Name] {
			inner.each(f)
		}
	}
}

// object is what references see of a block: its own arguments that are written
// or have a default.
func (b *Block) object() cty.Value {
	values := map[string]cty.Value{}
	for i := range b.Spec.Arguments {
		argument := &b.Spec.Arguments[i]
		if argument.Kind == spec.ForEach || argument.Later {
			continue
		}
		if attr := b.attributes[argument.Name]; attr != nil {
			values[argument.Name] = attr.value
		} else if v := b.defaultOf(argument); !v.IsNull() {
			values[argument.Name] = v
		}
	}
	return cty.ObjectVal(values)
}

// instance returns the block for one element of its for_each. Arguments that do
// not depend on the element are shared, with their values.
func (b *Block) instance(key string) *Block {
	c := b.copy()
	c.Key = &key
	c.Address += "[" + spec.Quote(key) + "]"
	return c
}

func (b *Block) copy() *Block {
	c := *b
	c.attributes = make(map[string]*attribute, len(b.attributes))
	for name, attr := range b.attributes {
		if attr.source.each {
			attr = &attribute{source: attr.source, value: cty.DynamicVal}
		}
		c.attributes[name] = attr
	}
	c.blocks = make(map[string][]*Block, len(b.blocks))
	for name, inner := range b.blocks {
		for _, i := range inner {
			c.blocks[name] = append(c.blocks[name], i.copy())
		}
	}
	return &c
}

// SyncAddress returns the address of a sync that an argument names, sync.NAME or
// sync.NAME["KEY"]; "" where it is not usable.
func (b *Block) SyncAddress(name string) (string, hcl.Range) {
	attr := b.attributes[name]
	if attr == nil {
		return "", b.Header
	}
	if attr.address == nil {
		return "", attr.expr.Range()
	}
	return *attr.address, attr.expr.Range()
}
