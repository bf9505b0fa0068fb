package codec

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

const schemaPath = "../../docs/plan.schema.json"

// description is what of the schema the tests look at.
type description struct {
	Description string
	Properties  map[string]description
	Required    []string
	Enum        []string
	Additional  *bool                  `json:"additionalProperties"`
	Defs        map[string]description `json:"$defs"`
}

func readSchema(t *testing.T) description {
	t.Helper()
	text, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate returns what is wrong with a document.
func validate(t *testing.T, schema *jsonschema.Schema, document []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatalf("%s\n%s", err, document)
	}
	return schema.Validate(v)
}

// eventful is a plan with everything that a document can hold.
func eventful() *plan.Plan {
	p := contractPlan()
	web := graph.DestinationRef{Workspace: "acme", Repository: "web", Connection: "acme"}
	for i, reason := range []verdict.Reason{verdict.Protected, verdict.Renamed, verdict.Foreign} {
		p.Syncs[0].Changes = append(p.Syncs[0].Changes, plan.Change{
			Key: "KMS_" + strconv.Itoa(i), Action: verdict.Rename, RenamedFrom: "OLD", Reason: reason,
			BlockedBy: verdict.NotSupportedYet, Detail: "A detail.",
		})
	}
	p.Syncs[0].Changes = append(p.Syncs[0].Changes, plan.Change{Key: "K", Action: verdict.Keep})
	p.Syncs = append(p.Syncs,
		plan.Sync{Address: "sync.broken", Status: plan.StatusError, Destination: web, Failure: &plan.Failure{Summary: "Cannot read", Detail: "why"}},
		plan.Sync{Address: `sync.each["x"]`, Status: plan.StatusDisabled, Destination: graph.DestinationRef{Workspace: "acme"}, Range: rangeAt(3)},
	)
	p.LeftBehind = []plan.Remnant{{Sync: "sync.old", Destination: web, Keys: 8}}
	p.Findings = []plan.Finding{
		{Kind: verdict.FindDoubt, Severity: plan.Warning, Address: "sync.broken", Key: "K", Detail: "Do this.", Range: rangeAt(31)},
		{Kind: verdict.FindNotSecured, Severity: plan.Security, Detail: "Do this."},
	}
	return p
}

// TestSchemaTakesPlans: what kmsync writes is what the schema says, and so is the
// contract's example.
func TestSchemaTakesPlans(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	documents := map[string][]byte{
		"nothing":      encode(t, &plan.Plan{}),
		"the contract": []byte(contractDocument),
		"one change":   encode(t, contractPlan()),
		"everything":   encode(t, eventful()),
	}
	for name, document := range goldenPlans(t) {
		documents[name] = document
	}
	for name, document := range documents {
		if err := validate(t, schema, document); err != nil {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// goldenPlans returns the plans that end-to-end scripts compare with, by name.
func goldenPlans(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if bytes.Contains(file.Data, []byte(`"format_version"`)) && bytes.Contains(file.Data, []byte(`"digest"`)) {
				found[filepath.Base(path)+"/"+file.Name] = file.Data
			}
		}
	}
	if len(found) == 0 {
		t.Error("no script compares with a plan")
	}
	return found
}

// TestSchemaTakesTheContract validates the example that the contract prints,
// where that document is at hand.
func TestSchemaTakesTheContract(t *testing.T) {
	t.Parallel()
	path := os.Getenv("KMSYNC_DESIGN")
	if path == "" {
		path = filepath.Join("..", "..", "..", "shared", "design.md")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the contract is not at %s; set KMSYNC_DESIGN to it", path)
	}
	_, section, _ := strings.Cut(string(text), "\n### 3.3")
	_, example, _ := strings.Cut(section, "```json\n")
	example, _, found := strings.Cut(example, "```")
	if !found {
		t.Fatal("§3.3 has no example")
	}
	if err := validate(t, compileSchema(t), []byte(example)); err != nil {
		t.Error(err)
	}
	for word := range constants(t, "../verdict/words.go")["Block"] {
		if !strings.Contains(section, "`"+word+"`") {
			t.Errorf("§3.3 does not name the block %s", word)
		}
	}
}

// TestSchemaRefuses: what kmsync does not write the schema does not take.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	document := string(encode(t, eventful()))
	for _, c := range [][2]string{
		{`"format_version": "1.0"`, `"format_version": "2.0"`},
		{`"complete": true`, `"complete": "true"`},
		{`"complete": true,`, ``},
		{`"update": 1`, `"update": -1`},
		{`"update": 1`, `"update": 0.5`},
		{`"findings": [`, `"findings": [null,`},
		{`"action": "update"`, `"action": "unchanged"`},
		{`"action": "keep"`, `"action": "rename"`},
		{`"reason": "source_changed"`, `"reason": ""`},
		{`"reason": "source_changed"`, `"reason": "mood"`},
		{`"blocked_by": "not_supported_yet"`, `"blocked_by": ""`},
		{`"status": "planned"`, `"status": "done"`},
		{`"status": "disabled"`, `"status": "error"`},
		{`"mode": "direct"`, `"mode": "indirect"`},
		{`"scope": "workspace"`, `"scope": "repository"`},
		{`"repository": "payments"`, `"repository": null`},
		{`"repository": null`, `"repository": "web"`},
		{`"secret_path": "/payments"`, `"secret_path": null`},
		{`"line": 14`, `"line": 0`},
		{`"kind": "doubt"`, `"kind": "hope"`},
		{`"severity": "security"`, `"severity": "fatal"`},
		{`"address": "sync.broken"`, `"address": "broken"`},
		{`"to_apply": 6`, `"to_apply": null`},
		{`"keys": 8`, `"keys": "8"`},
	} {
		changed := strings.Replace(document, c[0], c[1], 1)
		if changed == document {
			t.Errorf("no %s in\n%s", c[0], document)
		} else if validate(t, schema, []byte(changed)) == nil {
			t.Errorf("%s may be %s", c[0], c[1])
		}
	}
	later := strings.ReplaceAll(document, `"format_version": "1.0"`, `"format_version": "1.7", "new": {}`)
	if err := validate(t, schema, []byte(strings.ReplaceAll(later, `"key":`, `"new": 1, "key":`))); err != nil {
		t.Errorf("a later minor version is refused: %s", err)
	}
}

// TestSchemaKnowsEveryWord: the words of the verdict and of plans are the words of
// the schema.
func TestSchemaKnowsEveryWord(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	verdicts, plans := constants(t, "../verdict/words.go"), constants(t, "../plan/plan.go")
	delete(verdicts["Action"], string(verdict.Unchanged)) // only counted
	delete(verdicts["Action"], string(verdict.Unmanaged))
	for name, c := range map[string]struct {
		enum  []string
		words map[string]bool
	}{
		"actions":    {schema.Defs["action"].Enum, verdicts["Action"]},
		"reasons":    {schema.Defs["reason"].Enum, verdicts["Reason"]},
		"blocks":     {schema.Defs["block"].Enum, verdicts["Block"]},
		"kinds":      {schema.Defs["kind"].Enum, verdicts["FindingKind"]},
		"statuses":   {schema.Defs["status"].Enum, plans["Status"]},
		"severities": {schema.Defs["finding"].Properties["severity"].Enum, plans["Severity"]},
	} {
		var want []string
		for word := range c.words {
			want = append(want, word)
		}
		slices.Sort(want)
		if len(want) == 0 {
			t.Errorf("no %s in the code", name)
		}
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(c.enum))); diff != "" {
			t.Errorf("%s of the schema (-code +schema):\n%s", name, diff)
		}
	}
}

// constants returns the values of a file's typed string constants, by type; the
// empty word, which documents write as null, is left out.
func constants(t *testing.T, path string) map[string]map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		ty, ok := spec.Type.(*ast.Ident)
		literal, isLiteral := spec.Values[0].(*ast.BasicLit)
		if !ok || !isLiteral {
			return true
		}
		if word, err := strconv.Unquote(literal.Value); err == nil && word != "" {
			if found[ty.Name] == nil {
				found[ty.Name] = map[string]bool{}
			}
			found[ty.Name][word] = true
		}
		return true
	})
	return found
}

// TestSchemaKnowsEveryField: the fields of the document are those of the schema,
// each with a sentence; what may be left out is not required.
func TestSchemaKnowsEveryField(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	described := map[string]bool{}
	for name, d := range schema.Defs {
		described[name] = d.Properties != nil
	}
	for name, document := range map[string]any{
		"": planDocument{}, "summary": summaryDocument{}, "sync": syncDocument{}, "source": sourceDocument{},
		"destination": DestinationDocument{}, "change": changeDocument{}, "failure": failureDocument{},
		"finding": findingDocument{}, "remnant": remnantDocument{}, "requests": requestsDocument{}, "range": rangeDocument{},
	} {
		d := schema.Defs[name]
		if name == "" {
			d = schema
		}
		delete(described, name)
		compareFields(t, name, d, reflect.TypeOf(document))
	}
	for name, object := range described {
		if object {
			t.Errorf("the schema describes %s, which no document has", name)
		}
	}
}

func compareFields(t *testing.T, name string, d description, document reflect.Type) {
	t.Helper()
	if d.Additional == nil || !*d.Additional {
		t.Errorf("%s: a minor version could not add fields", name)
	}
	rest := map[string]bool{}
	for field, property := range d.Properties {
		rest[field] = true
		if property.Description == "" {
			t.Errorf("%s.%s has no description", name, field)
		}
	}
	for i := range document.NumField() {
		field, options, _ := strings.Cut(document.Field(i).Tag.Get("json"), ",")
		if !rest[field] {
			t.Errorf("%s.%s is not in the schema", name, field)
		}
		delete(rest, field)
		if options == "omitempty" && slices.Contains(d.Required, field) {
			t.Errorf("%s.%s is required and may be left out", name, field)
		}
	}
	for field := range rest {
		t.Errorf("%s.%s is in the schema and not in the document", name, field)
	}
	for _, field := range d.Required {
		if _, ok := d.Properties[field]; !ok {
			t.Errorf("%s requires %s, which it does not have", name, field)
		}
	}
}
