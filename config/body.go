package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// block is one block as it was written, its arguments not yet evaluated.
type block struct {
	spec       *blockSpec
	label      string // the name that was given to it; "" for nested blocks
	address    string // how references spell it: connection.bitbucket.acme
	labelRange hcl.Range
	header     hcl.Range
	attributes map[string]*attribute
	blocks     map[string][]*block
	discarded  bool // its label is wrong or was used before
}

// attribute is one argument as it was written.
type attribute struct {
	spec *attributeSpec
	expr hcl.Expression
	refs []reference
	// value has the type of the specification; it is unknown until it is
	// evaluated, and stays so when it is not usable.
	value  cty.Value
	items  []Located[string] // of a kindStrings
	target *block            // of a kindKMS or kindConnection; nil when not usable
	broken bool
}

// addFile takes the top-level blocks of a file.
func (l *loader) addFile(file *hcl.File) {
	body := l.readBody(l.language, file.Body)
	for i := range l.language.blocks {
		name := l.language.blocks[i].name
		l.roots = append(l.roots, body.blocks[name]...)
		if body.misspelt(name) {
			l.lost[name] = true
		}
	}
}

// body is what was found between two braces.
type body struct {
	attributes map[string]*attribute
	blocks     map[string][]*block
	complaints hcl.Diagnostics
}

// misspelt reports whether what should be called name may be there, in a form
// that was complained about already.
func (b *body) misspelt(name string) bool {
	for _, diag := range b.complaints {
		if strings.Contains(diag.Detail, fmt.Sprintf("%q", name)) || strings.Contains(diag.Detail, article(name)+" block") {
			return true
		}
	}
	return false
}

// readBody sorts what a body holds by the specification.
func (l *loader) readBody(spec *blockSpec, source hcl.Body) *body {
	content, diags := source.Content(spec.schema())
	b := &body{attributes: map[string]*attribute{}, blocks: map[string][]*block{}}
	for _, diag := range diags {
		b.complaints = append(b.complaints, spec.explain(diag))
	}
	l.report(b.complaints...)
	for name, attr := range content.Attributes {
		as := spec.attribute(name)
		if as.later {
			l.report(errorAt(attr.NameRange, summaryNotSupported, fmt.Sprintf("The argument %s of %s block is not supported yet. Remove it.", name, article(spec.name))))
			continue
		}
		b.attributes[name] = &attribute{spec: as, expr: attr.Expr, value: cty.DynamicVal}
	}
	for _, found := range content.Blocks {
		if bs := spec.block(found.Type); bs.later {
			l.report(errorAt(found.DefRange, summaryNotSupported, fmt.Sprintf("Blocks of type %s are not supported yet. Remove the block.", bs.name)))
		} else {
			b.blocks[bs.name] = append(b.blocks[bs.name], l.readBlock(bs, found))
		}
	}
	return b
}

// readBlock reads a block and those inside it.
func (l *loader) readBlock(spec *blockSpec, found *hcl.Block) *block {
	content := l.readBody(spec, found.Body)
	b := &block{spec: spec, header: found.DefRange, attributes: content.attributes, blocks: content.blocks}
	b.labelRange = found.DefRange
	for i, what := range spec.labels {
		if what == "name" {
			b.label, b.labelRange = found.Labels[i], found.LabelRanges[i]
		} else if found.Labels[i] != bitbucketType {
			b.discarded = true
			l.report(errorAt(found.LabelRanges[i], summaryType, fmt.Sprintf("The only type of a %s is \"bitbucket\". Write: %s", spec.name, spec.header)))
		}
	}
	b.address = strings.Join(append([]string{spec.name}, found.Labels...), ".")
	l.checkComplete(b, content)
	return b
}

// checkComplete reports what a block must hold and does not, or holds too often.
func (l *loader) checkComplete(b *block, content *body) {
	for i := range b.spec.attributes {
		as := &b.spec.attributes[i]
		if as.required && b.attributes[as.name] == nil && !content.misspelt(as.name) {
			l.report(errorAt(b.header, summaryMissing, fmt.Sprintf("This %s block needs the argument %s. Write: %s = \"...\"", b.spec.name, as.name, as.name)))
		}
	}
	for i := range b.spec.blocks {
		bs := &b.spec.blocks[i]
		found := b.blocks[bs.name]
		if len(found) < bs.min && !content.misspelt(bs.name) {
			l.report(errorAt(b.header, summaryMissingBlock, fmt.Sprintf("This %s block needs %s block inside. Write: %s ... }", b.spec.name, article(bs.name), bs.header)))
		}
		for len(found) > bs.max {
			l.report(surplus(b.spec, bs, found[0], found[bs.max]))
			found = append(found[:bs.max:bs.max], found[bs.max+1:]...)
		}
	}
}

// surplus explains a block that is there more often than it may be.
func surplus(outer, spec *blockSpec, first, extra *block) *hcl.Diagnostic {
	if spec.manyLater {
		return errorAt(extra.header, summaryNotSupported, fmt.Sprintf("More than one %s block is not supported yet; the first is at %s. Write one %s block for each.", spec.name, place(first.header), outer.name))
	}
	return errorAt(extra.header, summaryDuplicate, fmt.Sprintf("This %s block holds more than one %s block; the first is at %s. Remove one of them.", outer.name, spec.name, place(first.header)))
}

// schema returns the specification in HCL's terms. Nothing is required in it:
// what is missing is reported in kmsync's words.
func (s *blockSpec) schema() *hcl.BodySchema {
	schema := &hcl.BodySchema{}
	for i := range s.attributes {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: s.attributes[i].name})
	}
	for i := range s.blocks {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: s.blocks[i].name, LabelNames: s.blocks[i].labels})
	}
	return schema
}

// place writes where something is, as people do: main.sync.hcl:14.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }
