package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
)

// omitted counts the changes that a selection leaves out of a plan.
type omitted struct{ untargeted, excluded int }

// narrow leaves out of a sync's part what the selection does not write. The
// verdicts stay those of the whole destination.
func (o *omitted) narrow(s *plan.Sync, n *graph.Node, chosen address.Selection) {
	if chosen.IsZero() {
		return
	}
	names, targets := n.Names(), address.Selection{Target: chosen.Target}
	unwritten := map[string]bool{} // keys that a change is left out of
	for _, c := range s.Changes {
		unwritten[c.Key] = !chosen.Writes(names, c.Key)
	}
	var kept []plan.Change
	for _, c := range s.Changes {
		if c.Action == verdict.Delete && unwritten[c.RenamedTo] { // its new name is not there yet
			c.Action, c.Reason, c.BlockedBy = verdict.Keep, verdict.RenameWaits, verdict.NotBlocked
		}
		switch {
		case chosen.Writes(names, c.Key):
			kept = append(kept, c)
		case c.Action == verdict.Keep && c.BlockedBy == verdict.NotBlocked:
		case targets.Writes(names, c.Key):
			o.excluded++
		default:
			o.untargeted++
		}
	}
	s.Changes = kept
}

// narrowRest leaves out findings on keys that are not chosen and what syncs left
// behind that no target names, and says what a plan of a selection does not cover.
func narrowRest(p *plan.Plan, g *graph.Graph, left omitted) {
	chosen := g.Selection
	if chosen.IsZero() {
		return
	}
	names := map[string]address.Sync{}
	for _, n := range g.Nodes {
		names[n.Sync.Address] = n.Names()
	}
	p.Findings = slices.DeleteFunc(p.Findings, func(f plan.Finding) bool {
		return f.Key != "" && !chosen.Writes(names[f.Address], f.Key)
	})
	targets := address.Selection{Target: chosen.Target}
	p.LeftBehind = slices.DeleteFunc(p.LeftBehind, func(r plan.Remnant) bool {
		d := r.Destination
		return !targets.Targets(address.Sync{Address: r.Sync, Destination: address.Destination{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}})
	})
	if detail := uncovered(g, left); detail != "" {
		p.Findings = slices.Insert(p.Findings, 0, plan.Finding{Kind: verdict.FindNotSelected, Severity: plan.Warning, Detail: detail})
	}
}

// uncovered says in sentences what the selection leaves out, or "" for nothing.
func uncovered(g *graph.Graph, left omitted) string {
	untouched := 0
	for _, n := range g.Nodes {
		if n.Choice == graph.Untouched {
			untouched++
		}
	}
	var said []string
	if targets := (address.Selection{Target: g.Selection.Target}).Flags(); targets != "" {
		said = append(said, "This plan is for"+targets+" only.")
	}
	if left.untargeted > 0 {
		said = append(said, plural(left.untargeted, "more change is not targeted.", "more changes are not targeted."))
	}
	if untouched > 0 {
		said = append(said, plural(untouched, "sync writes elsewhere and was not read.", "syncs write elsewhere and were not read."))
	}
	if left.excluded > 0 {
		said = append(said, plural(left.excluded, "change is left out by --exclude.", "changes are left out by --exclude."))
	}
	if len(said) == 0 {
		return ""
	}
	return strings.Join(said, " ") + " To plan everything, leave --target and --exclude out."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}

// note remembers that a sync has a key, for addresses that name keys.
func (p *part) note(key string, w *want.Want) {
	known := address.Key{Name: key}
	if w != nil {
		known.Secret = w.SecretKey
	}
	p.keys = append(p.keys, known)
}

// keysOf returns the keys of each sync, by address.
func keysOf(diffs map[string]*DestinationDiff) address.Keys {
	keys := address.Keys{}
	for _, d := range diffs {
		for n, p := range d.parts {
			keys[n.Sync.Address] = append(keys[n.Sync.Address], p.keys...)
		}
	}
	return keys
}

// isLike reports whether a sync that is not read may write to this destination, by
// the names it is written with: those that the destination has, or those that the
// ledger last saw.
func (d *destination) isLike(n *graph.Node) bool {
	for _, other := range d.nodes {
		if d.obs.Destinations[other.Destination].MayBe(n.Destination) {
			return true
		}
	}
	return n.MayHaveFed(d.record)
}

// excludedIn returns the first sync with a key in its range that the selection leaves
// out, or nil.
func (d *destination) excludedIn(key string) *graph.Node {
	for _, n := range d.excluded {
		if inRange(n, key) {
			return n
		}
	}
	return nil
}
