package planner

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// run plans, holds the plan against the promises, carries it out, and plans again.
func (h *history) run(t *testing.T) *plan.Plan {
	t.Helper()
	if h.allowed && h.sides[0].overwrites && h.isActive(0) {
		h.agreed = true
	}
	p, g := h.plan()
	if broken := h.broken(p, g); broken != "" {
		t.Fatalf("%s\nafter %s\nplan %v", broken, strings.Join(h.steps, ", "), h.everything(p))
	}
	before := h.clone()
	if p.CanApply() {
		h.apply(p, g)
	}
	if broken := cmp.Or(h.touched(before), h.missed(p)); broken != "" {
		t.Fatalf("%s\nafter %s\nplan %v", broken, strings.Join(h.steps, ", "), h.everything(p))
	}
	if !p.CanApply() {
		return p
	}
	if again, _ := h.plan(); again.CanApply() {
		t.Fatalf("the plan of the applied world is not empty\nafter %s\nplan %v\nthen %v", strings.Join(h.steps, ", "), h.everything(p), h.everything(again))
	}
	return p
}

// everything is a plan in few words.
func (h *history) everything(p *plan.Plan) map[string][]string {
	all := map[string][]string{}
	for _, s := range p.Syncs {
		all[s.Address+" "+string(s.Status)] = said(p, s.Address)
	}
	return all
}

// isDoubtful reports whether anything in this run is not certain, as far as the test
// knows: whether a hidden secret is missed depends on what would be deleted.
func (h *history) isDoubtful() bool {
	for i, s := range h.sides {
		if h.isActive(i) && (s.doubted || s.unread || (len(h.listed(i)) == 0 && !h.allowEmpty)) {
			return true
		}
	}
	return h.listDoubted || h.rolled || h.unaccepted
}

// broken says which promise a plan breaks, or "".
func (h *history) broken(p *plan.Plan, g *graph.Graph) string {
	said, live := map[string]plan.Change{}, map[string]bool{}
	for _, v := range h.live {
		live[v.Key] = true
	}
	counted := p.Unmanaged
	for _, s := range p.Syncs {
		refuses := false
		counted += s.Unchanged + s.Kept
		for _, c := range s.Changes {
			other, again := said[c.Key]
			switch {
			case !again && live[c.Key]:
				counted++
			case again && (c.Action != verdict.Keep || other.Action != verdict.Keep || other.Reason != c.Reason):
				return "more than one verdict on " + c.Key // one that is kept stands under each sync that wants it
			}
			said[c.Key] = c
			refuses = refuses || c.Reason == verdict.Refused
		}
		for _, c := range s.Changes {
			switch {
			case c.BlockedBy != verdict.NotBlocked || c.Action == verdict.Keep:
				continue
			case refuses && c.Deletes():
				return "a delete beside a refused key"
			}
			if broken := h.brokenBy(s, c); broken != "" {
				return broken + ": " + c.Key
			}
		}
	}
	for _, r := range p.LeftBehind {
		if h.isRead(g) {
			counted += r.Keys
		}
	}
	if h.isRead(g) && counted != len(live) {
		return "the verdicts are not one for each variable"
	}
	return ""
}

// brokenBy says what is wrong with a change that would happen. It knows the history,
// and nothing of how the plan was made.
func (h *history) brokenBy(s plan.Sync, c plan.Change) string {
	by := slices.Index([]string{h.address(0), h.address(1)}, s.Address)
	i := slices.IndexFunc(h.live, func(v providers.Variable) bool { return v.Key == c.Key })
	m, written := mark{}, false
	if i >= 0 {
		m, written = h.marks[h.live[i].UUID]
	}
	if (c.VariableUUID != "") != (i >= 0) || (i >= 0 && h.live[i].UUID != c.VariableUUID) {
		return "a change of a variable that is not there"
	}
	if written && m.known && !m.released && m.by != by && h.sides[m.by].declared && !h.isActive(m.by) {
		return "a change of a key whose sync is excluded or turned off"
	}
	switch c.Action {
	case verdict.Create, verdict.Rename, verdict.Update, verdict.Adopt:
		return h.brokenWrite(by, c)
	case verdict.Delete:
		return h.brokenDelete(by, c, m, written)
	case verdict.Release:
		if h.sides[by].declared || h.sides[by].removed != verdict.RemovalKeep || !written || !m.known {
			return "a release that no block asks for"
		}
	case verdict.Forget:
		if h.listDoubted || h.entries[c.Key] == nil || (written && m.known && h.entries[c.Key].UUID == h.live[i].UUID) {
			return "a record is forgotten whose variable may be there"
		}
	}
	return ""
}

func (h *history) brokenWrite(by int, c plan.Change) string {
	switch {
	case !h.yields(by, c.Key):
		return "a write of what the sync does not have"
	case h.yields(1-by, c.Key):
		return "a write of what two syncs want"
	case h.isProtected(c.Key):
		return "a write of a protected key"
	case !c.Secured:
		return "a write of a secret that all can read"
	case c.Action == verdict.Rename && (c.RenamedFrom == "" || h.entries[c.RenamedFrom] == nil):
		return "a rename of what was not written"
	}
	return ""
}

func (h *history) isProtected(key string) bool {
	return slices.ContainsFunc([]int{0, 1}, func(i int) bool {
		return h.sides[i].declared && h.sides[i].protects && h.key(i, "ONE") == key
	})
}

func (h *history) brokenDelete(by int, c plan.Change, m mark, written bool) string {
	ours := written && m.known && !m.released
	s := h.sides[by]
	switch {
	case h.isDoubtful():
		return "a delete in spite of a doubt"
	case h.isProtected(c.Key):
		return "a delete of a protected key"
	case h.yields(0, c.Key) || h.yields(1, c.Key):
		return "a delete of what is wanted"
	case m.released && m.known:
		return "a delete of what was released"
	case s.keepsVariables:
		return "a delete although deletion is disabled"
	case ours && m.by != by:
		return "a delete of what another sync wrote"
	case ours && s.declared && !h.isActive(by):
		return "a delete for a sync that is not read"
	case ours && !s.declared && s.removed != verdict.RemovalDelete:
		return "a delete of what was left behind, and no block says so"
	case ours:
	case !h.isActive(by) || !s.overwrites || !strings.HasPrefix(c.Key, h.key(by, "")):
		return "a delete of a variable that kmsync did not write"
	case !h.agreed:
		return "a delete of a variable that kmsync did not write, without a consent"
	}
	hidden := s.hides && len(s.secrets) > 0 && h.key(by, s.secrets[0].Name) == c.Key
	if ours && hidden && h.isActive(by) {
		return "a delete of a secret that is there"
	}
	if other := h.sides[1-by]; other.declared && other.enabled && other.excluded && !h.ranges {
		return "a delete of what may be an excluded sync's"
	}
	return ""
}

// touched says what a run changed that it must leave alone, or "". It looks at the
// destination and the ledger, and not at the plan.
func (h *history) touched(before *history) string {
	for _, v := range before.live {
		m, written := before.marks[v.UUID]
		if !written || !m.known || before.rolled {
			continue
		}
		s := before.sides[m.by]
		alone := m.released || (s.declared && !before.isActive(m.by)) || (!s.declared && s.removed == verdict.NoRemoval)
		if !alone || before.yields(1-m.by, v.Key) || before.yields(m.by, v.Key) {
			continue
		}
		if !slices.ContainsFunc(h.live, func(now providers.Variable) bool { return now.UUID == v.UUID && now.Key == v.Key }) {
			return "a variable of a sync that is not active was touched: " + v.Key
		}
		if now, was := h.entries[v.Key], before.entries[v.Key]; !same(now, was) {
			return "a record of a sync that is not active was touched: " + v.Key
		}
	}
	return ""
}

// missed says what a run left undone though nothing stopped it, or "": each variable that
// a sync asks for is there, secured, and has the value of its secret.
func (h *history) missed(p *plan.Plan) string {
	stopped := map[string]bool{}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			stopped[c.Key] = stopped[c.Key] || (c.BlockedBy != verdict.NotBlocked && c.Reason == verdict.Refused)
		}
	}
	for i := range h.sides {
		if !h.isActive(i) || h.sides[i].unread {
			continue
		}
		for _, s := range h.listed(i) {
			key := h.key(i, s.Name)
			if stopped[key] {
				if !h.mayRefuse(i, s, key) {
					return "a key is refused without a cause: " + key
				}
				continue
			}
			if h.isProtected(key) {
				continue
			}
			at := slices.IndexFunc(h.live, func(v providers.Variable) bool { return v.Key == key && v.Secured })
			if at < 0 || h.marks[h.live[at].UUID].value != s.Value.Reveal() {
				return "a variable has not the value of its secret: " + key
			}
		}
	}
	return ""
}

// mayRefuse reports whether there is a cause to refuse a key: no value, two syncs that
// want it, or another sync's that is not active.
func (h *history) mayRefuse(i int, s providers.Secret, key string) bool {
	other := h.sides[1-i]
	return s.Value.IsEmpty() || h.yields(1-i, key) || (other.declared && (!h.isActive(1-i) || other.unread) && h.entries[key] != nil)
}

func same(a, b *ledger.Entry) bool {
	return a == b || (a != nil && b != nil && a.UUID == b.UUID && a.Released == b.Released)
}
