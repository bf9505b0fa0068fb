// Package order sorts what refers to each other, and finds circles.
package order

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

// Reference is a use of a node, and where it is.
type Reference[N comparable] struct {
	Target N
	Range  hcl.Range
}

// Sorter sorts nodes so that each comes after those it refers to.
type Sorter[N comparable] struct {
	// References returns what a node refers to.
	References func(N) []Reference[N]
	// Name is what people call a node.
	Name func(N) string
	// Report takes the diagnostics about circles.
	Report func(...*hcl.Diagnostic)

	path   []Reference[N]
	on     map[N]bool // on the path
	done   map[N]bool
	blamed map[N]bool // part of a circle that was reported
	sorted []N
}

// Sort returns the nodes in order. at says where a node is declared.
func (s *Sorter[N]) Sort(nodes []N, at func(N) hcl.Range) []N {
	s.on, s.done, s.blamed = map[N]bool{}, map[N]bool{}, map[N]bool{}
	for _, n := range nodes {
		s.visit(Reference[N]{n, at(n)})
	}
	return s.sorted
}

func (s *Sorter[N]) visit(r Reference[N]) {
	n := r.Target
	if s.done[n] {
		return
	}
	if s.on[n] {
		at := slices.IndexFunc(s.path, func(on Reference[N]) bool { return on.Target == n })
		s.reportCycle(s.path[at:], r.Range)
		return
	}
	s.path = append(s.path, r)
	s.on[n] = true
	for _, next := range s.References(n) {
		s.visit(next)
	}
	s.path = s.path[:len(s.path)-1]
	s.on[n] = false
	s.done[n] = true
	s.sorted = append(s.sorted, n)
}

const summaryCycle = "Reference cycle"

// reportCycle names every node of a circle, and where each is referred to.
func (s *Sorter[N]) reportCycle(cycle []Reference[N], closing hcl.Range) {
	if !slices.ContainsFunc(cycle, func(r Reference[N]) bool { return !s.blamed[r.Target] }) {
		return
	}
	var b strings.Builder
	b.WriteString(s.Name(cycle[0].Target))
	for i, r := range cycle {
		s.blamed[r.Target] = true
		next := Reference[N]{cycle[0].Target, closing}
		if i+1 < len(cycle) {
			next = cycle[i+1]
		}
		fmt.Fprintf(&b, " → %s (%s)", s.Name(next.Target), spec.Place(next.Range))
	}
	s.Report(spec.ErrorAt(closing, summaryCycle, "These need each other's values: "+b.String()+". Write one of the values itself."))
}
