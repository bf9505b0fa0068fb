package care

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/forget"
	"github.com/hanzoai/kmsync/planner/ledger"
)

// printed returns what people and programs read, which is one JSON document.
func printed[T any](t *testing.T, of T, text, document func(io.Writer, T) error) (string, map[string]any) {
	t.Helper()
	var a, b bytes.Buffer
	if err := text(&a, of); err != nil {
		t.Fatal(err)
	}
	if err := document(&b, of); err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{a.String(), b.String()} {
		if strings.Contains(out, "\x1b") {
			t.Errorf("an escape got through: %q", out)
		}
	}
	return a.String(), fields
}

func TestVerify(t *testing.T) {
	t.Parallel()
	report := ledger.Report{
		Path: "/w/\x1b.kmsync/ledger.db", ID: "0123456789abcdef", SchemaVersion: "2", Serial: 12, Noted: 12, KeyAt: "/h/ledger.key",
		Destinations: 1, Keys: 4, InDoubt: 1, Released: 2, Consents: 1,
	}
	text, fields := printed(t, &report, Verify, VerifyJSON)
	want := `The ledger is sound: its schema, every seal, every count and every page were checked.
  file      /w/␛.kmsync/ledger.db
  ledger    0123456789abcdef, schema 2
  serial    12; this machine has noted 12
  root key  /h/ledger.key
  holds     4 keys in 1 destination
  of these  1 in doubt, 2 released; 1 consent
  lock      free
  copy      not older than its note
`
	if strings.ReplaceAll(text, `\x1b`, "␛") != strings.ReplaceAll(want, `\x1b`, "␛") {
		t.Errorf("got\n%s", text)
	}
	if fields["exists"] != true || fields["serial"] != 12.0 || fields["noted_serial"] != 12.0 || fields["running"] != nil || fields["older"] != false {
		t.Errorf("got %v", fields)
	}
	report.Older, report.Unaccepted, report.Noted = true, true, 0
	report.Running = &ledger.Holder{Run: "ada@host", Since: time.Unix(0, 0), Doing: "apply"}
	text, fields = printed(t, &report, Verify, VerifyJSON)
	for _, part := range []string{"noted none", "locked by ada@host since 1970-01-01T00:00:00Z for apply", "older than its note"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said:\n%s", part, text)
		}
	}
	if fields["running"] != "ada@host" || fields["older"] != true || fields["unaccepted"] != true {
		t.Errorf("got %v", fields)
	}
	report.Older = false
	if text, _ := printed(t, &report, Verify, VerifyJSON); !strings.Contains(text, "nobody has accepted it") {
		t.Errorf("got\n%s", text)
	}
	text, fields = printed(t, &ledger.Report{Path: "x"}, Verify, VerifyJSON)
	if text != none+"\n" || fields["exists"] != false {
		t.Errorf("of none: %s %v", text, fields)
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		done     ledger.Accepted
		exists   bool
		want     string
		accepted bool
	}{
		{ledger.Accepted{Older: true, Keys: 3, Consents: 1}, true, "3 keys of the older copy count again, each in doubt", true},
		{ledger.Accepted{Older: true, Keys: 3, Consents: 1}, true, "1 consent to deletes by overwrite-destination went", true},
		{ledger.Accepted{Older: true, Marked: true, Keys: 1}, true, "deletes are possible again.\n", true},
		{ledger.Accepted{Marked: true}, true, "stays set aside, and deletes are possible again", true},
		{ledger.Accepted{}, true, "nothing to accept", false},
		{ledger.Accepted{}, false, none, false},
	} {
		text, fields := printed(t, test.done, func(w io.Writer, d ledger.Accepted) error { return Accept(w, d, test.exists) },
			func(w io.Writer, d ledger.Accepted) error { return AcceptJSON(w, d, test.exists) })
		if !strings.Contains(text, test.want) || fields["accepted"] != test.accepted || fields["exists"] != test.exists {
			t.Errorf("%+v: got %s and %v", test.done, text, fields)
		}
	}
}

func TestRekey(t *testing.T) {
	t.Parallel()
	text, fields := printed(t, ledger.Rekeyed{KeyAt: "/h/k", Checked: true, Keys: 4}, Rekey, RekeyJSON)
	if !strings.Contains(text, "Every seal was checked") || !strings.Contains(text, "\n  root key  /h/k\n") || fields["checked"] != true || fields["root_key"] != "/h/k" {
		t.Errorf("got %s and %v", text, fields)
	}
	text, fields = printed(t, ledger.Rekeyed{KeyAt: "/h/k", Keys: 4, Released: 4, Consents: 2, Older: true}, Rekey, RekeyJSON)
	for _, part := range []string{"no seal could be checked", "Of 4 keys 4 are released", "2 consents", "an older copy still"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said: %s", part, text)
		}
	}
	if fields["checked"] != false || fields["released"] != 4.0 || fields["dropped_consents"] != 2.0 || fields["older"] != true {
		t.Errorf("got %v", fields)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	places := []forget.Place{
		{Destination: &ledger.Destination{ID: "{a}", Workspace: "acme", Repository: "legacy"}, Whole: true, Keys: []string{"A", "B\x1b"}},
		{Destination: &ledger.Destination{ID: "{b}/{c}", Workspace: "acme", Repository: "web", Environment: "Staging"}, Keys: []string{"C"}},
	}
	text, fields := printed(t, places, Remove, RemoveJSON)
	for _, part := range []string{
		"acme/legacy   {a}\n  A   forgotten\n", "the destination itself is forgotten", "acme/web (Staging)   {b}/{c}\n  C   forgotten\n\n",
		"Forgot 3 keys in 2 destinations. No variable was changed",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said:\n%s", part, text)
		}
	}
	removed := fields["removed"].([]any)
	first, second := removed[0].(map[string]any), removed[1].(map[string]any)
	if first["whole"] != true || len(first["keys"].([]any)) != 2 || second["whole"] != false || second["deployment_environment"] != "Staging" {
		t.Errorf("got %v", fields)
	}
}
