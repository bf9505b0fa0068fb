package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/config/internal/lang"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// buildMoves takes the moved and removed blocks.
func (b *builder) buildMoves() {
	declared := map[string]bool{}
	var addresses []string
	for _, s := range b.config.Syncs {
		declared[s.Address] = true
		addresses = append(addresses, s.Address)
	}
	unsure := b.lost["sync"]
	moved, into := map[string]*Moved{}, map[string]*Moved{}
	for _, written := range b.blocks["moved"] {
		m := &Moved{From: address(written, "from"), To: address(written, "to"), Range: written.Header}
		b.config.Moved = append(b.config.Moved, m)
		switch first := moved[m.From.Value]; {
		case m.From.Value == "" || m.To.Value == "": // reported
		case m.From.Value == m.To.Value:
			b.report(spec.ErrorAt(m.To.Range, summaryMoved, fmt.Sprintf("%s is moved to itself. Write the new address.", m.From.Value)))
		case first != nil:
			b.report(spec.ErrorAt(m.From.Range, summaryMoved, fmt.Sprintf("%s is moved at %s already. Remove one of them.", m.From.Value, spec.Place(first.Range))))
		case declared[m.From.Value]:
			b.report(spec.ErrorAt(m.From.Range, summaryMoved, fmt.Sprintf("%s is still declared, so it was not moved. Remove this block, or the sync.", m.From.Value)))
		case into[m.To.Value] != nil:
			b.report(spec.ErrorAt(m.To.Range, summaryMoved, fmt.Sprintf("%s, at %s, was moved to %s already, and two syncs cannot become one. "+
				"Remove one of the two blocks, and write a removed block for the sync that it is about.",
				into[m.To.Value].From.Value, spec.Place(into[m.To.Value].Range), m.To.Value)))
		default:
			moved[m.From.Value], into[m.To.Value] = m, m
		}
	}
	told := map[string]bool{}
	for _, m := range b.config.Moved {
		if moved[m.From.Value] != m {
			continue // reported
		}
		switch to := lastOf(m, moved); {
		case to == nil:
			b.report(spec.ErrorAt(m.Range, summaryMoved, fmt.Sprintf("The moves of %s lead back to it. Remove one of them.", m.From.Value)))
		case !declared[to.To.Value] && !unsure && !told[to.From.Value]:
			told[to.From.Value] = true
			remedy := spec.DidYouMean(to.To.Value, slices.Clone(addresses), "%s")
			if remedy == "" {
				remedy = " Write the address of one that is."
			}
			b.report(spec.ErrorAt(to.To.Range, summaryMoved, fmt.Sprintf("No sync has the address %s.%s", to.To.Value, remedy)))
		}
	}
	b.buildRemoved(declared, moved)
}

// lastOf follows moves of moves to the last one, or returns nil where they lead in
// a circle.
func lastOf(m *Moved, moved map[string]*Moved) *Moved {
	for range moved {
		next := moved[m.To.Value]
		if next == nil {
			return m
		}
		m = next
	}
	return nil
}

func (b *builder) buildRemoved(declared map[string]bool, moved map[string]*Moved) {
	first := map[[2]string]*Removed{}
	for _, written := range b.blocks["removed"] {
		r := &Removed{From: address(written, "from"), Keep: flagOf(written, "keep"), Destination: textOf(written, "destination"), Range: written.Header}
		r.Workspace, r.Repository, r.Environment = splitDestination(r.Destination.Value)
		r.Connection = b.pick(written, "connection")
		b.config.Removed = append(b.config.Removed, r)
		id := [2]string{r.From.Value, strings.ToLower(r.Destination.Value)}
		switch {
		case r.From.Value == "": // reported
		case first[id] != nil:
			b.report(spec.ErrorAt(r.From.Range, summaryRemoved, fmt.Sprintf("There is a removed block for this at %s already. Remove one of them.", spec.Place(first[id].Range))))
		case moved[r.From.Value] != nil:
			b.report(spec.ErrorAt(r.From.Range, summaryRemoved, fmt.Sprintf("%s was moved, as %s says, and was not removed. Remove one of the two blocks.", r.From.Value, spec.Place(moved[r.From.Value].Range))))
		case declared[r.From.Value] && r.Destination.Value == "" && !written.Has("destination"):
			b.report(spec.ErrorAt(r.From.Range, summaryRemoved, fmt.Sprintf("%s is still declared. Write destination = \"...\" for one that it left, or remove the sync.", r.From.Value)))
		}
		first[id] = r
	}
}

// address returns the address of a sync that an argument names.
func address(written *lang.Block, name string) Located[string] {
	text, rng := written.SyncAddress(name)
	return Located[string]{text, rng}
}

// splitDestination takes acme/billing/Production apart. Names of environments may
// hold slashes.
func splitDestination(s string) (workspace, repository, environment string) {
	parts := append(strings.SplitN(s, "/", 3), "", "")
	return parts[0], parts[1], parts[2]
}
