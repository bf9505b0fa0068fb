package view

import (
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
)

// A workspace's own variables are shown as such by the ledger, for people and for
// programs, and in the lines of an apply.
func TestWorkspaceIsNamed(t *testing.T) {
	t.Parallel()
	state := &ledger.State{Serial: 1, ID: "x", Destinations: map[string]*ledger.Destination{"{acme}": {
		ID: "{acme}", Workspace: "acme", Entries: map[string]*ledger.Entry{"A": {Key: "A", UUID: "{1}"}},
	}}}
	var text, document strings.Builder
	if err := Ledger(&text, state, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := LedgerJSON(&document, state); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "acme (workspace)   {acme}") {
		t.Error(text.String())
	}
	for _, want := range []string{`"repository": null`, `"scope": "workspace"`, `"workspace_uuid": "{acme}"`, `"repository_uuid": ""`} {
		if !strings.Contains(document.String(), want) {
			t.Errorf("no %s in %s", want, document.String())
		}
	}
	wrote := applier.Wrote{Address: "sync.a", Destination: graph.DestinationRef{Workspace: "acme"}, Change: plan.Change{Key: "A"}}
	line := NewLines(nil, time.Now).document(wrote)
	if d := line.Destination; d.Repository != nil || d.Scope != "workspace" || d.Workspace != "acme" {
		t.Errorf("%+v", d)
	}
}
