// Package spec describes a language of blocks and arguments, and says in plain
// words what is wrong with a body that does not fit.
package spec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/rules"
)

// Argument describes one argument of a block.
type Argument struct {
	Name     string
	Kind     Kind
	Required bool
	Later    bool // of the language, and not built yet: refused
	Default  cty.Value
	// FromLabel makes the default from the label of the block; used where Default is
	// not set.
	FromLabel func(label string) string
	Check     func(value string) *rules.Problem // of a string, or of each string of a list or map; of a number as it is written
	// Hidden says that no output ever shows it, so that it may be sensitive.
	Hidden bool
	Doc    string // what it means, for the documentation
	// DocDefault is how the documentation writes a default that is not a value.
	DocDefault string
}

// Block describes one type of block, or, without a name, a file.
type Block struct {
	Name      string
	Labels    []string // what the labels are called; "type" must be one of Types
	Types     []string // of the label "type"; the first is the usual one
	Later     []string // of the label "type": of the language, and not built yet
	Header    string   // how the first line is written
	Example   string   // a whole block, for who has none
	Min, Max  int      // how many the block around it holds; Max 0: any number
	NotYet    bool     // of the language, and not built yet
	Free      bool     // its arguments have any names and values: locals
	Nameless  bool     // declared without a name: no reference leads to it
	Arguments []Argument
	Blocks    []Block
	Doc       string
}

// Argument returns the argument of that name, or nil.
func (s *Block) Argument(name string) *Argument {
	for i := range s.Arguments {
		if s.Arguments[i].Name == name {
			return &s.Arguments[i]
		}
	}
	return nil
}

// Inner returns the type of block of that name, or nil.
func (s *Block) Inner(name string) *Block {
	for i := range s.Blocks {
		if s.Blocks[i].Name == name {
			return &s.Blocks[i]
		}
	}
	return nil
}

// Schema returns the specification in HCL's terms. Nothing is required in it:
// what is missing is reported in kmsync's words.
func (s *Block) Schema() *hcl.BodySchema {
	schema := &hcl.BodySchema{}
	for i := range s.Arguments {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: s.Arguments[i].Name})
	}
	for i := range s.Blocks {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: s.Blocks[i].Name, LabelNames: s.Blocks[i].Labels})
	}
	return schema
}

// Referable lists the arguments that references may name.
func (s *Block) Referable() []string {
	var names []string
	for i := range s.Arguments {
		if !s.Arguments[i].Later && s.Arguments[i].Kind != ForEach {
			names = append(names, s.Arguments[i].Name)
		}
	}
	return names
}

// Sensitive marks values of sensitive variables, and what is made of them.
const Sensitive = mark("sensitive")

type mark string

// Quote writes a key as HCL does in an index.
func Quote(key string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(key) + `"`
}
