package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanzoai/kmsync/cmd/internal/view/group"
	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// fleet is a plan of many services, with three shared keys each, of which some
// have something of their own.
func fleet() *plan.Plan {
	shared := graph.SourceRef{KMS: "hanzo", Environment: "prod", Path: "/shared"}
	p := &plan.Plan{Complete: true, Digest: "d"}
	for i := range 40 {
		name := fmt.Sprintf("svc-%02d", i)
		var changes []plan.Change
		for _, key := range []string{"SENTRY_DSN", "DATADOG_API_KEY", "REGISTRY_TOKEN"} {
			c := change(key, verdict.Create, verdict.Missing)
			c.Source, c.Version, c.OldVersion, c.Owned = shared, 3, 0, false
			changes = append(changes, c)
		}
		if i == 7 { // has the key already, with the value of before
			changes[2].Action, changes[2].Reason, changes[2].Owned, changes[2].OldVersion = verdict.Update, verdict.SourceChanged, true, 2
		}
		if i == 12 {
			own := change("STRIPE_KEY", verdict.Create, verdict.Missing)
			own.Source.Path, own.Version = "/services/"+name, 1
			changes = append(changes, own)
		}
		if i%10 == 3 {
			old := blocked(change("OLD_TOKEN", verdict.Delete, verdict.GoneFromSource), verdict.MaxCount, "")
			old.Source = shared
			changes = append(changes, old)
		}
		s := syncOf(fmt.Sprintf("sync.service[%q]", name), changes...)
		s.Sources = []graph.SourceRef{shared, {KMS: "hanzo", Environment: "prod", Path: "/services/" + name}}
		s.Destination = graph.DestinationRef{Connection: "acme", Workspace: "acme", Repository: name}
		p.Syncs = append(p.Syncs, s)
	}
	return p
}

// Forty services with the same keys are readable: each key once, and what differs
// under its own sync.
func TestGroupGolden(t *testing.T) {
	t.Parallel()
	golden(t, "fleet-80.txt", render(t, fleet(), Style{Width: 80}))
	golden(t, "fleet-120.txt", render(t, fleet(), Style{Width: 120}))
	full := string(render(t, fleet(), Style{Width: 120, Full: true}))
	if n := strings.Count(full, "+ SENTRY_DSN"); n != 40 || strings.Contains(full, "*") {
		t.Errorf("in full, the key is listed %d times:\n%s", n, full)
	}
	for text := range strings.Lines(string(render(t, fleet(), Style{Width: 80}))) {
		if columns(strings.TrimRight(text, "\n")) > 80 {
			t.Errorf("wider than 80 columns: %q", text)
		}
	}
}

// Deletes are never grouped: each stands where its destination is named.
func TestDeletesNameEveryDestination(t *testing.T) {
	t.Parallel()
	text := string(render(t, fleet(), Style{}))
	for _, i := range []int{3, 13, 23, 33} {
		head := fmt.Sprintf("→ acme/svc-%02d\n  - OLD_TOKEN", i)
		if !strings.Contains(text, head) {
			t.Errorf("the delete in acme/svc-%02d does not stand below its destination:\n%s", i, text)
		}
	}
	plan := fleet()
	groups, _ := group.Of(plan.Syncs, likeness)
	for _, g := range groups {
		for _, c := range g.Changes {
			if c.Action == verdict.Delete {
				t.Errorf("%s groups the delete of %s", g.Pattern, c.Key)
			}
		}
	}
}

// Two syncs are no group, three are; the head says exactly which.
func TestGroupHeads(t *testing.T) {
	t.Parallel()
	c := change("KEY", verdict.Create, verdict.Missing)
	of := func(with, without int, format string) []plan.Sync {
		var syncs []plan.Sync
		for i := range with + without {
			s := syncOf(fmt.Sprintf(format, i))
			if i < with {
				s.Changes = []plan.Change{c}
			}
			syncs = append(syncs, s)
		}
		return syncs
	}
	element := `sync.x["%02d"]`
	for _, test := range []struct {
		syncs []plan.Sync
		want  string
	}{
		{of(2, 0, element), ""},
		{of(3, 0, element), `sync.x["*"] all 3 syncs`},
		{of(3, 0, "sync.x%d"), `sync.* all 3 syncs`},
		{append(of(3, 0, element), syncOf("sync.y")), `sync.x["*"] all 3 syncs`},
		{append(of(2, 0, element), syncOf("sync.y", c)), `sync.* all 3 syncs`},
		{append(of(2, 0, element), syncOf(`sync.y["a"]`, c)), `sync.* all 3 syncs`},
		{of(3, 1, element), `sync.x["*"] 3 of 4 syncs, not sync.x["03"]`},
		{of(3, 4, element), `sync.x["*"] 3 of 7 syncs: sync.x["00"], sync.x["01"], sync.x["02"]`},
		{of(6, 6, element), `sync.x["*"] 6 of 12 syncs; kmsync plan --full names them`},
	} {
		groups, _ := group.Of(test.syncs, likeness)
		got := ""
		for _, g := range groups {
			got += g.Pattern + " " + g.Who(test.syncs)
		}
		if got != test.want {
			t.Errorf("%d syncs: %q, want %q", len(test.syncs), got, test.want)
		}
	}
}

// shown is all that a reader sees of each change under its sync, sorted.
func shown(syncs []plan.Sync) []string {
	var out []string
	for _, s := range syncs {
		for _, c := range s.Changes {
			out = append(out, fmt.Sprint(s.Address, s.Destination, markOf(c), keyLabel(c), phrase.Why(c), c.Source, c.SecretKey, c.Secured))
		}
	}
	slices.Sort(out)
	return out
}

// Whatever the plan, putting the groups back under their syncs gives exactly the
// changes that there were, and a group holds none that fewer than three have.
func TestGroupsExpandToThePlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) plan.Change {
			c := change(rapid.SampledFrom([]string{"A", "B"}).Draw(t, "key"),
				rapid.SampledFrom([]verdict.Action{verdict.Create, verdict.Update, verdict.Delete, verdict.Keep}).Draw(t, "action"), verdict.Missing)
			c.Source.Path = rapid.SampledFrom([]string{"/a", "/b"}).Draw(t, "path")
			c.BlockedBy = rapid.SampledFrom([]verdict.Block{verdict.NotBlocked, verdict.EmptyValue}).Draw(t, "block")
			c.Range = line(rapid.IntRange(1, 2).Draw(t, "line"))
			return c
		})
		var syncs []plan.Sync
		for i := range rapid.IntRange(0, 9).Draw(t, "syncs") {
			address := fmt.Sprintf(rapid.SampledFrom([]string{"sync.a%d", `sync.b["%d"]`, `sync.c["%d"]`}).Draw(t, "label"), i)
			syncs = append(syncs, syncOf(address, rapid.SliceOfN(one, 0, 5).Draw(t, "changes")...))
		}
		before := shown(syncs)
		groups, expanded := group.Of(syncs, likeness)
		for _, g := range groups {
			if len(g.Members) < 3 || len(g.Changes) == 0 {
				t.Fatalf("a group of %d syncs and %d changes", len(g.Members), len(g.Changes))
			}
			for _, i := range g.Members {
				if !g.Matches(expanded[i].Address) {
					t.Fatalf("%s does not stand for %s", g.Pattern, expanded[i].Address)
				}
				expanded[i].Changes = append(slices.Clone(expanded[i].Changes), g.Changes...)
			}
		}
		if diff := cmp.Diff(before, shown(expanded)); diff != "" {
			t.Fatalf("grouped and put back (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(before, shown(syncs)); diff != "" {
			t.Fatalf("grouping changed the plan:\n%s", diff)
		}
	})
}

// What is to be run next has the flags of this run: without them it would do more.
func TestPlanRepeatsItsFlags(t *testing.T) {
	t.Parallel()
	create := change("KMS_NEW", verdict.Create, verdict.Missing)
	refused := blocked(change("KMS_CI", verdict.Keep, verdict.Refused), verdict.IllegalName, "")
	for _, test := range []struct {
		changes []plan.Change
		want    string
	}{
		{[]plan.Change{create}, "Apply with: kmsync apply --target sync.x\n"},
		{[]plan.Change{refused}, "then run: kmsync plan --target sync.x\n"},
		{[]plan.Change{create, refused}, "kmsync apply --target sync.x does the rest"},
	} {
		p := &plan.Plan{Syncs: []plan.Sync{syncOf("sync.x", test.changes...)}}
		if got := string(render(t, p, Style{Flags: " --target sync.x"})); !strings.Contains(got, test.want) {
			t.Errorf("it does not say %q:\n%s", test.want, got)
		}
		if got := string(render(t, p, Style{Flags: " --target sync.x", Applying: true})); strings.Contains(got, "Apply with") {
			t.Errorf("it tells to apply while it does:\n%s", got)
		}
	}
}

// The way from sources to destination is wrapped between words, below itself.
func TestRoutesAreWrapped(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Syncs: []plan.Sync{{
		Address: `sync.service["billing-prod"]`, Status: plan.StatusPlanned,
		Sources:     []graph.SourceRef{{Environment: "prod", Path: "/shared"}, {Environment: "prod", Path: "/services/billing"}},
		Destination: graph.DestinationRef{Workspace: "acme", Repository: "billing", Environment: "Production"},
		Changes:     []plan.Change{{Key: "A", Action: verdict.Create, Reason: verdict.Missing}},
	}}}
	text := string(render(t, p, Style{Width: 80}))
	for line := range strings.SplitSeq(text, "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(text, "acme/billing (Production)") {
		t.Errorf("a word is torn:\n%s", text)
	}
}
