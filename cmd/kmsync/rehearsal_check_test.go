package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/planner/ledger/sqlite"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
	"github.com/hanzoai/kmsync/providers/secret"
)

// usualRun is what the run does that nobody disturbs. Variables are named by place and
// key: "/KMS_CHANGES", "Staging/APP_TOKEN".
type usualRun struct {
	requests  []exchange
	variables map[string]world.Variable // when it has ended
	effects   map[string]int            // creates and updates of a variable
	deletes   map[string]bool
	writes    int               // effects before the barrier
	foreign   map[string]string // UUIDs of the variables that are nobody's
}

// undisturbed does the run. With jump the clock moves while the plan is shown and after
// the last write, so that all evidence is read again before the writes and the deletes.
func undisturbed(t testing.TB, s scenery, jump bool, args ...string) usualRun {
	t.Helper()
	ref := usualRun{foreign: map[string]string{}}
	for place, v := range liveIn(s.world) {
		if strings.Contains(v.Key, "FOREIGN") || v.Key == "PLAIN" {
			ref.foreign[place] = v.UUID
		}
	}
	passes := 1
	if jump { // how many writes there are is known after the first
		passes = 2
	}
	for pass := range passes {
		r := s.open(t)
		if pass > 0 {
			r.jump(ref.writes)
		}
		e := r.run(t.Context(), args...)
		if after := r.run(t.Context(), "plan", "--detailed-exitcode"); e.code != 0 || after.code != 0 {
			t.Fatalf("the run that nobody disturbs ended with %d, and a plan after it with %d:\n%s%s", e.code, after.code, e.stderr, after.stdout)
		}
		ref.read(r.sandbox, r.front.exchanges())
		r.close()
	}
	return ref
}

func (ref *usualRun) read(s *sandbox.Server, log []exchange) {
	ref.variables, ref.effects, ref.deletes = liveIn(s.World()), effectsOf(s.Journal()), map[string]bool{}
	ref.writes = 0
	for _, e := range s.Journal() {
		if e.Action == bitbucket.ActionDelete {
			ref.deletes[e.Environment+"/"+e.Key] = true
		} else if e.OldKey == "" {
			ref.writes++
		}
	}
	ref.requests = nil
	last := 0 // the plan after it does not count
	for i, x := range log {
		if x.key != "" || x.late() {
			last = i
		}
	}
	ref.requests = log[:last+1]
}

// jump has the clock move by more than evidence may be old: when the plan is shown, and
// after that many writes.
func (r *rehearsal) jump(writes int) {
	r.shown = func() { r.clock.move(40 * time.Second) }
	moved := false
	r.front.after = func() {
		if journal := r.sandbox.Journal(); !moved && len(journal) == writes {
			moved = true
			r.clock.move(40 * time.Second)
		}
	}
}

// liveIn returns the variables of a world, by place and key.
func liveIn(w *world.World) map[string]world.Variable {
	all := map[string]world.Variable{}
	repository := w.Bitbucket.Workspace("acme").Repository("web")
	for _, v := range repository.Variables {
		all["/"+v.Key] = v
	}
	for _, v := range repository.Environment("Staging").Variables {
		all["Staging/"+v.Key] = v
	}
	return all
}

func effectsOf(journal []sandbox.Effect) map[string]int {
	effects := map[string]int{}
	for _, e := range journal {
		if e.Action != bitbucket.ActionDelete {
			effects[e.Environment+"/"+e.Key]++
		}
	}
	return effects
}

// wrongDeletes names what was deleted, or lost its name, that the usual run keeps.
func (ref usualRun) wrongDeletes(r *rehearsal) (problems []string) {
	for _, e := range r.sandbox.Journal() {
		switch {
		case e.Action == bitbucket.ActionDelete && !ref.deletes[e.Environment+"/"+e.Key]:
			problems = append(problems, "wrong delete: "+e.Environment+"/"+e.Key)
		case e.OldKey != "" && e.OldKey != "KMS_casey":
			problems = append(problems, "wrong rename: "+e.Environment+"/"+e.OldKey)
		}
	}
	live := liveIn(r.sandbox.World())
	for place, uuid := range ref.foreign {
		if live[place].UUID != uuid || live[place].Value != ref.variables[place].Value || live[place].Secured != ref.variables[place].Secured {
			problems = append(problems, "touched what is nobody's: "+place)
		}
	}
	return problems
}

// differences names the variables that are not as they are in the end of the usual run.
func (ref usualRun) differences(r *rehearsal) (places []string) {
	live := liveIn(r.sandbox.World())
	for place := range maps.Keys(ref.variables) {
		if _, there := live[place]; !there {
			places = append(places, place)
		}
	}
	for place, v := range live {
		want, there := ref.variables[place]
		if !there || want.Value != v.Value || want.Secured != v.Secured {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	return places
}

// unreported names what is left and not told of, for an exit code that fits.
func (ref usualRun) unreported(r *rehearsal, e ending, interrupted bool) (problems []string) {
	left := ref.differences(r)
	wrote := len(r.sandbox.Journal())
	switch {
	case interrupted && e.code == 130:
	case e.code == 0 && len(left) > 0:
		problems = append(problems, fmt.Sprintf("exit code 0, and left: %v", left))
	case e.code == 1 || e.code == 3 || e.code == 4, e.code == 0:
	default:
		problems = append(problems, fmt.Sprintf("exit code %d", e.code))
	}
	for _, place := range left {
		_, key, _ := strings.Cut(place, "/")
		owner := "sync.web"
		if strings.HasPrefix(place, "Staging/") {
			owner = "sync.deploy"
		}
		if !strings.Contains(e.stderr, key) && !strings.Contains(e.stderr, owner+":") && (wrote > 0 || e.stderr == "") {
			problems = append(problems, "left, and not named on stderr: "+place)
		}
	}
	if text := e.stdout + e.stderr; strings.Contains(text, "canary-") {
		problems = append(problems, "a secret was printed")
	}
	return problems
}

// unconsented reports deletes that overwrite-destination asked for and the ledger knows
// no consent to: it is noted before the first of them.
func (ref usualRun) unconsented(r *rehearsal) (problems []string) {
	deleted := slices.ContainsFunc(r.sandbox.Journal(), func(e sandbox.Effect) bool {
		return e.Action == bitbucket.ActionDelete && strings.HasPrefix(e.Key, "APP_BY_HAND")
	})
	if !deleted {
		return nil
	}
	state, err := r.remembered()
	if err != nil {
		return []string{"the ledger: " + err.Error()}
	}
	for _, d := range state.Destinations {
		if d.Environment != "" && d.Consent != nil {
			return nil
		}
	}
	return []string{"deleted by overwrite-destination, and the ledger knows no consent"}
}

// repeated names the variables that were written more often than the usual run writes
// them, and more than once for each request that got no good answer.
func (ref usualRun) repeated(r *rehearsal, allowed map[string]int) (problems []string) {
	for place, n := range effectsOf(r.sandbox.Journal()) {
		if limit := ref.effects[place] + allowed[place]; n > limit {
			problems = append(problems, fmt.Sprintf("%s was written %d times, want at most %d", place, n, limit))
		}
	}
	return problems
}

// brokenWrites counts, by variable, the requests of a log that got no good answer.
func brokenWrites(log []exchange) map[string]int {
	broken := map[string]int{}
	for _, x := range log {
		if x.broken && x.key != "" && x.method != http.MethodDelete {
			broken[x.what()]++
		}
	}
	return broken
}

// remembered reads the ledger.
func (r *rehearsal) remembered() (*ledger.State, error) {
	home := r.getenv["HOME"]
	return sqlite.New(sqlite.Options{
		Dir: filepath.Join(r.dir, ".kmsync"), Keys: rootkey.Store{DataDir: filepath.Join(home, ".local", "share", "kmsync")},
		StateDir: filepath.Join(home, ".local", "state", "kmsync"), Now: r.clock.Now, Random: random{},
	}).Load(context.Background())
}

// disbelieved names the entries of the ledger that say what is not so. With all set
// every one is looked at, and each variable that should be there must have one; else
// those that were written since.
func (ref usualRun) disbelieved(r *rehearsal, all bool, since time.Time) (problems []string) {
	state, err := r.remembered()
	if err != nil {
		return []string{"the ledger: " + err.Error()}
	}
	live, known := liveIn(r.sandbox.World()), map[string]bool{}
	for _, d := range state.Destinations {
		for _, entry := range d.Entries {
			place := d.Environment + "/" + entry.Key
			known[place] = true
			if !all && (entry.InDoubt || entry.LastWrite().Before(since)) {
				continue
			}
			v, there := live[place]
			right := there && v.UUID == entry.UUID && v.Secured == entry.Secured && !entry.InDoubt &&
				entry.Fingerprint.Equal(state.Key.Fingerprint(d.ID, entry.Key, secret.New(v.Value)))
			if !right {
				problems = append(problems, "the ledger is wrong about "+place)
			}
		}
	}
	for place := range ref.variables {
		if _, foreign := ref.foreign[place]; all && !foreign && !known[place] {
			problems = append(problems, "the ledger does not know "+place)
		}
	}
	return problems
}

// mended does the run again, undisturbed, and names what is not as it should be then.
// With lied a variable may be left that Bitbucket called gone: nobody owns it any more.
func (ref usualRun) mended(r *rehearsal, lied bool) (problems []string) {
	r.front.forget()
	r.shown = nil
	if e := r.run(context.Background(), applying...); e.code != 0 {
		problems = append(problems, fmt.Sprintf("the next run ended with %d:\n%s%s", e.code, e.stdout, e.stderr))
	}
	left := slices.DeleteFunc(ref.differences(r), func(place string) bool { return lied && ref.deletes[place] })
	if len(left) > 0 {
		problems = append(problems, fmt.Sprintf("left after the next run: %v", left))
	}
	problems = append(problems, ref.wrongDeletes(r)...)
	problems = append(problems, ref.disbelieved(r, true, time.Time{})...)
	before := len(r.sandbox.Journal())
	if e := r.run(context.Background(), "plan", "--detailed-exitcode"); e.code != 0 || len(r.sandbox.Journal()) != before {
		problems = append(problems, fmt.Sprintf("the plan after that ended with %d:\n%s%s", e.code, e.stdout, e.stderr))
	}
	return problems
}
