package phrase

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares got with testdata/golden/view/name, whole.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "testdata", "golden", "view", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts it):\n%s", name, diff)
	}
}

// change returns a change with everything that a phrase may name.
func change(key string, a verdict.Action, r verdict.Reason) plan.Change {
	return plan.Change{
		Key: key, SecretKey: "KEY", Action: a, Reason: r, Secured: true, Owned: true,
		Source: graph.SourceRef{KMS: "hanzo", Environment: "dev", Path: "/payments"}, Version: 7, OldVersion: 6, MaxDeletes: 25,
		Range: hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: 14}},
	}
}

// constantsOf returns the values of the planner's constants of a type, in the
// order of words.go, the empty one left out.
func constantsOf(t *testing.T, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "..", "..", "planner", "verdict", "words.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if value != "" {
			values = append(values, value)
		}
		return true
	})
	if len(values) < 10 {
		t.Fatalf("found %d constants of type %s in planner/verdict/words.go", len(values), typeName)
	}
	return values
}

// actionsOf says with which actions the verdict table gives a reason.
func actionsOf(r verdict.Reason) []verdict.Action {
	switch r {
	case verdict.Missing:
		return []verdict.Action{verdict.Create}
	case verdict.NotReadable:
		return []verdict.Action{verdict.Update, verdict.Keep}
	case verdict.NotSecured, verdict.ValueDiffers, verdict.NeverRecorded,
		verdict.ReplacedOutside, verdict.SourceChanged, verdict.MaxAge:
		return []verdict.Action{verdict.Update}
	case verdict.Unconfirmed:
		return []verdict.Action{verdict.Update, verdict.Keep}
	case verdict.Adopted:
		return []verdict.Action{verdict.Adopt}
	case verdict.GoneOutside:
		return []verdict.Action{verdict.Forget}
	case verdict.SyncRemoved:
		return []verdict.Action{verdict.Delete, verdict.Release}
	case verdict.Renamed:
		return []verdict.Action{verdict.Rename, verdict.Delete}
	case verdict.GoneFromSource, verdict.NotIncluded, verdict.SchemaChanged, verdict.OverwriteDestination, verdict.Destroyed:
		return []verdict.Action{verdict.Delete}
	}
	return []verdict.Action{verdict.Keep}
}

// isGuard reports whether a rule holds deletes; the others refuse keys.
func isGuard(b verdict.Block) bool {
	switch b {
	case verdict.InDoubt, verdict.RefusedKey, verdict.MaxCount, verdict.MaxPercent, verdict.NoConsent:
		return true
	}
	return false
}

// A golden line per reason and action, owned or not, and per block: a new
// constant of the planner fails here until it has a phrase.
func TestPhrasesGolden(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, value := range constantsOf(t, "Reason") {
		r := verdict.Reason(value)
		if reasonPhrase(r) == "" {
			t.Errorf("reason %s has no phrase", r)
		}
		for _, a := range actionsOf(r) {
			for _, owned := range []bool{true, false} {
				c := change("KMS_KEY", a, r)
				c.Owned, c.RenamedFrom = owned, "KMS_OLD"
				fmt.Fprintf(&out, "%s %s owned=%t\n\t%s\n", r, a, owned, Why(c))
			}
		}
	}
	golden(t, "reasons.txt", out.String())

	out.Reset()
	for _, value := range constantsOf(t, "Block") {
		b := verdict.Block(value)
		if blockRule(b) == "" || blockRemedy(b) == "" {
			t.Errorf("block %s has no rule or no remedy", b)
		}
		c := change("KMS_KEY", verdict.Keep, verdict.Refused)
		if isGuard(b) {
			c = change("KMS_KEY", verdict.Delete, verdict.GoneFromSource)
		}
		c.BlockedBy = b
		fmt.Fprintf(&out, "%s\n\t%s\n", b, Why(c))
		c.Detail = "it is so"
		fmt.Fprintf(&out, "\t%s\n\t%s\n", Why(c), Problem(c))
		if b == verdict.InDoubt { // it refuses keys as well as it holds deletes
			c = change("KMS_KEY", verdict.Keep, verdict.Refused)
			c.BlockedBy, c.Detail = b, "it is so"
			fmt.Fprintf(&out, "\t%s\n\t%s\n", Why(c), Problem(c))
		}
	}
	golden(t, "blocks.txt", out.String())
}

// Every action of a plan has a word for being done.
func TestActionsHaveWords(t *testing.T) {
	t.Parallel()
	for _, value := range constantsOf(t, "Action")[:8] {
		if word := Done(verdict.Action(value)); word == value {
			t.Errorf("action %s has no word for being done", value)
		}
	}
}

// What is not known leaves no hole in a sentence.
func TestPhrasesWithoutFacts(t *testing.T) {
	t.Parallel()
	for _, value := range constantsOf(t, "Reason") {
		r := verdict.Reason(value)
		for _, a := range actionsOf(r) {
			checkSentence(t, value, Why(plan.Change{Key: "K", RenamedFrom: "OLD", Action: a, Reason: r, Owned: true}))
			checkSentence(t, value, Why(plan.Change{Key: "K", RenamedFrom: "OLD", Action: a, Reason: r}))
		}
	}
	for _, value := range constantsOf(t, "Block") {
		checkSentence(t, value, Problem(plan.Change{Key: "K", Action: verdict.Keep, Reason: verdict.Refused, BlockedBy: verdict.Block(value)}))
	}
}

// placeholder is a name in braces that no fact was put in for. A map in HCL has a
// blank behind its brace.
var placeholder = regexp.MustCompile(`\{\w|\w\}`)

func checkSentence(t *testing.T, of, text string) {
	t.Helper()
	if text == "" || placeholder.MatchString(text) || strings.Contains(text, "()") || strings.Contains(text, "  ") ||
		strings.Contains(text, " ;") || strings.TrimSpace(text) != text || strings.HasSuffix(text, ".") {
		t.Errorf("%s: %q", of, text)
	}
}

func TestNotSupportedYet(t *testing.T) {
	t.Parallel()
	refused := change("KMS_KEY", verdict.Keep, verdict.Refused)
	with := func(c plan.Change, detail string) plan.Change {
		c.BlockedBy, c.Detail = verdict.NotSupportedYet, detail
		return c
	}
	for _, test := range []struct {
		c             plan.Change
		plan, problem string
	}{
		{
			with(refused, "it would be a rename"), "refused: not supported yet: it would be a rename; nothing allows it in this version",
			"refused: not supported yet: it would be a rename; nothing allows it in this version",
		},
	} {
		if got := Why(test.c); got != test.plan {
			t.Errorf("in the plan:\n got %q\nwant %q", got, test.plan)
		}
		if got := Problem(test.c); got != test.problem {
			t.Errorf("among the problems:\n got %q\nwant %q", got, test.problem)
		}
	}
}

// What a name holds is not taken for a placeholder.
func TestPhrasesFillOnce(t *testing.T) {
	t.Parallel()
	c := change("KMS_KEY", verdict.Delete, verdict.GoneFromSource)
	c.Source.Path = "/{version}/ ;x"
	if got, want := Why(c), "gone from dev:/{version}/ ;x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Both versions are shown where both are known and differ.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to int
		want     string
	}{
		{6, 7, "changed in dev:/payments (v6 → v7)"},
		{7, 7, "changed in dev:/payments (v7)"},
		{0, 7, "changed in dev:/payments (v7)"},
		{6, 0, "changed in dev:/payments"},
	} {
		c := change("KMS_KEY", verdict.Update, verdict.SourceChanged)
		c.OldVersion, c.Version = test.from, test.to
		if got := Why(c); got != test.want {
			t.Errorf("%d to %d: got %q, want %q", test.from, test.to, got, test.want)
		}
	}
}

// A variable that is created readable says so; one that stays readable does not.
func TestReadable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		action  verdict.Action
		reason  verdict.Reason
		secured bool
		want    string
	}{
		{verdict.Create, verdict.Missing, true, "new, from dev:/payments (v7)"},
		{verdict.Create, verdict.Missing, false, "new, from dev:/payments (v7); readable"},
		{verdict.Rename, verdict.Renamed, false, "renamed (main.sync.hcl:14); KMS_OLD stays for now; readable"},
		{verdict.Update, verdict.ValueDiffers, false, "differs from dev:/payments (v7)"},
	} {
		c := change("KMS_KEY", test.action, test.reason)
		c.Secured, c.RenamedFrom = test.secured, "KMS_OLD"
		if got := Why(c); got != test.want {
			t.Errorf("%s secured=%t: got %q, want %q", test.action, test.secured, got, test.want)
		}
	}
}

// What was not begun is said of a rename in one step, and of a destroy, as what it is.
func TestWithheld(t *testing.T) {
	t.Parallel()
	inPlace := change("Key", verdict.Rename, verdict.Renamed)
	inPlace.RenamedFrom, inPlace.VariableUUID = "KEY", "{uuid}"
	for want, c := range map[string]plan.Change{
		"not deleted; nothing is deleted in this run: A failed; mend that, and run kmsync apply again":   change("KEY", verdict.Delete, verdict.GoneFromSource),
		"not deleted; nothing is deleted in this run: A failed; mend that, and run kmsync destroy again": change("KEY", verdict.Delete, verdict.Destroyed),
		"not renamed; nothing is deleted in this run: A failed; mend that, and run kmsync apply again":   inPlace,
	} {
		c.BlockedBy, c.Detail = verdict.InDoubt, "A failed"
		if got := Withheld(c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
