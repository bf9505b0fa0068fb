package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

var seed = flag.Uint64("seed", 0, "run only this one of the random worlds")

// seeds are those of n random worlds, a tenth of them with -short; shared out to so many
// tests that run side by side.
func seeds(t *testing.T, n uint64, each func(t *testing.T, seed uint64)) {
	t.Helper()
	if *seed != 0 {
		each(t, *seed)
		return
	}
	if testing.Short() {
		n /= 10
	}
	const share = 4
	t.Run("worlds", func(t *testing.T) { // it ends when all of its shares have
		for i := range uint64(share) {
			t.Run(fmt.Sprintf("share %d", i), func(t *testing.T) {
				t.Parallel()
				for s := i + 1; s <= n && !t.Failed(); s += share {
					each(t, s)
				}
			})
		}
	})
}

// TestThePlanIsWhatHappens: over random configurations and worlds, an apply does to
// Bitbucket exactly what the plan says, nothing that is not kmsync's is touched without a
// consent, the plan of the applied world is empty, and the order of the input does not
// matter.
func TestThePlanIsWhatHappens(t *testing.T) {
	t.Parallel()
	var count tally
	seeds(t, 340, func(t *testing.T, seed uint64) {
		p := begun(t, fmt.Sprintf("-seed %d", seed), rand.New(rand.NewPCG(seed, 1)), &count)
		defer func() { _ = p.stage.server.Close() }()
		for range 3 {
			p.run()
			p.stage.server.Update(p.change)
			if t.Failed() {
				t.Logf("-seed %d:\n%s", seed, p.blocks())
				return
			}
		}
	})
	count.hold(t, map[string]int{"world": 1000, "create": 1000, "update": 150, "delete": 60, "held by doubt": 10, "held by no_consent": 5, "refused": 300})
}

// flags are those of a run: now and then deletes are allowed.
func (p *play) flags() []string {
	if !p.oneIn(3) {
		return nil
	}
	for _, s := range p.syncs {
		p.allowed[s.place] = p.allowed[s.place] || (s.overwrites && !s.disabled)
	}
	return []string{"--max-deletes", "50"}
}

// run plans, applies and plans again.
func (p *play) run() {
	p.t.Helper()
	flags := p.flags()
	p.write(p.t, p.dir, nil)
	_, planned, text := p.plan(flags...)
	if p.made%3 == 0 {
		p.holdOrder(text, flags)
	}
	p.countPlan(planned)
	before := p.stage.server.World()
	p.journal()
	code, _, said := p.kmsync(append([]string{"apply", "--auto-approve"}, flags...)...)
	effects := p.journal()
	if diff := cmp.Diff(planned.effects(), texts(effects)); diff != "" {
		p.t.Errorf("%s: what was done is not what was planned (-planned +done), exit code %d:\n%s\n%s", p.name, code, diff, said)
	}
	if !planned.Complete && slices.ContainsFunc(effects, isDelete) {
		p.t.Errorf("%s: a delete in spite of a doubt", p.name)
	}
	p.hold(before, effects)
	p.holdSettled(flags)
}

// countPlan notes what stops what.
func (p *play) countPlan(d document) {
	p.tally.add("world")
	for _, s := range d.Syncs {
		for _, c := range s.Changes {
			switch {
			case c.BlockedBy != "" && c.Action == "keep":
				p.tally.add("refused")
			case c.BlockedBy != "":
				p.tally.add("held by " + c.BlockedBy)
			default:
				p.tally.add(c.Action + " " + c.Reason)
			}
		}
	}
}

// holdSettled holds the plan of the applied world: nothing is left but what is blocked.
func (p *play) holdSettled(flags []string) {
	p.t.Helper()
	code, after, text := p.plan(flags...)
	if left := after.effects(); len(left) > 0 || (code != 0 && code != 3 && !after.failed()) {
		p.t.Errorf("%s: the plan of the applied world is not empty: exit code %d, %q\n%s", p.name, code, left, text)
	}
	p.holdValues(after)
}

// failed reports whether a sync of a plan could not be read.
func (d document) failed() bool {
	for _, s := range d.Syncs {
		if s.Status == "error" {
			return true
		}
	}
	return false
}

// places are where the blocks of a configuration stand, and when a plan was made.
var places = regexp.MustCompile(`(?s)"range": (null|\{[^}]*\})|"created_at": "[^"]*"|[a-z]+\.sync\.hcl:[0-9]+`)

// holdOrder plans again with everything in another order, and from several files.
func (p *play) holdOrder(text string, flags []string) {
	p.t.Helper()
	shuffled := rand.New(rand.NewPCG(uint64(p.made), 3))
	p.stage.server.Update(func(w *world.World) {
		for _, folder := range estateFolders {
			s := folderOf(w, folder).Secrets
			shuffled.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
		}
		for _, place := range estatePlaces {
			v := *variablesOf(w, place)
			shuffled.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		}
	})
	p.write(p.t, p.dir, shuffled)
	_, _, again := p.plan(flags...)
	if diff := cmp.Diff(places.ReplaceAllString(text, ""), places.ReplaceAllString(again, "")); diff != "" {
		p.t.Errorf("%s: another order of the input gives another plan:\n%s", p.name, diff)
	}
	p.write(p.t, p.dir, nil)
}

func isDelete(e sandbox.Effect) bool { return e.Action == "delete" }
