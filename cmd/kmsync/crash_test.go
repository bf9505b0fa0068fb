//go:build unix

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// moment is when a process is killed, as seen from one of its requests.
type moment string

const (
	arrived  moment = "before its effect"
	effected moment = "after its effect, before its answer"
	answered moment = "after its answer, before the ledger can note it"
)

// boundary is a place between requests and records of the ledger.
type boundary struct {
	victim exchange
	moment moment
	after  time.Duration // with no victim: so long after the first request, or the start
}

func (b boundary) String() string {
	if b.victim.id == "" {
		return fmt.Sprintf("%v after the first request", b.after)
	}
	return fmt.Sprintf("%s, time %d: %s", b.victim.id, b.victim.nth+1, b.moment)
}

// start starts kmsync in a process of its own.
func (r *rehearsal) start(args ...string) (cmd *exec.Cmd, printed *output) {
	printed = &output{}
	cmd = exec.Command("kmsync", args...) // the test program, installed under that name
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, printed, printed
	for name, value := range r.getenv {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		r.t.Error(err)
	}
	return cmd, printed
}

// holdLedger keeps everybody from writing to the ledger until done is called. Readers
// go on.
func (r *rehearsal) holdLedger() (done func(), err error) {
	file := filepath.Join(r.dir, ".kmsync", "ledger.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	tx, err := db.Begin()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() { _, _ = tx.Rollback(), db.Close() }, nil
}

// kill has a process killed at a boundary, and returns whether that was reached.
func (r *rehearsal) kill(b boundary, args ...string) bool {
	reach, reached := make(chan struct{}), false
	dead := make(chan struct{})
	first := make(chan struct{})
	release := func() {}
	r.front.meddle = func(x exchange, serve http.HandlerFunc, w http.ResponseWriter, req *http.Request) bool {
		if x.nth == 0 && !isClosed(first) {
			close(first)
		}
		if b.victim.id != x.id || b.victim.nth != x.nth {
			serve(w, req)
			return false
		}
		switch b.moment {
		case answered:
			done, err := r.holdLedger()
			if err != nil {
				r.t.Errorf("hold the ledger: %v", err)
			} else {
				release = done
			}
			serve(w, req)
			close(reach)
			return true
		case effected:
			serve(discard{w}, req)
		}
		close(reach)
		<-dead
		return true
	}
	cmd, printed := r.start(args...)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended does not matter
		close(ended)
	}()
	wait := reach
	if b.victim.id == "" {
		wait = first
	}
	select {
	case <-wait:
		reached = true
		switch {
		case b.victim.id == "":
			time.Sleep(b.after)
		case b.moment == answered:
			time.Sleep(20 * time.Millisecond) // it takes the answer, and waits for the ledger
		}
	case <-ended:
	case <-time.After(patience):
	}
	_ = cmd.Process.Kill() // it may have ended by itself
	<-ended
	close(dead)
	release()
	if text := printed.String(); strings.Contains(text, "canary-") {
		r.t.Errorf("%v: a secret was printed", b)
	}
	return reached
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// discard lets a request have its effect and throws the answer away.
type discard struct{ http.ResponseWriter }

func (discard) Header() http.Header           { return http.Header{} }
func (discard) Write(p []byte) (int, error)   { return len(p), nil }
func (discard) WriteHeader(int)               {}
func (d discard) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// crash kills a run at a boundary, does it once more, and names what is not as it
// should be.
func (ref usualRun) crash(r *rehearsal, b boundary, parallelism int) []string {
	defer os.RemoveAll(r.dir)
	defer r.close()
	args := append(slices.Clone(applying), "--parallelism", fmt.Sprint(parallelism))
	reached := r.kill(b, args...)
	log := r.front.exchanges()
	var problems []string
	if !reached {
		problems = append(problems, "the boundary was not reached")
	}
	problems = append(problems, ref.wrongDeletes(r)...)
	problems = append(problems, ref.unconsented(r)...)
	r.clock.move(time.Since(r.clock.Now()))
	problems = append(problems, ref.mended(r, false)...)
	problems = append(problems, ref.repeated(r, underway(log, parallelism))...)
	return append(problems, ref.repeatedInAll(r, parallelism)...)
}

// underway allows one more write of each variable whose request may have been on its
// way when a process was killed: no more are sent before the ledger has noted an answer.
func underway(log []exchange, parallelism int) map[string]int {
	allowed := map[string]int{}
	var writes []exchange
	for _, x := range log {
		if x.key != "" {
			writes = append(writes, x)
		}
	}
	for _, x := range writes[max(0, len(writes)-parallelism):] {
		allowed[x.what()] = 1
	}
	return allowed
}

// repeatedInAll limits how many writes were repeated together.
func (ref usualRun) repeatedInAll(r *rehearsal, limit int) []string {
	n := 0
	for place, times := range effectsOf(r.sandbox.Journal()) {
		n += max(0, times-ref.effects[place])
	}
	if n > limit {
		return []string{fmt.Sprintf("%d writes were repeated, want at most %d", n, limit)}
	}
	return nil
}

// boundaries are all those of a run. reads are not followed by a record.
func boundaries(requests []exchange) []boundary {
	var all []boundary
	for _, x := range requests {
		all = append(all, boundary{victim: x, moment: arrived})
		if x.method != http.MethodGet {
			all = append(all, boundary{victim: x, moment: effected})
		}
	}
	return all
}

// TestKilled kills the representative run at every boundary between requests and
// records of the ledger, and at random moments; then a run that nothing disturbs mends
// it.
func TestKilled(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	s := prepare(t)
	ref := undisturbed(t, s, false, append(slices.Clone(applying), "--parallelism", "1")...)
	all := boundaries(ref.requests)
	for _, x := range ref.requests {
		all = append(all, boundary{victim: x, moment: answered})
	}
	exact := len(all)
	all = append(all, randomMoments(drawn(60), 60*time.Millisecond)...)
	all = sample(all)
	kill := func(i int) []string { return ref.crash(s.open(t), all[i], width(all[i])) }
	sweep(t, len(all), kill, func(i int) string { return fmt.Sprint(all[i]) })
	t.Logf("%d requests, %d boundaries, %d kills in %v", len(ref.requests), exact, len(all), time.Since(begun).Round(time.Second))
}

// TestKilledAtFirst does the same with the first run of all, which makes the ledger and
// its key.
func TestKilledAtFirst(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	s := scenery{dir: t.TempDir(), at: time.Now().UTC()}
	writeFiles(t, s.dir, filesBefore)
	blank := stageOn(t, s.dir, worldBefore(), s.at)
	s.world = blank.sandbox.World() // with all that was left out filled in
	blank.close()
	ref := undisturbed(t, s, false, append(slices.Clone(applying), "--parallelism", "1")...)
	all := boundaries(ref.requests)
	for _, x := range ref.requests {
		if x.method != http.MethodGet {
			all = append(all, boundary{victim: x, moment: answered})
		}
	}
	exact := len(all)
	all = append(all, randomMoments(drawn(20), 40*time.Millisecond)...)
	all = sample(all)
	kill := func(i int) []string { return ref.crash(s.open(t), all[i], width(all[i])) }
	sweep(t, len(all), kill, func(i int) string { return fmt.Sprint(all[i]) })
	t.Logf("%d requests, %d boundaries, %d kills in %v", len(ref.requests), exact, len(all), time.Since(begun).Round(time.Second))
}

// TestKilledAndTakenBack kills an update, whose new value is then taken back in the KMS:
// what the ledger knew before would fit the secret again, and the variable may hold the
// other value. The intent says so.
func TestKilledAndTakenBack(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	before := s.world.KMS.Project("demo").Environment("dev").Folder("/web").Secret("CHANGES")
	ref := undisturbed(t, s, false, append(slices.Clone(applying), "--parallelism", "1")...)
	i := slices.IndexFunc(ref.requests, func(x exchange) bool { return x.key == "KMS_CHANGES" })
	for _, at := range []moment{arrived, effected, answered} {
		r := s.open(t)
		if !r.kill(boundary{victim: ref.requests[i], moment: at}, append(slices.Clone(applying), "--parallelism", "1")...) {
			t.Errorf("%s: the boundary was not reached", at)
		}
		r.sandbox.Update(func(w *world.World) {
			secret := w.KMS.Project("demo").Environment("dev").Folder("/web").Secret("CHANGES")
			secret.Value, secret.Version = "canary-web-CHANGES", before.Version+1
		})
		r.front.forget()
		r.clock.move(time.Since(r.clock.Now()))
		e := r.run(t.Context(), applying...)
		if v := liveIn(r.sandbox.World())["/KMS_CHANGES"]; e.code != 0 || v.Value != "canary-web-CHANGES" {
			t.Errorf("%s: exit code %d, and the variable has the value that was taken back\n%s", at, e.code, e.stderr)
		}
		r.close()
		_ = os.RemoveAll(r.dir)
	}
}

// width is how many requests are in flight: one where the boundary is exact.
func width(b boundary) int {
	if b.victim.id == "" {
		return 8
	}
	return 1
}

func randomMoments(n int, longest time.Duration) []boundary {
	random := rand.New(rand.NewPCG(3, 4))
	var all []boundary
	for range n {
		all = append(all, boundary{after: time.Duration(random.Int64N(int64(longest)))})
	}
	return all
}
