package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// breakage is one thing that goes wrong with one request.
type breakage struct {
	victim exchange
	fault  world.Fault
	// interrupt: somebody presses Ctrl-C while the request is answered, as it should.
	interrupt bool
	// lasting: every later try of the same request meets the fault as well.
	lasting bool
}

func (b breakage) String() string {
	text := b.fault.Kind
	switch {
	case b.interrupt:
		text = "interrupt"
	case b.fault.Status != 0:
		text += fmt.Sprintf(" %d", b.fault.Status)
	}
	if b.lasting {
		text += " from then on"
	}
	return fmt.Sprintf("%s at %s, time %d", text, b.victim.id, b.victim.nth+1)
}

func (b breakage) hits(x exchange) bool {
	return x.id == b.victim.id && (x.nth == b.victim.nth || (b.lasting && x.nth > b.victim.nth))
}

// isNoNews reports whether the answer is what it would be without the fault: 404 for a
// secret that is gone.
func (b breakage) isNoNews() bool {
	return b.fault.Status == http.StatusNotFound && strings.Contains(b.victim.id, "/api/v4/secrets/")
}

// refuses reports whether a fault says that an imported folder may not be read, or is
// not there. That is an answer: it refuses keys of the sync that imports it.
func (b breakage) refuses() bool {
	return (b.fault.Status == http.StatusForbidden || b.fault.Status == http.StatusNotFound) &&
		strings.Contains(b.victim.id, "/api/v4/secrets?") && strings.Contains(b.victim.id, "shared")
}

// repeats reports whether a client tries again when it meets the fault.
func (b breakage) repeats() bool {
	switch b.fault.Kind {
	case world.FaultDropBefore, world.FaultDropAfter, world.FaultTruncate:
		return true
	}
	switch b.fault.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// lies reports whether a fault says of a variable that is there that it is gone, which
// is as good as deleted.
func (b breakage) lies() bool {
	return b.fault.Status == http.StatusNotFound && b.victim.method == http.MethodDelete
}

// kinds are all faults of the sandbox.
func kinds() []breakage {
	var all []breakage
	for _, status := range []int{400, 401, 403, 404, 408, 409, 429, 500, 503} {
		all = append(all, breakage{fault: world.Fault{Kind: world.FaultStatus, Status: status}})
	}
	for _, kind := range []string{world.FaultDropBefore, world.FaultDropAfter, world.FaultTruncate, world.FaultHTML, world.FaultRedirect} {
		all = append(all, breakage{fault: world.Fault{Kind: kind}})
	}
	return append(all, breakage{interrupt: true})
}

// disturb does the run while things go wrong, then once more, and names all that was
// not as it should be.
func (ref usualRun) disturb(t *testing.T, s scenery, breakages ...breakage) []string {
	t.Helper()
	r := s.open(t)
	defer os.RemoveAll(r.dir)
	defer r.close()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	r.jump(ref.writes)
	interrupted, lied, refused := false, false, false
	r.front.meddle = func(x exchange, serve http.HandlerFunc, w http.ResponseWriter, req *http.Request) bool {
		for _, b := range breakages {
			if !b.hits(x) {
				continue
			}
			if b.interrupt {
				interrupted = true
				cancel(cli.Signal{Received: syscall.SIGINT})
				break
			}
			lied = lied || b.lies()
			if err := r.sandbox.Inject(b.fault); err != nil {
				t.Error(err)
			}
			serve(w, req)
			r.sandbox.ClearFaults()
			refused = refused || b.refuses()
			// An answer that has no body cannot be cut.
			whole := b.fault.Kind == world.FaultTruncate && (x.method == http.MethodDelete || req.Header.Get("If-None-Match") != "")
			return !b.isNoNews() && !b.refuses() && !whole
		}
		serve(w, req)
		return false
	}
	start := r.clock.Now()
	e := r.run(ctx, applying...)
	log := r.front.exchanges()
	problems := ref.wrongDeletes(r)
	failed := undoubted(log)
	for _, x := range log {
		if x.late() && (failed != "" || (refused && x.place == "")) {
			problems = append(problems, "deleted although this failed: "+failed+": "+x.id)
		}
	}
	if !lied {
		problems = append(problems, ref.unreported(r, e, interrupted)...)
	}
	problems = append(problems, ref.disbelieved(r, false, start)...)
	problems = append(problems, ref.unconsented(r)...)
	problems = append(problems, ref.mended(r, lied)...)
	allowed := brokenWrites(log)
	if interrupted || len(breakages) > 1 {
		allowed["/KMS_PUBLIC_FLAG"]++ // it may have ended between its two steps, and both are done again
	}
	problems = append(problems, ref.repeated(r, allowed)...)
	if len(problems) > 0 {
		problems = append(problems, fmt.Sprintf("the disturbed run ended with %d:\n%s", e.code, e.stderr))
	}
	return problems
}

// TestFaults does the representative run once for every fault at every request, then a
// run that nothing disturbs. Of faults that last, and of pairs, it draws some.
func TestFaults(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	s := prepare(t)
	ref := undisturbed(t, s, true, applying...)
	var all, lasting [][]breakage
	for _, x := range ref.requests {
		for _, b := range kinds() {
			b.victim = x
			all = append(all, []breakage{b})
			if b.repeats() {
				b.lasting = true
				lasting = append(lasting, []breakage{b})
			}
		}
	}
	single := len(all) + len(lasting)
	random := rand.New(rand.NewPCG(1, 2))
	var pairs [][]breakage
	for range drawn(60) {
		pairs = append(pairs, []breakage{all[random.IntN(len(all))][0], lasting[random.IntN(len(lasting))][0]})
	}
	random.Shuffle(len(lasting), func(i, j int) { lasting[i], lasting[j] = lasting[j], lasting[i] })
	all = sample(slices.Concat(all, lasting[:min(len(lasting), drawn(60))], pairs))
	sweep(t, len(all), func(i int) []string { return ref.disturb(t, s, all[i]...) }, func(i int) string { return fmt.Sprint(all[i]) })
	t.Logf("%d requests, %d single faults, %d runs in %v", len(ref.requests), single, len(all), time.Since(begun).Round(time.Second))
}

// drawn is how many of what is drawn at random are tried: n, or what KMSYNC_SWEEP says.
func drawn(n int) int {
	if given, err := strconv.Atoi(os.Getenv("KMSYNC_SWEEP")); err == nil {
		return given
	}
	return n
}

// sample is every tenth in a short run, else all.
func sample[T any](all []T) []T {
	if !testing.Short() {
		return all
	}
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:len(all)/10]
}

// sweep does n things, several at a time, and reports the problems of each.
func sweep(t *testing.T, n int, do func(int) []string, name func(int) string) {
	t.Helper()
	var next, failed atomic.Int64
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				problems := do(i)
				if len(problems) > 0 && failed.Add(1) <= 20 {
					t.Errorf("%s:\n%s", name(i), strings.Join(problems, "\n"))
				}
			}
		})
	}
	work.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d failed", failed.Load(), n)
	}
}
