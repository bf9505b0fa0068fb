package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/rules"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// addFile takes the top-level blocks of a file.
func (l *loader) addFile(file hcl.Body) {
	body := l.readBody(l.opt.Language, file)
	for i := range l.opt.Language.Blocks {
		name := l.opt.Language.Blocks[i].Name
		l.roots = append(l.roots, body.blocks[name]...)
		if misspelt(body.complaints, name) {
			l.lost[name] = true
		}
	}
}

// body is what was found between two braces.
type body struct {
	attributes map[string]*attribute
	blocks     map[string][]*Block
	complaints hcl.Diagnostics
}

// misspelt reports whether what should be called name may be there, in a form
// that was complained about already.
func misspelt(complaints hcl.Diagnostics, name string) bool {
	for _, diag := range complaints {
		if strings.Contains(diag.Detail, fmt.Sprintf("%q", name)) || strings.Contains(diag.Detail, spec.Article(name)+" block") {
			return true
		}
	}
	return false
}

// readBody sorts what a body holds by the specification.
func (l *loader) readBody(language *spec.Block, written hcl.Body) *body {
	if language.Free {
		return l.readFree(written)
	}
	content, diags := written.Content(language.Schema())
	b := &body{attributes: map[string]*attribute{}, blocks: map[string][]*Block{}}
	for _, diag := range diags {
		b.complaints = append(b.complaints, language.Explain(diag))
	}
	l.report(b.complaints...)
	for name, attr := range content.Attributes {
		argument := language.Argument(name)
		if argument.Later {
			l.report(spec.ErrorAt(attr.NameRange, rules.NotSupported, fmt.Sprintf("The argument %s of %s block is not supported yet. Remove it.", name, spec.Article(language.Name))))
			continue
		}
		b.attributes[name] = newAttribute(argument, attr)
		if argument.Kind == spec.Address {
			b.attributes[name].address = l.syncAddress(argument, attr.Expr)
		}
	}
	for _, found := range content.Blocks {
		if inner := language.Inner(found.Type); inner.NotYet {
			l.report(spec.ErrorAt(found.DefRange, rules.NotSupported, fmt.Sprintf("Blocks of type %s are not supported yet. Remove the block.", inner.Name)))
		} else {
			b.blocks[inner.Name] = append(b.blocks[inner.Name], l.readBlock(inner, found))
		}
	}
	return b
}

func newAttribute(argument *spec.Argument, attr *hcl.Attribute) *attribute {
	return &attribute{source: &source{spec: argument, expr: attr.Expr, name: attr.NameRange}, value: cty.DynamicVal}
}

// readFree reads a body whose arguments have any names.
func (l *loader) readFree(written hcl.Body) *body {
	b := &body{attributes: map[string]*attribute{}}
	found, diags := written.JustAttributes()
	for _, diag := range diags {
		remedy := " Write NAME = VALUE, one name to a line."
		if diag.Summary == "Duplicate attribute definition" { // in JSON
			remedy = " Remove one of them."
		}
		diag.Detail += remedy
		b.complaints = append(b.complaints, diag)
	}
	l.report(b.complaints...)
	for name, attr := range found {
		if !hclsyntax.ValidIdentifier(name) { // in JSON
			l.report(spec.ErrorAt(attr.NameRange, summaryLabel, labelRule))
			continue
		}
		b.attributes[name] = newAttribute(&spec.Argument{Name: name, Kind: spec.Any, Hidden: true}, attr)
	}
	return b
}

// readBlock reads a block and those inside it.
func (l *loader) readBlock(language *spec.Block, found *hcl.Block) *Block {
	content := l.readBody(language, found.Body)
	b := &Block{Spec: language, Header: found.DefRange, attributes: content.attributes, blocks: content.blocks, complaints: content.complaints, LabelRange: found.DefRange}
	for i, what := range language.Labels {
		if what == "name" {
			b.Label, b.LabelRange = found.Labels[i], found.LabelRanges[i]
			continue
		}
		b.Type = found.Labels[i]
		l.checkType(b, found.LabelRanges[i])
	}
	b.Address = strings.Join(append([]string{language.Name}, found.Labels...), ".")
	if language.Name == "variable" {
		b.Address = "var." + b.Label
	}
	l.checkComplete(b)
	return b
}

// checkType checks the label that says which service a block is about.
func (l *loader) checkType(b *Block, rng hcl.Range) {
	switch {
	case slices.Contains(b.Spec.Types, b.Type):
		return
	case slices.Contains(b.Spec.Later, b.Type):
		l.report(spec.ErrorAt(rng, rules.NotSupported, fmt.Sprintf("A %s of type %q is not supported yet. Write: %s", b.Spec.Name, b.Type, b.Spec.Header)))
	default:
		l.report(spec.ErrorAt(rng, summaryType, fmt.Sprintf("The only type of a %s is %q. Write: %s", b.Spec.Name, b.Spec.Types[0], b.Spec.Header)))
	}
	b.Discarded = true
}

// checkComplete reports what a block must hold and does not, or holds too often.
func (l *loader) checkComplete(b *Block) {
	for i := range b.Spec.Arguments {
		argument := &b.Spec.Arguments[i]
		if argument.Required && b.attributes[argument.Name] == nil && !b.Misspelt(argument.Name) {
			l.report(spec.ErrorAt(b.Header, summaryMissing, fmt.Sprintf("This %s block needs the argument %s. Write: %s = %s", b.Spec.Name, argument.Name, argument.Name, argument.Form())))
		}
	}
	for i := range b.Spec.Blocks {
		inner := &b.Spec.Blocks[i]
		found := b.blocks[inner.Name]
		if len(found) < inner.Min && !b.Misspelt(inner.Name) {
			l.report(spec.ErrorAt(b.Header, summaryMissingBlock, fmt.Sprintf("This %s block needs %s block inside. Write: %s ... }", b.Spec.Name, spec.Article(inner.Name), inner.Header)))
		}
		for inner.Max > 0 && len(found) > inner.Max {
			l.report(spec.ErrorAt(found[inner.Max].Header, summaryDuplicate, fmt.Sprintf(
				"This %s block holds more than one %s block; the first is at %s. Remove one of them.", b.Spec.Name, inner.Name, spec.Place(found[0].Header))))
			found = append(found[:inner.Max:inner.Max], found[inner.Max+1:]...)
		}
	}
}

// syncAddress reads the address of a sync, which need not be declared.
func (l *loader) syncAddress(argument *spec.Argument, expr hcl.Expression) *string {
	traversal, diags := spec.Traversal(expr)
	if !diags.HasErrors() && len(traversal) >= 2 && len(traversal) <= 3 && traversal.RootName() == "sync" {
		label, named := traversal[1].(hcl.TraverseAttr)
		address := "sync." + label.Name
		if len(traversal) == 2 && named {
			return &address
		}
		if index, ok := traversal[len(traversal)-1].(hcl.TraverseIndex); named && ok && isString(index.Key) {
			address += "[" + spec.Quote(index.Key.AsString()) + "]"
			return &address
		}
	}
	l.report(spec.ErrorAt(expr.Range(), summaryAddress, fmt.Sprintf("The argument %s is the address of a sync. Write %s, or %s.",
		argument.Name, spec.Spelled(expr, "sync.NAME"), spec.Spelled(expr, `sync.NAME["KEY"]`))))
	return nil
}
