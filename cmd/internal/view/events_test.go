package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/codec"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

func clock() time.Time { return now }

// events is one of each, and each kind of failure.
func events() []applier.Event {
	created := change("KMS_REGION", verdict.Create, verdict.Missing)
	gone := change("KMS_GONE", verdict.Delete, verdict.GoneFromSource)
	moved := blocked(change("KMS_X", verdict.Update, verdict.SourceChanged), verdict.Moved, "the variable is gone from acme/payments (Staging)")
	failed := change("KMS_API_KEY", verdict.Update, verdict.SourceChanged)
	refusal := &providers.Error{Op: "update variable", Scope: "acme/payments (Staging)", Kind: providers.KindForbidden, Status: 403, Hint: "Give the token the right to edit variables."}
	lost := &providers.Error{Op: "update variable", Scope: "acme/payments (Staging)", Kind: providers.KindUnavailable, Sent: true}
	ended := &providers.Error{Op: "update variable", Scope: "acme/payments (Staging)", Kind: providers.KindUnauthenticated, Status: 401}
	limited := &providers.Error{Op: "update variable", Scope: "acme/payments (Staging)", Kind: providers.KindRateLimited, Status: 429, RetryAfter: 90 * time.Second}
	return []applier.Event{
		applier.Started{Changes: 4},
		applier.Wrote{Address: "sync.payments-dev", Destination: staging, Change: created},
		applier.Recorded{Address: "sync.payments-dev", Destination: staging, Change: change("KMS_A", verdict.Adopt, verdict.Adopted)},
		applier.Recorded{Address: "sync.payments-dev", Destination: staging, Change: change("KMS_F", verdict.Forget, verdict.GoneOutside)},
		applier.Waiting{Service: "Bitbucket", For: 11500 * time.Millisecond},
		applier.Stopped{Address: "sync.payments-dev", Destination: staging, Change: moved},
		applier.Failed{Address: "sync.payments-dev", Destination: staging, Change: failed, Err: refusal},
		applier.Failed{Address: "sync.payments-dev", Destination: staging, Change: failed, Err: lost, Doubtful: true},
		applier.Failed{Address: "sync.payments-dev", Destination: staging, Change: failed, Err: ended},
		applier.Failed{Address: "sync.payments-dev", Destination: staging, Change: failed, Err: limited},
		applier.Failed{Address: "sync.payments-dev", Destination: staging, Change: created, Err: errors.New("not secured"), Taken: true},
		applier.Skipped{Address: "sync.payments-dev", Destination: staging, Change: created},
		applier.Wrote{Address: "sync.payments-dev", Destination: staging, Change: gone},
		applier.Held{Address: "sync.payments-dev", Destination: staging, Change: blocked(gone, verdict.InDoubt, "KMS_API_KEY of sync.payments-dev failed")},
		applier.Held{Address: "sync.payments-dev", Destination: staging, Change: blocked(gone, verdict.RefusedKey, "")},
		applier.Finished{Result: results()["partly"]},
	}
}

func TestProgressGolden(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	progress := NewProgress(&out, Style{})
	for _, e := range events() {
		progress.Event(e)
	}
	golden(t, "progress.txt", out.Bytes())
}

func TestLinesGolden(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	lines := NewLines(&out, clock)
	for _, e := range events() {
		lines.Event(e)
	}
	golden(t, "events.jsonl", out.Bytes())

	decoder := json.NewDecoder(&out)
	for range events() {
		var line struct{ Type, Time string }
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Type == "unknown" || line.Type == "" || line.Time != now.Format(time.RFC3339) {
			t.Errorf("line %+v: want a type and the clock's time", line)
		}
	}
}

// The plan comes as it is, on one line.
func TestLinesPlan(t *testing.T) {
	t.Parallel()
	document, err := codec.Encode(brief(), codec.Meta{KmsyncVersion: "0.1.0", CreatedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := NewLines(&out, clock).Plan(document); err != nil {
		t.Fatal(err)
	}
	var line struct {
		Type, Time string
		Plan       any
	}
	var want any
	if err := errors.Join(json.Unmarshal(out.Bytes(), &line), json.Unmarshal(document, &want)); err != nil {
		t.Fatal(err)
	}
	if line.Type != "plan" || line.Time != now.Format(time.RFC3339) || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
		t.Errorf("not one line of type plan: %s", out.Bytes())
	}
	if diff := cmp.Diff(want, line.Plan); diff != "" {
		t.Errorf("(-document +line):\n%s", diff)
	}
}

func TestEventsStopAtAWriterError(t *testing.T) {
	t.Parallel()
	for name, show := range map[string]Events{"progress": NewProgress(brokenPipe{}, Style{}), "lines": NewLines(brokenPipe{}, clock)} {
		for _, e := range events() {
			show.Event(e)
		}
		if !errors.Is(show.Err(), errBroken) {
			t.Errorf("%s: error %v, want the writer's", name, show.Err())
		}
	}
}

// A reader that comes back gets no half of a stream.
func TestEventsStayStopped(t *testing.T) {
	t.Parallel()
	w := &flaky{}
	lines := NewLines(w, clock)
	for _, e := range events() {
		lines.Event(e)
	}
	if w.calls != 2 || lines.Err() == nil {
		t.Errorf("%d writes and error %v, want none after the second, which failed", w.calls, lines.Err())
	}
}

// flaky fails at its second write only.
type flaky struct{ calls int }

func (w *flaky) Write(p []byte) (int, error) {
	w.calls++
	if w.calls == 2 {
		return 0, errBroken
	}
	return len(p), nil
}

func results() map[string]applier.Result {
	return map[string]applier.Result{
		"done":           {Created: 3, Updated: 1},
		"ledger":         {Adopted: 2, Forgotten: 1},
		"nothing":        {},
		"partly":         {Created: 3, Failed: 2, Stopped: 1},
		"taken":          {Failed: 2, Taken: 1},
		"forgot-held":    {Forgotten: 1, Held: 1},
		"adopted-failed": {Adopted: 1, Failed: 1},
		"moved":          {Stopped: 1},
		"held":           {Created: 3, Held: 1},
		"held-only":      {Held: 2},
		"sync-error":     {Updated: 1, SyncErrors: 1},
		"all-failed":     {Failed: 2},
		"interrupted":    {Created: 1, Skipped: 4, Interrupted: true},
		"interrupted-at": {Interrupted: true},
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"done":           "Applied: 3 created, 1 updated.\n",
		"ledger":         "Applied: 2 adopted, 1 forgotten.\n",
		"nothing":        "Applied: nothing to do.\n",
		"partly":         "Partly applied: 3 created, 2 failed, 1 moved meanwhile. Each failure says what to do; kmsync apply then goes on where this run stopped.\n",
		"taken":          "Partly applied: 2 failed (1 of them written all the same). Each failure says what to do; kmsync apply then goes on where this run stopped.\n",
		"forgot-held":    "Nothing written: 1 forgotten, 1 refused or held. Run kmsync plan: it says what stops the rest.\n",
		"adopted-failed": "Nothing written: 1 adopted, 1 failed. Each failure says what to do; kmsync apply then goes on where this run stopped.\n",
		"moved":          "Nothing applied: 1 moved meanwhile. Run kmsync apply again: it goes on where this run stopped.\n",
		"held":           "Partly applied: 3 created, 1 refused or held. Run kmsync plan: it says what stops the rest.\n",
		"held-only":      "Nothing applied: 2 refused or held. Run kmsync plan: it says what stops the rest.\n",
		"sync-error":     "Partly applied: 1 updated, 1 sync not planned. Run kmsync plan: it says what stops the rest.\n",
		"all-failed":     "Nothing applied: 2 failed. Each failure says what to do; kmsync apply then goes on where this run stopped.\n",
		"interrupted":    "Interrupted: 1 created, 4 not tried. Run kmsync apply again: it goes on where this run stopped.\n",
		"interrupted-at": "Interrupted: nothing done. Run kmsync apply again: it goes on where this run stopped.\n",
	}
	for name, result := range results() {
		var out bytes.Buffer
		if err := Result(&out, result, Style{}); err != nil {
			t.Fatal(err)
		}
		if out.String() != want[name] {
			t.Errorf("%s:\n got %q\nwant %q", name, out.String(), want[name])
		}
	}
}

// After a destroy nobody is told to apply: that would make everything again.
func TestResultOfDestroy(t *testing.T) {
	t.Parallel()
	for name, result := range results() {
		var out bytes.Buffer
		if err := Result(&out, result, Style{Destroying: true}); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); strings.Contains(text, "kmsync apply") || strings.Contains(text, "kmsync plan:") {
			t.Errorf("%s: %q", name, text)
		}
	}
}
