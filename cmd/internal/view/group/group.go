// Package group finds what many syncs of a plan have alike, so that it is printed
// once. It is pure and drives nothing.
package group

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// least is how many syncs must have a change for it to be printed once.
const least = 3

// Group is changes that several syncs have alike. Each member has all of them.
type Group struct {
	Pattern string // glob address: sync.service["*"], or sync.*
	Members []int  // which syncs of the plan, in their order
	Changes []plan.Change
}

// Of takes the changes that three or more syncs have alike out of them, and returns
// them beside copies of the syncs with what is left. like returns the same text for
// changes that may be printed as one. Deletes stay where they are, so that each
// names its destination. Every change is in exactly one of the two results.
func Of(syncs []plan.Sync, like func(plan.Change) string) (groups []*Group, rest []plan.Sync) {
	members := sharing(syncs, like)
	byMembers := map[string]*Group{}
	rest = slices.Clone(syncs)
	for i, s := range syncs {
		var own []plan.Change
		seen := map[string]bool{}
		for _, c := range s.Changes {
			key := like(c)
			shared, again := members[key], seen[key]
			seen[key] = true
			switch {
			case len(shared) < least || again:
				own = append(own, c)
			case shared[0] == i: // the first of them brings it
				id := fmt.Sprint(shared)
				if byMembers[id] == nil {
					byMembers[id] = &Group{Pattern: patternOf(syncs, shared), Members: shared}
					groups = append(groups, byMembers[id])
				}
				byMembers[id].Changes = append(byMembers[id].Changes, c)
			}
		}
		rest[i].Changes = own
	}
	slices.SortStableFunc(groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), slices.Compare(a.Members, b.Members))
	})
	return groups, rest
}

// sharing returns which syncs have a change, each sync once.
func sharing(syncs []plan.Sync, like func(plan.Change) string) map[string][]int {
	members := map[string][]int{}
	for i, s := range syncs {
		for _, c := range s.Changes {
			known := members[like(c)]
			if c.Action != verdict.Delete && (len(known) == 0 || known[len(known)-1] != i) {
				members[like(c)] = append(known, i)
			}
		}
	}
	return members
}

// patternOf is the glob address with the longest text that all members match:
// that of one sync block with for_each, or of all syncs.
func patternOf(syncs []plan.Sync, members []int) string {
	block, _, isElement := strings.Cut(syncs[members[0]].Address, "[")
	for _, i := range members {
		if other, _, ok := strings.Cut(syncs[i].Address, "["); !ok || other != block {
			isElement = false
		}
	}
	if isElement {
		return block + `["*"]`
	}
	return "sync.*"
}

// Matches reports whether an address is one of those that the pattern stands for.
func (g *Group) Matches(address string) bool {
	block, _, isElement := strings.Cut(g.Pattern, "[")
	return !isElement || strings.HasPrefix(address, block+"[")
}

// maxNamed is how many syncs are named in the head of a group.
const maxNamed = 5

// Who says which syncs a group is about: all that its pattern stands for, all but
// some, or some, named where they are few.
func (g *Group) Who(syncs []plan.Sync) string {
	var in, out []string
	for i, s := range syncs {
		switch {
		case slices.Contains(g.Members, i):
			in = append(in, s.Address)
		case g.Matches(s.Address):
			out = append(out, s.Address)
		}
	}
	of := fmt.Sprintf("%d of %d syncs", len(in), len(in)+len(out))
	switch {
	case len(out) == 0:
		return fmt.Sprintf("all %d syncs", len(in))
	case len(out) <= min(len(in), maxNamed):
		return of + ", not " + strings.Join(out, ", ")
	case len(in) <= maxNamed:
		return of + ": " + strings.Join(in, ", ")
	}
	return of + "; kmsync plan --full names them"
}
