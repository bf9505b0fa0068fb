package planner

import (
	"slices"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// step is what happens between two runs. It reports whether it can happen.
type step struct {
	name   string
	change func(h *history) bool
}

// fresh ends what holds for one run only.
func (h *history) fresh() {
	h.allowed, h.listDoubted = false, false
	for i := range h.sides {
		s := &h.sides[i]
		s.excluded, s.unread, s.doubted, s.hides = false, false, false, false
	}
}

// always makes a step of what can always happen.
func always(name string, change func(*history)) step {
	return step{name, func(h *history) bool { change(h); return true }}
}

// ofSync makes a step of what happens to a sync that is declared.
func ofSync(name string, i int, change func(*side)) step {
	return step{name, func(h *history) bool {
		if h.sides[i].declared {
			change(&h.sides[i])
		}
		return h.sides[i].declared
	}}
}

// ofSecrets makes a step of what happens to the first secret of a sync.
func ofSecrets(name string, i int, change func(providers.Secret) []providers.Secret) step {
	return step{name, func(h *history) bool {
		if len(h.sides[i].secrets) == 0 {
			return false
		}
		first := h.sides[i].secrets[0]
		h.sides[i].secrets = slices.Concat(change(first), h.sides[i].secrets[1:])
		return true
	}}
}

// ofVariable makes a step of what somebody does to the variable of the secret ONE.
func ofVariable(name string, change func(h *history, at int)) step {
	return step{name, func(h *history) bool {
		i := slices.IndexFunc(h.live, func(v providers.Variable) bool { return v.Key == h.key(0, "ONE") })
		if i >= 0 {
			change(h, i)
		}
		return i >= 0
	}}
}

// ofRemoval makes a step of sync.a leaving the configuration, or of what is said of it
// since.
func ofRemoval(name string, said verdict.Removal) step {
	return step{name, func(h *history) bool {
		s := &h.sides[0]
		if !s.declared && s.removed == said {
			return false
		}
		*s = side{moved: s.moved, enabled: true, secrets: s.secrets, removed: said}
		return true
	}}
}

func named(name string) func(providers.Secret) []providers.Secret {
	return func(s providers.Secret) []providers.Secret {
		s.Name, s.Version = name, s.Version+1
		return []providers.Secret{s}
	}
}

// steps are all that can happen between two runs.
func steps() []step {
	return slices.Concat(stepsOfSecrets(), stepsOfVariables(), stepsOfSyncs(), []step{
		always("nothing", func(*history) {}),
		always("deletes allowed", func(h *history) { h.allowed = true }),
		always("list in doubt", func(h *history) { h.listDoubted = true }),
		{"ledger lost", func(h *history) bool {
			if h.lost {
				return false
			}
			h.lost, h.rolled, h.unaccepted, h.entries, h.consent = true, false, false, map[string]*ledger.Entry{}, false
			h.forgotten()
			return true
		}},
		{"ledger rolled back", func(h *history) bool {
			if h.lost {
				return false
			}
			h.rolled, h.unaccepted = true, true
			h.forgotten()
			return true
		}},
	})
}

// forgotten: nothing that kmsync wrote so far is known to it any more.
func (h *history) forgotten() {
	for uuid, m := range h.marks {
		m.known = false
		h.marks[uuid] = m
	}
	h.agreed = false
}

func stepsOfSecrets() []step {
	return []step{
		ofSecrets("value changed", 0, func(s providers.Secret) []providers.Secret {
			s.Value, s.Version = secret.New("another value"), s.Version+1
			return []providers.Secret{s}
		}),
		{"secret removed", func(h *history) bool {
			s := &h.sides[0]
			n := len(s.secrets)
			s.secrets = s.secrets[:max(n-1, 0)]
			return n > 0
		}},
		ofSecrets("value emptied", 0, func(s providers.Secret) []providers.Secret {
			s.Value, s.Version = secret.New(""), s.Version+1
			return []providers.Secret{s}
		}),
		ofSecrets("secret renamed", 0, named("NEW")),
		ofSecrets("secret renamed to that of b", 0, named("TWO")),
		ofSecrets("secret of b removed", 1, func(providers.Secret) []providers.Secret { return nil }),
		ofSecrets("secret of b renamed to that of a", 1, named("ONE")),
		{"secret added", func(h *history) bool {
			s := &h.sides[0]
			name := "ONE"
			if slices.ContainsFunc(s.secrets, func(s providers.Secret) bool { return s.Name == "ONE" }) {
				name = "MORE"
			}
			if len(s.secrets) > 1 {
				return false
			}
			s.secrets = append(slices.Clip(s.secrets), providers.Secret{ID: "s-added-" + name, Name: name, Version: 1, Value: secret.New("added")})
			return true
		}},
	}
}

func stepsOfVariables() []step {
	return []step{
		ofVariable("variable removed", func(h *history, i int) { h.live = slices.Delete(h.live, i, i+1) }),
		ofVariable("variable removed, list in doubt", func(h *history, i int) {
			h.live, h.listDoubted = slices.Delete(h.live, i, i+1), true
		}),
		ofVariable("variable made again", func(h *history, i int) {
			h.live = slices.Delete(h.live, i, i+1)
			h.make(h.key(0, "ONE"))
		}),
		ofVariable("variable made readable", func(h *history, i int) {
			h.live[i].Secured, h.live[i].Value = false, secret.New("value of ONE")
		}),
		{"write in doubt", func(h *history) bool {
			key := h.key(0, "ONE")
			e := h.entries[key]
			if e == nil || e.InDoubt {
				return false
			}
			changed := *e
			changed.InDoubt = true
			h.entries[key] = &changed
			if m, written := h.marks[e.UUID]; written {
				m.value = "the value before, or the one intended"
				h.marks[e.UUID] = m
			}
			return true
		}},
	}
}

func stepsOfSyncs() []step {
	return []step{
		ofSync("a excluded", 0, func(s *side) { s.excluded = true }),
		ofSync("b excluded", 1, func(s *side) { s.excluded = true }),
		ofSync("a turned off or on", 0, func(s *side) { s.enabled = !s.enabled }),
		ofSync("a protects or not", 0, func(s *side) { s.protects = !s.protects }),
		ofSync("a keeps variables or not", 0, func(s *side) { s.keepsVariables = !s.keepsVariables }),
		ofSync("a in doubt", 0, func(s *side) { s.doubted = true }),
		ofSync("a not readable", 0, func(s *side) { s.unread = true }),
		ofSync("b not readable", 1, func(s *side) { s.unread = true }),
		{"a hides a secret", func(h *history) bool {
			h.sides[0].hides = len(h.sides[0].secrets) > 0
			return h.sides[0].hides && h.sides[0].declared
		}},
		{"a moves", func(h *history) bool {
			s := &h.sides[0]
			moves := s.declared && !s.moved
			s.moved = s.moved || moves
			return moves
		}},
		ofRemoval("a leaves", verdict.NoRemoval),
		ofRemoval("a leaves, keep", verdict.RemovalKeep),
		ofRemoval("a leaves, delete", verdict.RemovalDelete),
		{"a comes back", func(h *history) bool {
			s := &h.sides[0]
			back := !s.declared
			s.declared, s.removed = true, verdict.NoRemoval
			return back
		}},
		overwrites("a overwrites or not", false),
		overwrites("a overwrites, deletes allowed", true),
	}
}

// overwrites turns overwrite-destination of sync.a on or off, with a consent or without.
// Without ranges of their own the syncs would overlap.
func overwrites(name string, allowed bool) step {
	return step{name, func(h *history) bool {
		s := &h.sides[0]
		if !s.declared || !h.ranges {
			return false
		}
		s.overwrites = !s.overwrites
		h.allowed = allowed
		return !allowed || s.overwrites
	}}
}

// count notes what kinds of changes a plan has, by whether something stops them.
func (h *history) count(p *plan.Plan, seen map[string]int) {
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			kind := string(c.Action) + " " + string(c.Reason)
			if c.BlockedBy != verdict.NotBlocked {
				kind += " " + string(c.BlockedBy)
			}
			seen[kind]++
		}
	}
}

// everyKind is what these histories must have seen, so that they show something.
var everyKind = []string{
	"create missing", "rename renamed", "update source_changed", "update never_recorded", "update replaced_outside", "update not_secured",
	"update unconfirmed", "adopt adopted", "forget gone_outside", "release sync_removed",
	"delete gone_from_source", "delete renamed", "delete sync_removed", "delete overwrite_destination",
	"delete gone_from_source doubt", "delete renamed doubt", "delete sync_removed doubt", "delete overwrite_destination doubt",
	"delete overwrite_destination no_consent", "delete gone_from_source refused_key", "delete overwrite_destination refused_key",
	"keep protected", "keep deletion_disabled", "keep released", "keep rename_waits", "keep sync_not_read",
	"keep refused duplicate_key", "keep refused empty_value", "keep refused owned_by_inactive",
}
