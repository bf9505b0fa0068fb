package guard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/guard"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// deletes returns n deletes for a reason.
func deletes(n int, why verdict.Reason) []plan.Change {
	var changes []plan.Change
	for i := range n {
		changes = append(changes, plan.Change{
			Key: fmt.Sprintf("K%02d", i), Action: verdict.Delete, Reason: why, VariableUUID: "{u}", TakenOver: why == verdict.Renamed,
		})
	}
	return changes
}

// notTakenOver are old keys whose new key takes the place of another.
func notTakenOver(changes []plan.Change) []plan.Change {
	for i := range changes {
		changes[i].TakenOver = false
	}
	return changes
}

func sync(address, place string, changes ...plan.Change) plan.Sync {
	return plan.Sync{Address: address, Written: graph.DestinationRef{Repository: place}, Changes: changes}
}

// count holds the plan of these syncs. Each place has that many claimed variables.
func count(limits graph.Deletes, claimed int, syncs ...plan.Sync) string {
	p := &plan.Plan{Syncs: syncs}
	guard.Count(p, limits, func(s plan.Sync) guard.Place { return guard.Place{ID: s.Written.Repository, Claimed: claimed} })
	return heldIn(p)
}

// heldIn says how many changes of each sync are held by what, and which number would do.
func heldIn(p *plan.Plan) string {
	var said []string
	for _, s := range p.Syncs {
		by, number := map[verdict.Block]int{}, 0
		var order []verdict.Block
		for _, c := range s.Changes {
			if c.BlockedBy != verdict.NotBlocked && by[c.BlockedBy] == 0 {
				order = append(order, c.BlockedBy)
			}
			by[c.BlockedBy]++
			number = max(number, c.MaxDeletes)
		}
		line := s.Address
		for _, b := range order {
			line += fmt.Sprintf(" %d %s", by[b], b)
		}
		if number > 0 {
			line += fmt.Sprintf(" needs %d", number)
		}
		said = append(said, line)
	}
	return strings.Join(said, "; ")
}

func number(n int) *int { return &n }

// TestCount: at the bound and beyond it, in one destination and in several, with the
// numbers of the configuration and with one that was typed.
func TestCount(t *testing.T) {
	t.Parallel()
	usual := graph.Deletes{MaxCount: 20, MaxPercent: 30}
	gone := verdict.GoneFromSource
	allowed := func(n int) graph.Deletes { return graph.Deletes{MaxCount: 20, MaxPercent: 30, Allowed: &n} }
	for name, test := range map[string]struct {
		got, want string
	}{
		"as many as max_count":   {count(usual, 100, sync("a", "x", deletes(20, gone)...)), "a"},
		"one more":               {count(usual, 100, sync("a", "x", deletes(21, gone)...)), "a 21 max_count needs 21"},
		"in two destinations":    {count(usual, 100, sync("a", "x", deletes(11, gone)...), sync("b", "y", deletes(10, gone)...)), "a 11 max_count needs 21; b 10 max_count needs 21"},
		"none is allowed":        {count(graph.Deletes{MaxPercent: 100}, 100, sync("a", "x", deletes(1, gone)...)), "a 1 max_count needs 1"},
		"few of few":             {count(usual, 5, sync("a", "x", deletes(5, gone)...)), "a"},
		"six of 20":              {count(usual, 20, sync("a", "x", deletes(6, gone)...)), "a"},
		"six of 19":              {count(usual, 19, sync("a", "x", deletes(6, gone)...)), "a 6 max_percent needs 6"},
		"by two syncs":           {count(usual, 19, sync("a", "x", deletes(3, gone)...), sync("b", "x", deletes(3, gone)...)), "a 3 max_percent needs 6; b 3 max_percent needs 6"},
		"another destination":    {count(usual, 19, sync("a", "x", deletes(6, gone)...), sync("b", "y", deletes(2, gone)...)), "a 6 max_percent needs 8; b"},
		"typed, and enough":      {count(allowed(30), 30, sync("a", "x", deletes(30, gone)...)), "a"},
		"typed, and too few":     {count(allowed(29), 900, sync("a", "x", deletes(30, gone)...)), "a 30 max_count needs 30"},
		"typed none":             {count(allowed(0), 900, sync("a", "x", deletes(1, gone)...)), "a 1 max_count needs 1"},
		"fewer than usual typed": {count(allowed(2), 900, sync("a", "x", deletes(3, gone)...)), "a 3 max_count needs 3"},
		"old names do not count": {count(usual, 30, sync("a", "x", deletes(30, verdict.Renamed)...)), "a"},
		"but of several for one": {count(usual, 30, sync("a", "x", notTakenOver(deletes(30, verdict.Renamed))...)), "a 30 max_count needs 30"},
		"nor do those beside":    {count(usual, 30, sync("a", "x", append(deletes(30, verdict.Renamed), deletes(5, gone)...)...)), "a"},
		"and none of them waits": {count(usual, 30, sync("a", "x", append(deletes(1, verdict.Renamed), deletes(21, gone)...)...)), "a 21 max_count needs 21"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %s, want %s", name, test.got, test.want)
		}
	}
}

// What another guard holds does not count, but for a consent that the number gives.
func TestCountOfHeld(t *testing.T) {
	t.Parallel()
	usual := graph.Deletes{MaxCount: 20, MaxPercent: 100}
	refused := append(deletes(15, verdict.GoneFromSource), plan.Change{Key: "BAD", Action: verdict.Keep, Reason: verdict.Refused, BlockedBy: verdict.EmptyValue})
	guard.RefusedKey(refused)
	overwriting := deletes(15, verdict.OverwriteDestination)
	guard.NoConsent(overwriting)
	got := count(usual, 100, sync("a", "x", refused...), sync("b", "x", overwriting...), sync("c", "x", deletes(10, verdict.SyncRemoved)...))
	if want := "a 15 refused_key 1 empty_value; b 15 no_consent needs 25; c"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := count(graph.Deletes{Allowed: number(25)}, 100, sync("b", "x", deletes(15, verdict.OverwriteDestination)...), sync("c", "x", deletes(10, verdict.SyncRemoved)...)); got != "b; c" {
		t.Errorf("with what it asked for: %s", got)
	}
}

// TestHolds: which changes each guard holds, and that it leaves the others alone.
func TestHolds(t *testing.T) {
	t.Parallel()
	all := func() []plan.Change {
		return []plan.Change{
			{Key: "BAD", Action: verdict.Keep, Reason: verdict.Refused, BlockedBy: verdict.EmptyValue},
			{Key: "NEW", Action: verdict.Create},
			{Key: "GONE", Action: verdict.Delete, Reason: verdict.GoneFromSource},
			{Key: "OLD", Action: verdict.Delete, Reason: verdict.Renamed},
			{Key: "KEY", Action: verdict.Rename, VariableUUID: "{u}"}, // in place
			{Key: "NAME", Action: verdict.Rename},
			{Key: "FOREIGN", Action: verdict.Delete, Reason: verdict.OverwriteDestination},
			{Key: "HELD", Action: verdict.Delete, BlockedBy: verdict.MaxCount},
			{Key: "FORGET", Action: verdict.Forget},
		}
	}
	doubt := func(changes []plan.Change) { guard.Doubt(&plan.Plan{Syncs: []plan.Sync{{Changes: changes}}}, "ledger") }
	for name, test := range map[string]struct {
		hold func([]plan.Change)
		want string
	}{
		"a refused key": {guard.RefusedKey, "GONE refused_key by BAD (empty_value) OLD refused_key KEY refused_key FOREIGN refused_key HELD max_count"},
		"no consent":    {guard.NoConsent, "FOREIGN no_consent HELD max_count"},
		"a doubt":       {doubt, "GONE doubt by ledger OLD doubt KEY doubt FOREIGN doubt HELD max_count"},
	} {
		changes := all()
		test.hold(changes)
		var held []string
		for _, c := range changes {
			if c.BlockedBy != verdict.NotBlocked && c.Key != "BAD" {
				line := c.Key + " " + string(c.BlockedBy)
				if c.Key == "GONE" && c.HeldBy != "" {
					line += " by " + c.HeldBy
				}
				held = append(held, line)
			}
		}
		if got := strings.Join(held, " "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
