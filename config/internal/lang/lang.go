// Package lang is the engine of the configuration language: it reads the blocks
// of parsed files by a specification, finds what their expressions refer to, and
// evaluates each after what it needs. What blocks there are and what they mean is
// in package config.
package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/hanzoai/kmsync/config/internal/spec"

	"github.com/hanzoai/kmsync/config/internal/weight"
)

// Options says what to read, and with what.
type Options struct {
	Language  *spec.Block
	Functions map[string]function.Function
	// Inputs are the values of variables, by name.
	Inputs map[string]Input
	// Fallback returns the value of a variable that Inputs has none for.
	Fallback func(variable string) (Input, bool)
	// NeedInputs says that a variable without a value is a mistake; else it is
	// unknown, and so is what depends on it.
	NeedInputs bool
	// Broken says that some files could not be read: what is not declared in the
	// others may be there.
	Broken bool
}

// Result holds the blocks by type: those with a name first, in the order of their
// addresses; those that are not usable come last, to be looked at for mistakes.
type Result struct {
	Blocks map[string][]*Block
	// Lost holds the types of blocks of which some could not be read.
	Lost map[string]bool
	// Variables names those that are declared.
	Variables []string
}

// loader is the state of one Load.
type loader struct {
	opt     Options
	diags   hcl.Diagnostics
	roots   []*Block           // top-level blocks as they were found
	named   map[string]*node   // by address
	unnamed []*node            // the others: without a name, or with a wrong one
	byRoot  map[string][]*node // those with a name, in the order of their addresses
	lost    map[string]bool
	within  string // address of the block of a for_each that is being evaluated
	weight  int    // of all values
	meter   weight.Meter
}

// Load reads and evaluates the bodies of files as one configuration.
func Load(bodies []hcl.Body, opt Options) (*Result, hcl.Diagnostics) {
	l := &loader{opt: opt, named: map[string]*node{}, byRoot: map[string][]*node{}, lost: map[string]bool{}}
	if opt.Broken {
		for i := range opt.Language.Blocks {
			l.lost[opt.Language.Blocks[i].Name] = true
		}
	}
	for _, body := range bodies {
		l.addFile(body)
	}
	l.nameBlocks()
	l.evaluate()
	return l.result(), l.diags
}

func (l *loader) result() *Result {
	r := &Result{Blocks: map[string][]*Block{}, Lost: l.lost}
	for _, n := range l.nodes() {
		switch {
		case n.block == nil:
		case n.root == "var":
			r.Variables = append(r.Variables, n.label)
		case len(n.instances) == 0 && !n.block.Has("for_each"):
			r.Blocks[n.root] = append(r.Blocks[n.root], n.block)
		default:
			r.Blocks[n.root] = append(r.Blocks[n.root], n.instances...)
		}
	}
	return r
}

// maxWeight is how much all values of a configuration may hold together, in bytes
// of text and elements: far more than people write, and little enough that values
// which double each other do no harm.
const maxWeight = 16 << 20

// weigh counts a value of a variable or a local, and refuses it when all together
// hold too much.
func (l *loader) weigh(v cty.Value, rng hcl.Range) cty.Value {
	if l.weight > maxWeight {
		return cty.DynamicVal // reported
	}
	if weight.IsHuge(v) {
		l.report(spec.ErrorAt(rng, summaryTooLarge, "The value holds a number of more than about 1,200 digits. Write a smaller one."))
		return cty.DynamicVal
	}
	l.weight += weight.Of(v)
	if l.weight <= maxWeight {
		return v
	}
	l.report(spec.ErrorAt(rng, summaryTooLarge, fmt.Sprintf("With this, the values of the configuration hold more than %d MiB. Make them smaller.", maxWeight>>20)))
	return cty.DynamicVal
}
