package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// ordering sorts blocks so that each comes after those it refers to.
type ordering struct {
	path   []step
	done   map[*block]bool
	blamed map[*block]bool // part of a cycle that was reported
	sorted []*block
	report func(...*hcl.Diagnostic)
}

// step is a block on the way, and where it was referred to from.
type step struct {
	block *block
	via   hcl.Range
}

func (o *ordering) visit(b *block) { o.follow(b, b.header) }

func (o *ordering) follow(b *block, via hcl.Range) {
	if o.done[b] {
		return
	}
	for i := range o.path {
		if o.path[i].block == b {
			o.reportCycle(o.path[i:], via)
			return
		}
	}
	o.path = append(o.path, step{b, via})
	b.each(func(attr *attribute) {
		for _, ref := range attr.refs {
			o.follow(ref.target, ref.rng)
		}
	})
	o.path = o.path[:len(o.path)-1]
	o.done[b] = true
	o.sorted = append(o.sorted, b)
}

// reportCycle names every block of a cycle, and where each is referred to.
func (o *ordering) reportCycle(cycle []step, closing hcl.Range) {
	if !slices.ContainsFunc(cycle, func(s step) bool { return !o.blamed[s.block] }) {
		return
	}
	var b strings.Builder
	b.WriteString(cycle[0].block.address)
	for i, s := range cycle {
		o.blamed[s.block] = true
		next, via := cycle[0].block, closing
		if i+1 < len(cycle) {
			next, via = cycle[i+1].block, cycle[i+1].via
		}
		fmt.Fprintf(&b, " → %s (%s)", next.address, place(via))
	}
	o.report(errorAt(closing, summaryCycle, "These blocks need each other's values: "+b.String()+". Write one of the values itself."))
}
