package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares got with testdata/golden/view/name, whole.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "testdata", "golden", "view", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update accepts it):\n%s", name, diff)
	}
}

var (
	now      = time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)
	payments = graph.SourceRef{KMS: "hanzo", Environment: "dev", Path: "/payments"}
	staging  = graph.DestinationRef{Connection: "acme", Workspace: "acme", Repository: "payments", Environment: "Staging"}
)

func line(n int) hcl.Range {
	return hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: n, Column: 3, Byte: 1}, End: hcl.Pos{Line: n, Column: 9, Byte: 7}}
}

// change returns a change with everything that a phrase may name.
func change(key string, a verdict.Action, r verdict.Reason) plan.Change {
	return plan.Change{
		Key: key, SecretKey: key, Action: a, Reason: r, Secured: true, Owned: true,
		Source: payments, Version: 7, OldVersion: 6, Range: line(14),
	}
}

func blocked(c plan.Change, by verdict.Block, detail string) plan.Change {
	c.BlockedBy, c.Detail = by, detail
	if by == verdict.MaxCount {
		c.MaxDeletes = 25
	}
	return c
}

func syncOf(address string, changes ...plan.Change) plan.Sync {
	return plan.Sync{
		Address: address, Status: plan.StatusPlanned, Sources: []graph.SourceRef{payments},
		Destination: staging, Changes: changes, Range: line(13),
	}
}

// brief is a plan with a change of every group.
func brief() *plan.Plan {
	created := change("KMS_REGION", verdict.Create, verdict.Missing)
	created.Version, created.OldVersion, created.Owned = 1, 0, false
	s := syncOf("sync.payments-dev",
		change("KMS_API_KEY", verdict.Update, verdict.SourceChanged),
		blocked(change("KMS_EMPTY", verdict.Keep, verdict.Refused), verdict.EmptyValue, ""),
		blocked(change("KMS_LEGACY_TOKEN", verdict.Delete, verdict.GoneFromSource), verdict.MaxCount, ""),
		created,
	)
	s.Unchanged, s.Unmanaged, s.OldestWrite = 9, 3, now.Add(-41*24*time.Hour-time.Hour)
	return &plan.Plan{Syncs: []plan.Sync{s}, Unmanaged: 3, Complete: true, Digest: "d1"}
}

// world is a plan in which everything that can happen to a sync happens.
func world() *plan.Plan {
	p := brief()
	renamed := change("KMS_DB_URL", verdict.Rename, verdict.Renamed)
	renamed.RenamedFrom = "KMS_DB"
	foreign := change("KMS_TAKEN", verdict.Update, verdict.NeverRecorded)
	foreign.Owned = false
	p.Syncs[0].Changes = append(p.Syncs[0].Changes,
		renamed, foreign,
		change("KMS_WEBHOOK", verdict.Update, verdict.ReplacedOutside),
		change("KMS_ADOPTED", verdict.Adopt, verdict.Adopted),
		change("KMS_PINNED", verdict.Keep, verdict.Protected),
	)
	broken := syncOf("sync.legacy")
	broken.Status = plan.StatusError
	broken.Failure = &plan.Failure{
		Summary: "Cannot read the destination",
		Detail:  "acme/legacy not found: deleted, renamed, or this token lost access. Check the repository's name, or exclude the sync with --exclude sync.legacy.",
		Range:   line(40),
	}
	off := syncOf(`sync.service["billing"]`)
	off.Status = plan.StatusDisabled
	quiet := syncOf("sync.quiet")
	quiet.Unchanged = 12
	p.Syncs = append([]plan.Sync{broken}, append(p.Syncs, quiet, off)...)
	p.LeftBehind = []plan.Remnant{{Sync: "sync.old", Destination: staging, Keys: 8}}
	p.Findings = []plan.Finding{
		{Kind: verdict.FindNotSecured, Severity: plan.Security, Address: "sync.payments-dev", Key: "KMS_WEBHOOK", Range: line(14), Detail: "Everyone with access to acme/payments could read this variable. Apply secures it; change the secret as well."},
		{Kind: verdict.FindLedger, Severity: plan.Warning, Detail: "There is no ledger here yet. Every secured key is written once."},
	}
	p.Requests = plan.Requests{Made: 6, ToApply: 6}
	return p
}

func render(t *testing.T, p *plan.Plan, style Style) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Plan(&out, p, style, now); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
