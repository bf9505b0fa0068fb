package codec_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/planner/codec"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
)

// A workspace's own variables have no repository and say their scope, wherever a
// destination stands; other destinations are as they were.
func TestDestinationOfAWorkspace(t *testing.T) {
	t.Parallel()
	workspace, web := graph.DestinationRef{Workspace: "acme"}, graph.DestinationRef{Workspace: "acme", Repository: "web"}
	text, err := codec.Encode(&plan.Plan{
		Syncs:      []plan.Sync{{Destination: workspace}, {Destination: web}},
		LeftBehind: []plan.Remnant{{Destination: workspace}},
	}, codec.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Syncs      []map[string]any `json:"syncs"`
		LeftBehind []map[string]any `json:"left_behind"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "bitbucket", "workspace": "acme", "repository": nil, "deployment_environment": nil, "scope": "workspace"}
	for _, got := range []any{document.Syncs[0]["destination"], document.LeftBehind[0]["destination"]} {
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Error(diff)
		}
	}
	want = map[string]any{"type": "bitbucket", "workspace": "acme", "repository": "web", "deployment_environment": nil}
	if diff := cmp.Diff(any(want), document.Syncs[1]["destination"]); diff != "" {
		t.Error(diff)
	}
}
