package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// TestFaultsLoseNothing: in random worlds in which one request goes wrong, nothing is
// deleted but what a plan without the fault would delete, nothing that is not kmsync's is
// touched, and the next run without it ends with everything as it is wanted.
func TestFaultsLoseNothing(t *testing.T) {
	t.Parallel()
	var count tally
	seeds(t, 120, func(t *testing.T, seed uint64) {
		p := begun(t, fmt.Sprintf("-seed %d", seed), rand.New(rand.NewPCG(seed, 2)), &count)
		defer func() { _ = p.stage.server.Close() }()
		for range 2 {
			p.runWithFault()
			p.stage.server.Update(p.change)
			if t.Failed() {
				t.Logf("-seed %d:\n%s", seed, p.blocks())
				return
			}
		}
	})
	count.hold(t, map[string]int{"create": 300, "update": 50, "delete": 15, "fault that stops something": 15})
}

// fault is one request that goes wrong, once or a few times.
func (p *play) fault() world.Fault {
	f := world.Fault{Kind: pick(p.r, []string{
		world.FaultStatus, world.FaultStatus, world.FaultDropBefore, world.FaultDropAfter, world.FaultTruncate, world.FaultHTML, world.FaultRedirect,
	})}
	if f.Kind == world.FaultStatus {
		f.Status = pick(p.r, []int{400, 401, 403, 404, 409, 429, 500, 503})
	}
	f.Times = 1 + p.r.IntN(3)
	switch p.r.IntN(3) {
	case 0:
		f.Method, f.Skip = pick(p.r, []string{"POST", "PUT", "DELETE"}), p.r.IntN(3)
	case 1:
		f.Path, f.Skip = "/2.0/**", p.r.IntN(12)
	default:
		f.Skip = p.r.IntN(16)
	}
	return f
}

// runWithFault plans without a fault, applies with one, and again without.
func (p *play) runWithFault() {
	p.t.Helper()
	flags := p.flags()
	p.write(p.t, p.dir, nil)
	_, planned, _ := p.plan(flags...)
	before := p.stage.server.World()
	p.journal()
	f := p.fault()
	if err := p.stage.server.Inject(f); err != nil {
		p.t.Fatal(err)
	}
	p.name += fmt.Sprintf(" with %+v", f)
	code, said, problems := p.kmsync(append([]string{"apply", "--auto-approve"}, flags...)...)
	p.stage.server.ClearFaults()
	effects := p.journal()
	expected, twice := planned.effects(), planned.refusedBy("duplicate_key")
	for _, done := range texts(effects) {
		// A create whose answer was lost is made sure of by an update.
		create := strings.Replace(done, "update ", "create ", 1)
		// Where one of two syncs that want a key is not read, it is the other's.
		action, key, _ := strings.Cut(done, " ")
		if !slices.Contains(expected, done) && !slices.Contains(expected, create) && (action == "delete" || !twice[key]) {
			p.t.Errorf("%s: %s was not planned", p.name, done)
		}
	}
	if len(effects) < len(expected) {
		p.tally.add("fault that stops something")
	}
	if len(effects) < len(expected) && (code == 0 || said+problems == "") {
		p.t.Errorf("%s: exit code %d, and only %q of %q was done\n%s%s", p.name, code, texts(effects), expected, said, problems)
	}
	p.hold(before, effects)
	if p.t.Failed() {
		return
	}
	between := p.stage.server.World()
	code, _, problems = p.kmsync(append([]string{"apply", "--auto-approve"}, flags...)...)
	p.hold(between, p.journal())
	if code != 0 && code != 3 && code != 4 && !planned.failed() {
		p.t.Errorf("%s: the run after the fault: exit code %d\n%s", p.name, code, problems)
	}
	p.holdSettled(flags)
}
