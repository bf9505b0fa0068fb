package keyspace

import (
	"slices"
	"sort"
	"strings"
)

// Claim is what one of several writers has to do with the keys of a place.
type Claim struct {
	Produced []Space // it may write every key in these
	Claimed  []Space // it may delete, from these, every key that it does not write
}

// Clash is a key that one of two writers claims and the other can produce.
type Clash struct {
	Example string // "" where it is not proven that there is none, and none is known
	First   bool   // the first of the two claims it
}

// Clash returns a key that one of two writers claims and the other can produce, or
// false where there is none.
func (v *Prover) Clash(a, b Claim) (Clash, bool) {
	if example, ok := v.intersectAny(a.Claimed, b.Produced); ok {
		return Clash{example, true}, true
	}
	example, ok := v.intersectAny(b.Claimed, a.Produced)
	return Clash{example, false}, ok
}

func (v *Prover) intersectAny(some, others []Space) (example string, ok bool) {
	for _, a := range some {
		for _, b := range others {
			found, met := v.Intersect(a, b)
			if found != "" {
				return found, true
			}
			ok = ok || met
		}
	}
	return "", ok
}

// Meeting is what a writer has with those before it. In its Clash, the first of
// the two is the later one.
type Meeting struct {
	Clash
	With  int // place of the first that it clashes with
	Count int // of those that it clashes with
}

// Meetings returns, by place in the list, the clashes of writers with those before
// them. Writers with equal claims are decided about once.
func (v *Prover) Meetings(claims []Claim) map[int]*Meeting {
	found := map[int]*Meeting{}
	groups := group(claims)
	for i, g := range groups {
		for _, other := range groups[i:] {
			clash, ok := v.Clash(g.Claim, other.Claim)
			if !ok {
				continue
			}
			note(found, g, other, clash)
			if g != other {
				note(found, other, g, Clash{clash.Example, !clash.First})
			}
		}
	}
	return found
}

// alike are writers with equal claims, by their places, which ascend.
type alike struct {
	Claim
	members []int
}

func group(claims []Claim) []*alike {
	var groups []*alike
	byID := map[string]*alike{}
	for i, c := range claims {
		var id strings.Builder
		for _, s := range slices.Concat(c.Produced, []Space{{}}, c.Claimed) {
			id.WriteString(s.ID())
		}
		g := byID[id.String()]
		if g == nil {
			g = &alike{Claim: c}
			byID[id.String()] = g
			groups = append(groups, g)
		}
		g.members = append(g.members, i)
	}
	return groups
}

// note keeps, for the members of a group, what they have with members of another
// one, or of the same, that come before.
func note(found map[int]*Meeting, g, other *alike, clash Clash) {
	for _, i := range g.members {
		count := sort.SearchInts(other.members, i)
		if count == 0 {
			continue
		}
		m := found[i]
		if m == nil {
			m = &Meeting{With: i}
			found[i] = m
		}
		m.Count += count
		if with := other.members[0]; with < m.With {
			m.With, m.Clash = with, clash
		}
	}
}
