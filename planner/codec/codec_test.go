package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

var encodedAt = time.Date(2026, 5, 12, 11, 30, 0, 0, time.FixedZone("CEST", 2*60*60))

func rangeAt(line int) hcl.Range {
	return hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: line, Column: 3}}
}

func encode(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	document, err := Encode(p, Meta{KmsyncVersion: "0.1.0", CreatedAt: encodedAt})
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// contractPlan is the plan whose document the contract prints.
func contractPlan() *plan.Plan {
	source := graph.SourceRef{KMS: "hanzo", Environment: "dev", Path: "/payments"}
	change := plan.Change{
		Key: "KMS_API_KEY", SecretKey: "API_KEY", Action: verdict.Update, Reason: verdict.SourceChanged, Secured: true, Owned: true,
		Source: source, Version: 7, OldVersion: 6, Range: rangeAt(14), VariableUUID: "{v}",
	}
	return &plan.Plan{
		Digest: "d1", Complete: true, Unmanaged: 3, Requests: plan.Requests{Made: 6, ToApply: 6},
		Syncs: []plan.Sync{{
			Address: "sync.payments-dev", Status: plan.StatusPlanned, Sources: []graph.SourceRef{source},
			Destination: graph.DestinationRef{Connection: "acme", Workspace: "acme", Repository: "payments", Environment: "Staging"},
			Changes:     []plan.Change{change}, Unchanged: 9, Unmanaged: 3, Range: rangeAt(13),
			OldestWrite: encodedAt.Add(-time.Hour),
		}},
	}
}

// The contract's example, field by field and in its order; what stands in a
// document besides was added later.
const contractDocument = `{"format_version":"1.0","kmsync_version":"0.1.0","created_at":"2026-05-12T09:30:00Z","digest":"d1","complete":true,
 "summary":{"create":0,"rename":0,"update":1,"delete":0,"adopt":0,"unchanged":9,"kept":0,"unmanaged":3,"left_behind":0,"blocked":0},
 "syncs":[{"address":"sync.payments-dev","mode":"direct","status":"planned",
   "source":[{"kms":"hanzo","environment":"dev","secret_path":"/payments"}],
   "destination":{"type":"bitbucket","workspace":"acme","repository":"payments","deployment_environment":"Staging"},
   "changes":[{"key":"KMS_API_KEY","secret_key":"API_KEY","action":"update","reason":"source_changed","secured":true,"owned":true,
               "blocked_by":null,"range":{"filename":"main.sync.hcl","line":14}}]}],
 "findings":[],"requests":{"made":6,"to_apply":6}}`

func TestEncodeIsTheContract(t *testing.T) {
	t.Parallel()
	got := encode(t, contractPlan())
	contains(t, "", decode(t, []byte(contractDocument)), decode(t, got))
	// The fields of the contract come in its order, wherever others were added.
	for _, order := range [][]string{
		{"format_version", "kmsync_version", "created_at", "digest", "complete", "summary", "syncs", "findings", "requests"},
		{"create", "rename", "update", "delete", "adopt", "unchanged", "kept", "unmanaged", "left_behind", "blocked"},
		{"address", "mode", "status", "source", "destination", "changes"},
		{"key", "secret_key", "action", "reason", "secured", "owned", "blocked_by", "range"},
	} {
		rest := string(got)
		for _, field := range order {
			_, after, found := strings.Cut(rest, `"`+field+`":`)
			if !found {
				t.Errorf("%q does not follow in %v", field, order)
				break
			}
			rest = after
		}
	}
	if !bytes.HasSuffix(got, []byte("\n}\n")) || !bytes.HasPrefix(got, []byte("{\n  \"format_version\"")) {
		t.Errorf("not indented by two blanks, with a line end: %.60q", got)
	}
}

func decode(t *testing.T, document []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// contains reports everything of want that got has not.
func contains(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %v, not an object", path, got)
			return
		}
		for field, value := range want {
			if _, ok := have[field]; !ok {
				t.Errorf("%s.%s is missing", path, field)
			}
			contains(t, path+"."+field, value, have[field])
		}
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			t.Errorf("%s is %v, want %v", path, got, want)
			return
		}
		for i := range want {
			contains(t, path+"[]", want[i], have[i])
		}
	default:
		if want != got {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestEncodeEverything(t *testing.T) {
	t.Parallel()
	p := contractPlan()
	p.Complete = false
	p.Syncs[0].Changes = []plan.Change{
		{Key: "KMS_B", RenamedFrom: "KMS_A", Action: verdict.Rename, Reason: verdict.Renamed, BlockedBy: verdict.NotSupportedYet, Detail: "a detail"},
		{Key: "KMS_C", Action: verdict.Keep},
	}
	p.Syncs = append(p.Syncs, plan.Sync{
		Address: "sync.broken", Status: plan.StatusError, Destination: graph.DestinationRef{Workspace: "acme", Repository: "web"},
		Failure: &plan.Failure{Summary: "Cannot read the source", Detail: "why", Range: rangeAt(30)},
	})
	p.LeftBehind = []plan.Remnant{{Sync: "sync.old", Destination: graph.DestinationRef{Workspace: "acme", Repository: "web"}, Keys: 8}}
	p.Findings = []plan.Finding{{Kind: verdict.FindDoubt, Severity: plan.Warning, Address: "sync.broken", Key: "K", Detail: "Something. Do this.", Range: rangeAt(31)}}
	got := decode(t, encode(t, p)).(map[string]any)

	web := map[string]any{"type": "bitbucket", "workspace": "acme", "repository": "web", "deployment_environment": nil}
	at := func(line float64) any { return map[string]any{"filename": "main.sync.hcl", "line": line} }
	syncs := got["syncs"].([]any)
	for name, test := range map[string]struct{ got, want any }{
		"complete":    {got["complete"], false},
		"left_behind": {got["left_behind"], []any{map[string]any{"sync": "sync.old", "destination": web, "keys": 8.0}}},
		"findings": {got["findings"], []any{map[string]any{
			"kind": "doubt", "severity": "warning", "address": "sync.broken", "key": "K", "detail": "Something. Do this.", "range": at(31),
		}}},
		"changes": {syncs[0].(map[string]any)["changes"], []any{
			map[string]any{
				"key": "KMS_B", "secret_key": nil, "action": "rename", "reason": "renamed", "secured": false, "owned": false,
				"blocked_by": "not_supported_yet", "range": nil, "renamed_from": "KMS_A", "detail": "a detail",
			},
			map[string]any{
				"key": "KMS_C", "secret_key": nil, "action": "keep", "reason": nil, "secured": false, "owned": false,
				"blocked_by": nil, "range": nil,
			},
		}},
		"a failed sync": {syncs[1], map[string]any{
			"address": "sync.broken", "mode": "direct", "status": "error", "source": []any{}, "destination": web, "changes": []any{},
			"unchanged": 0.0, "kept": 0.0, "unmanaged": 0.0, "oldest_write": nil, "range": nil,
			"error": map[string]any{"summary": "Cannot read the source", "detail": "why", "range": at(30)},
		}},
		"oldest_write": {syncs[0].(map[string]any)["oldest_write"], "2026-05-12T08:30:00Z"},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Every count of the summary stands in the document, whatever is added to it.
func TestEncodeCountsEverything(t *testing.T) {
	t.Parallel()
	var s plan.Summary
	fields := reflect.ValueOf(&s).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).CanInt() {
			fields.Field(i).SetInt(int64(100 + i))
		}
	}
	document := reflect.ValueOf(encodeSummary(s))
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		field := document.FieldByName(name)
		if !field.IsValid() || (fields.Field(i).CanInt() && field.Int() != fields.Field(i).Int()) {
			t.Errorf("%s of the summary is not in the document", name)
		}
	}
}

func TestEncodeNothing(t *testing.T) {
	t.Parallel()
	got := string(encode(t, &plan.Plan{}))
	for _, want := range []string{`"syncs": []`, `"findings": []`, `"left_behind": []`, `"oldest_write": null`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// Names of others may hold anything: they come out as they are, and nothing of
// them works on a terminal or breaks the document.
func TestEncodeHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"<a&b>", "a\x1b[31m\x7f\u009b\r\n", "\u202e\u2066\u2028", "tag \U000e0041", `\u202e "`, "é→"} {
		p := contractPlan()
		p.Syncs[0].Changes[0].Key = name
		document := encode(t, p)
		change := decode(t, document).(map[string]any)["syncs"].([]any)[0].(map[string]any)["changes"].([]any)[0]
		if got := change.(map[string]any)["key"]; got != name {
			t.Errorf("%q comes out as %q", name, got)
		}
		if i := bytes.IndexFunc(document, isUnprintable); i >= 0 {
			t.Errorf("%q: an unprintable rune in the document: %q", name, document[i:i+4])
		}
	}
	if !strings.Contains(string(encode(t, &plan.Plan{Digest: "<a&b>→"})), "<a&b>→") {
		t.Error("HTML characters are escaped")
	}
}

func TestEncodeIsDeterministic(t *testing.T) {
	t.Parallel()
	if a, b := encode(t, contractPlan()), encode(t, contractPlan()); !bytes.Equal(a, b) {
		t.Errorf("equal plans differ:\n%s\n%s", a, b)
	}
}
