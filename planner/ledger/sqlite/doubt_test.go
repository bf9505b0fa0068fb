package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers/secret"
)

func notDone(key string) ledger.Outcome {
	return ledger.Outcome{Kind: ledger.NotDone, Entry: ledger.Entry{Key: key}}
}

var forgotten = ledger.Outcome{Kind: ledger.Forgotten, Entry: ledger.Entry{Key: "A"}}

// TestDoubt plays what sessions do to one key, one after the other, and looks at
// what the next run sees.
func TestDoubt(t *testing.T) {
	t.Parallel()
	type step func(testing.TB, ledger.Session, *ledger.State)
	update := create("A")
	update.UUID, update.Source.Version = "{var-A}", 9
	intends := func(intents ...ledger.Intent) step {
		return func(t testing.TB, s ledger.Session, _ *ledger.State) { t.Helper(); intend(t, s, intents...) }
	}
	writes := func(value string) step {
		return func(t testing.TB, s ledger.Session, state *ledger.State) {
			t.Helper()
			settle(t, s, written("A", state.Key, value))
		}
	}
	settles := func(o ledger.Outcome) step {
		return func(t testing.TB, s ledger.Session, _ *ledger.State) { t.Helper(); settle(t, s, o) }
	}
	adopts := func(t testing.TB, s ledger.Session, state *ledger.State) {
		t.Helper()
		settle(t, s, ledger.Outcome{Kind: ledger.Adopted, Entry: written("A", state.Key, "new").Entry})
	}
	const none, sure, doubt = "no entry", "sure", "in doubt"

	for name, test := range map[string]struct {
		sessions [][]step
		want     string
		value    string // that the fingerprint is of; "" for none
	}{
		"create unanswered":                      {[][]step{{intends(create("A"))}}, doubt, ""},
		"create refused":                         {[][]step{{intends(create("A")), settles(notDone("A"))}}, none, ""},
		"create done":                            {[][]step{{intends(create("A")), writes("old")}}, sure, "old"},
		"update unanswered":                      {[][]step{{writes("old")}, {intends(update)}}, doubt, "old"},
		"update refused":                         {[][]step{{writes("old")}, {intends(update), settles(notDone("A"))}}, sure, "old"},
		"update done":                            {[][]step{{writes("old")}, {intends(update), writes("new")}}, sure, "new"},
		"update of what was never ours":          {[][]step{{intends(update)}}, doubt, ""},
		"refused after an earlier doubt":         {[][]step{{writes("old")}, {intends(update)}, {intends(update), settles(notDone("A"))}}, doubt, "old"},
		"create refused after an earlier doubt":  {[][]step{{intends(create("A"))}, {intends(create("A")), settles(notDone("A"))}}, doubt, ""},
		"refused, of an earlier session":         {[][]step{{intends(create("A"))}, {settles(notDone("A"))}}, doubt, ""},
		"refused after a doubt of this session":  {[][]step{{writes("old"), intends(update), intends(update), settles(notDone("A"))}}, doubt, "old"},
		"refused twice":                          {[][]step{{writes("old"), intends(update), intends(update), settles(notDone("A")), settles(notDone("A"))}}, sure, "old"},
		"done after doubts":                      {[][]step{{writes("old")}, {intends(update)}, {intends(update)}, {intends(update), writes("new")}}, sure, "new"},
		"adopted ends a doubt":                   {[][]step{{intends(update)}, {adopts}}, sure, "new"},
		"forgotten ends a doubt":                 {[][]step{{writes("old"), intends(update)}, {settles(forgotten)}}, none, ""},
		"intended after done, unanswered":        {[][]step{{intends(create("A")), writes("old"), intends(update)}}, doubt, "old"},
		"of another key":                         {[][]step{{writes("old"), intends(create("B")), settles(notDone("B"))}}, sure, "old"},
		"another key's refusal leaves the doubt": {[][]step{{intends(create("A"), create("B")), settles(notDone("B"))}}, doubt, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			for _, steps := range test.sessions {
				p.session(t, func(s ledger.Session, state *ledger.State) {
					for _, do := range steps {
						do(t, s, state)
					}
				})
			}
			state := p.load(t)
			e := entry(state, "A")
			got := none
			if e != nil {
				got = map[bool]string{false: sure, true: doubt}[e.InDoubt]
			}
			if got != test.want {
				t.Fatalf("got %s, want %s", got, test.want)
			}
			if e == nil {
				return
			}
			if test.value == "" {
				if !e.Fingerprint.IsZero() || e.UUID != "" {
					t.Errorf("got %+v, want neither a fingerprint nor a UUID", e)
				}
			} else if !e.Fingerprint.Equal(state.Key.Fingerprint(staging.ID, "A", secret.New(test.value))) || e.UUID != "{var-A}" {
				t.Errorf("got %+v, want UUID and fingerprint of %q", e, test.value)
			}
		})
	}
}

func TestAnUnansweredWriteShowsItsLastIntent(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(s ledger.Session, _ *ledger.State) { intend(t, s, create("A")) })
	later := create("A")
	later.UUID, later.Owner, later.Source.Version = "{somebody's}", ledger.Owner{Config: "x", Sync: "sync.later"}, 8
	p.session(t, func(s ledger.Session, _ *ledger.State) {
		intend(t, s, create("A"))
		intend(t, s, later)
	})
	want := &ledger.Entry{Key: "A", Owner: later.Owner, Source: later.Source, InDoubt: true}
	diff(t, entry(p.load(t), "A"), want)
}

// TestARefusedIntentShowsTheOneBefore: the entry is as it was, whether the intent
// before it is of this session or of another.
func TestARefusedIntentShowsTheOneBefore(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	of := func(sync string) ledger.Intent {
		intent := create("A")
		intent.Owner.Sync, intent.Source.Name = sync, "OF_"+sync
		return intent
	}
	shows := func(sync string) {
		t.Helper()
		intent := of(sync)
		diff(t, entry(p.load(t), "A"), &ledger.Entry{Key: "A", Owner: intent.Owner, Source: intent.Source, InDoubt: true})
	}
	p.session(t, func(s ledger.Session, _ *ledger.State) { intend(t, s, of("sync.1")) })
	p.session(t, func(s ledger.Session, _ *ledger.State) {
		intend(t, s, of("sync.2"), of("sync.3"))
		shows("sync.3")
		settle(t, s, notDone("A"))
		shows("sync.2")
		settle(t, s, notDone("A"))
		shows("sync.1")
		settle(t, s, notDone("A")) // is not of this session
		shows("sync.1")
	})
	p.session(t, func(ledger.Session, *ledger.State) { shows("sync.1") })
}

func TestAnUnansweredUpdateKeepsWhatWasKnown(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(s ledger.Session, state *ledger.State) { settle(t, s, written("A", state.Key, "old")) })
	want := entry(p.load(t), "A")
	p.session(t, func(s ledger.Session, _ *ledger.State) {
		update := create("A")
		update.Owner.Sync, update.Source.Version = "sync.other", 9
		intend(t, s, update)
	})
	want.InDoubt = true
	diff(t, entry(p.load(t), "A"), want)
}

const crashRoot = "KMSYNC_TEST_CRASH_ROOT"

// TestMain lets the test's own binary be the run that is killed.
func TestMain(m *testing.M) {
	if root := os.Getenv(crashRoot); root != "" {
		fmt.Println(writeUntilKilled(root))
		select {} // until killed
	}
	os.Exit(m.Run())
}

// writeUntilKilled leaves A and B in doubt and C written, and the session open.
func writeUntilKilled(root string) error {
	p := placeAt(root)
	ctx := context.Background()
	session, state, err := p.store().Lock(ctx, tester, 0)
	if err != nil {
		return err
	}
	b := written("B", state.Key, "old")
	if err := session.Intend(ctx, staging, []ledger.Intent{create("A"), create("B"), create("C")}); err != nil {
		return err
	}
	if err := session.Settle(ctx, staging, []ledger.Outcome{b, written("C", state.Key, "old")}); err != nil {
		return err
	}
	return session.Intend(ctx, staging, []ledger.Intent{create("B")})
}

func TestAKilledRunLeavesDoubtsAndNoLock(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashRoot+"="+p.root)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, _, lockErr := p.store().Lock(t.Context(), tester, 0); lockErr == nil {
		t.Error("two runs hold the lock")
	}
	if err := child.Process.Kill(); err != nil { // SIGKILL
		t.Error(err)
	}
	_ = child.Wait() // "signal: killed"
	if err != nil || line != "<nil>\n" {
		t.Fatalf("the child said %q (%v)", line, err)
	}

	check := func(state *ledger.State) {
		t.Helper()
		got := map[string]bool{}
		for key, e := range state.Destinations[staging.ID].Entries {
			got[key] = e.InDoubt
		}
		diff(t, got, map[string]bool{"A": true, "B": true, "C": false})
		if state.Serial != 1 || state.Rolled {
			t.Errorf("serial %d, rolled %v; want 1 and false", state.Serial, state.Rolled)
		}
	}
	check(p.load(t))
	session, state := p.lock(t)
	check(state)
	closeSession(t, session)
	check(p.load(t))
}
