package view

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

func TestPlanGolden(t *testing.T) {
	t.Parallel()
	for name, plan := range plans() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "plan-"+name+".txt", render(t, plan, Style{}))
		})
	}
}

// plans are the ways a plan can end.
func plans() map[string]*plan.Plan {
	unchanged := syncOf("sync.payments-dev")
	unchanged.Unchanged, unchanged.OldestWrite = 48, now.Add(-time.Hour)
	one := unchanged
	one.Unchanged, one.Changes = 1, []plan.Change{change("KMS_PINNED", verdict.Keep, verdict.Protected)}
	held := syncOf("sync.x", blocked(change("KMS_OLD", verdict.Delete, verdict.GoneFromSource), verdict.MaxCount, ""))
	doubted := syncOf("sync.x", blocked(change("KMS_OLD", verdict.Delete, verdict.GoneFromSource), verdict.InDoubt, ""))
	renamed := change("KMS_NEW", verdict.Rename, verdict.Renamed)
	renamed.RenamedFrom, renamed.WithRename = "KMS_OLD", true
	oldName := change("KMS_OLD", verdict.Delete, verdict.Renamed)
	oldName.RenamedTo, oldName.WithRename = "KMS_NEW", true
	inPlace := change("KMS_KEY", verdict.Rename, verdict.Renamed)
	inPlace.RenamedFrom, inPlace.VariableUUID = "kms_key", "{u}"
	destroyed := syncOf("sync.x", change("KMS_A", verdict.Delete, verdict.Destroyed))
	destroyed.Sources, destroyed.Destroy = nil, true
	refused := syncOf("sync.x", blocked(change("KMS_CI", verdict.Keep, verdict.Refused), verdict.IllegalName, ""))
	adopted := syncOf("sync.x", change("KMS_A", verdict.Adopt, verdict.Adopted), change("KMS_F", verdict.Forget, verdict.GoneOutside))
	off := syncOf("sync.x")
	off.Status = plan.StatusDisabled
	broken := world().Syncs[0]
	create := change("KMS_NEW", verdict.Create, verdict.Missing)
	readable := change("KMS_URL", verdict.Create, verdict.Missing)
	readable.Secured = false
	declared := change("KMS_PUBLIC", verdict.Update, verdict.NotReadable)
	stays := change("KMS_STAYS", verdict.Keep, verdict.NotReadable)
	of := func(s ...plan.Sync) *plan.Plan { return &plan.Plan{Syncs: s} }
	return map[string]*plan.Plan{
		"brief":           brief(),
		"world":           world(),
		"empty":           of(),
		"no-changes":      of(unchanged),
		"no-changes-kept": of(one),
		"readable":        of(syncOf("sync.x", create, readable, declared, stays)),
		"held-only":       of(held),
		"renames":         of(syncOf("sync.x", renamed, oldName, inPlace)),
		"destroy":         {Destroy: true, Syncs: []plan.Sync{destroyed}},
		"destroy-nothing": {Destroy: true},
		"doubted-only":    of(doubted),
		"refused-only":    of(refused),
		"ledger-only":     of(adopted),
		"disabled":        of(off),
		"error-only":      of(broken, unchanged),
		"error-and-work":  of(broken, syncOf("sync.x", create)),
	}
}

func TestPlanWidths(t *testing.T) {
	t.Parallel()
	for name, style := range map[string]Style{"world-80.txt": {Width: 80}, "world-120.txt": {Width: 120}, "world-colour.txt": {Color: true, Width: 80}} {
		golden(t, name, render(t, world(), style))
	}
	for text := range strings.Lines(string(render(t, world(), Style{Width: 80}))) {
		if columns(strings.TrimRight(text, "\n")) > 80 {
			t.Errorf("wider than 80 columns: %q", text)
		}
	}
}

// A run that applies does not tell anybody to.
func TestPlanApplying(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Syncs: []plan.Sync{syncOf("sync.x", change("KMS_NEW", verdict.Create, verdict.Missing))}}
	want := string(render(t, p, Style{}))
	before, found := strings.CutSuffix(want, "Apply with: kmsync apply\n")
	if got := string(render(t, p, Style{Applying: true})); !found || got != before {
		t.Errorf("applying:\n%s\nelse:\n%s", got, want)
	}
}

// Colour repeats what the text says: without it the text is the same.
func TestPlanColourAddsNothing(t *testing.T) {
	t.Parallel()
	coloured := string(render(t, world(), Style{Color: true}))
	for _, paint := range []colour{bold, dim, red, green, yellow} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+string(paint)+"m", "")
	}
	coloured = strings.ReplaceAll(coloured, "\x1b[0m", "")
	if plain := string(render(t, world(), Style{})); coloured != plain {
		t.Errorf("without its colours:\n%s\nplain:\n%s", coloured, plain)
	}
}

// Each kind of change has its own place in a sync, in this order.
func TestMarks(t *testing.T) {
	t.Parallel()
	signs := ""
	last := 0
	for _, c := range []plan.Change{
		{Action: verdict.Delete, BlockedBy: verdict.InDoubt},
		{Action: verdict.Rename},
		{Action: verdict.Update},
		{Action: verdict.Create},
		{Action: verdict.Forget},
		{Action: verdict.Keep, BlockedBy: verdict.EmptyValue, Reason: verdict.Refused},
		{Action: verdict.Keep},
	} {
		mark := markOf(c)
		if mark.place <= last {
			t.Errorf("%s does not stand after the one before", c.Action)
		}
		last, signs = mark.place, signs+mark.sign
	}
	if signs != "->~+*!=" {
		t.Errorf("signs %q", signs)
	}
}

// The counts that people read are those that exit codes are computed from.
func TestPlanCountsAreTheSummary(t *testing.T) {
	t.Parallel()
	for name, plan := range plans() {
		s, tally := plan.Summary(), tallyOf(plan)
		if tally.Summary != s {
			t.Errorf("%s: counts %+v, summary %+v", name, tally.Summary, s)
		}
		if tally.refused+tally.held != s.Blocked || tally.refused < 0 {
			t.Errorf("%s: %d refused and %d held, %d blocked", name, tally.refused, tally.held, s.Blocked)
		}
	}
}

// A key that two syncs are refused for is one key.
func TestPlanCountsAKeyOnce(t *testing.T) {
	t.Parallel()
	twice := blocked(change("KMS_BOTH", verdict.Keep, verdict.Refused), verdict.DuplicateKey, "sync.a and sync.b")
	held := blocked(change("KMS_OLD", verdict.Delete, verdict.GoneFromSource), verdict.InDoubt, "")
	p := &plan.Plan{Syncs: []plan.Sync{syncOf("sync.a", twice, held), syncOf("sync.b", twice, held)}}
	if got := string(render(t, p, Style{})); !strings.Contains(got, "Plan: nothing to apply. 1 refused, 1 held.\n") {
		t.Errorf("counted otherwise:\n%s", got)
	}
}

func TestPlanIsDeterministic(t *testing.T) {
	t.Parallel()
	backwards := world()
	for i := range backwards.Syncs {
		changes := backwards.Syncs[i].Changes
		for a, b := 0, len(changes)-1; a < b; a, b = a+1, b-1 {
			changes[a], changes[b] = changes[b], changes[a]
		}
	}
	if a, b := render(t, world(), Style{}), render(t, backwards, Style{}); !bytes.Equal(a, b) {
		t.Errorf("the order of changes shows:\n%s\n%s", a, b)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago",
		59 * time.Minute: "59 minutes ago", 23 * time.Hour: "23 hours ago",
		24 * time.Hour: "1 day ago", 41*24*time.Hour + 5*time.Hour: "41 days ago",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestProblemsGolden(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Problems(&out, world()); err != nil {
		t.Fatal(err)
	}
	golden(t, "problems.txt", out.Bytes())
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken pipe")

func TestWriterErrorsComeBack(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"Plan":     Plan(brokenPipe{}, brief(), Style{}, now),
		"Problems": Problems(brokenPipe{}, brief()),
		"Result":   Result(brokenPipe{}, results()["done"], Style{}),
		"Ledger":   Ledger(brokenPipe{}, memory(), Style{}),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: error %v, want the writer's", name, err)
		}
	}
}
