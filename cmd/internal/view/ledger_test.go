package view

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers/secret"
)

// memory is a ledger with everything an entry can say.
func memory() *ledger.State {
	from := ledger.Source{KMS: "hanzo", Environment: "dev", Path: "/payments", Name: "API_KEY", ID: "s1", Version: 7}
	write := ledger.Write{At: now, Action: "update", Reason: "source_changed", Version: 7, Run: "ann@laptop"}
	first := ledger.Write{At: now.AddDate(0, -1, 0), Action: "create", Reason: "missing", Version: 6, Run: "ann@laptop"}
	return &ledger.State{ID: "3f2a", Serial: 12, Destinations: map[string]*ledger.Destination{
		"{r2}": {ID: "{r2}", RepositoryUUID: "{r2}", Workspace: "acme", Repository: "web", Entries: map[string]*ledger.Entry{
			"NAMED": {Key: "NAMED", UUID: "{v3}", Owner: ledger.Owner{Config: "billing", Sync: "sync.web"}, Source: from, Released: true, Writes: []ledger.Write{write}},
		}},
		"{r1}/{e1}": {ID: "{r1}/{e1}", RepositoryUUID: "{r1}", EnvironmentUUID: "{e1}", Workspace: "acme", Repository: "payments", Environment: "Staging", Consent: &ledger.Consent{By: "ann@laptop", At: now}, Entries: map[string]*ledger.Entry{
			"KMS_API_KEY": {Key: "KMS_API_KEY", UUID: "{v1}", Owner: ledger.Owner{Sync: "sync.payments-dev"}, Secured: true, Source: from, Writes: []ledger.Write{write, first}, KeyID: "canarykeyid"},
			"KMS_NEW":     {Key: "KMS_NEW", Owner: ledger.Owner{Sync: "sync.payments-dev"}, Secured: true, InDoubt: true, Source: from},
		}},
	}}
}

func TestLedgerGolden(t *testing.T) {
	t.Parallel()
	show := func(s *ledger.State, style Style) []byte {
		var out bytes.Buffer
		if err := Ledger(&out, s, style); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	golden(t, "ledger.txt", show(memory(), Style{}))
	golden(t, "ledger-80.txt", show(memory(), Style{Width: 80}))
	golden(t, "ledger-none.txt", show(&ledger.State{}, Style{}))
	busy := memory()
	busy.Running = &ledger.Holder{Run: "bob@host", Doing: "apply", Since: now}
	golden(t, "ledger-busy.txt", show(busy, Style{Width: 80}))
	rolled := memory()
	rolled.Rolled, rolled.Unaccepted, rolled.Destinations = true, true, nil
	golden(t, "ledger-rolled.txt", show(rolled, Style{Width: 80}))
	rolled.Rolled = false
	golden(t, "ledger-unaccepted.txt", show(rolled, Style{Width: 80}))
}

func TestLedgerJSONGolden(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, s := range []*ledger.State{memory(), {}} {
		if err := LedgerJSON(&out, s); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "ledger.json", out.Bytes())
}

// The ledger's own proofs stay in the ledger.
func TestLedgerShowsNoFingerprint(t *testing.T) {
	t.Parallel()
	key, err := secret.NewKey(strings.NewReader(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	s := memory()
	s.Key = key
	entry := s.Destinations["{r1}/{e1}"].Entries["KMS_API_KEY"]
	entry.Fingerprint = key.Fingerprint("d", "KMS_API_KEY", secret.New("canary"))
	entry.KeyID = key.ID()
	var out bytes.Buffer
	for _, show := range []func(io.Writer, *ledger.State) error{LedgerJSON, func(w io.Writer, s *ledger.State) error { return Ledger(w, s, Style{}) }} {
		if err := show(&out, s); err != nil {
			t.Fatal(err)
		}
	}
	raw := entry.Fingerprint.Bytes()
	for _, hidden := range []string{string(raw), hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), key.ID()} {
		if strings.Contains(out.String(), hidden) {
			t.Errorf("%q is shown", hidden)
		}
	}
}
