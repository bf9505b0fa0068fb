package view

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
	"github.com/hanzoai/kmsync/planner/codec"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

func TestSanitize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"KMS_KEY":            "KMS_KEY",
		"Überprüfung (Prod)": "Überprüfung (Prod)",
		"a\x1b[2Jb":          `a\x1b[2Jb`,
		"a\nb\tc":            "a b c",
		"a\rb\x00\x7f":       `a\x0db\x00\x7f`,
		"a\u202eb\u2028":     `a\u202eb\u2028`,
		"a\u3164b\u2800c":    `a\u3164b\u2800c`,
		"KEY\ufe0f\u034f":    `KEY\ufe0f\u034f`,
		"a\u009bb":           `a\u009bb`,
		"a\xffb\ufffd":       `a\xffb` + "\ufffd",
		"tag\U000e0041":      `tag\U000e0041`,
	} {
		if got := sanitize.Text(in); got != want {
			t.Errorf("sanitize.Text(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzOutputsAreSafe puts hostile text where files and services put theirs, and
// looks at everything that this package can write.
func FuzzOutputsAreSafe(f *testing.F) {
	for _, seed := range []string{"", "KMS_KEY", "a\x1b[31mb", "x\r\ny", "\u202e\u2066", "\xff\xfe\x9b", "\"},\n", "{source} {at}", "\t\v\f", "→ · =", "\U000e0041"} {
		f.Add(seed, uint8(80))
	}
	f.Fuzz(func(t *testing.T, text string, width uint8) {
		text = text[:min(len(text), 200)] // longer ones say nothing new, slowly
		style := Style{Width: int(width)}
		var out bytes.Buffer
		p := hostilePlan(text)
		c := p.Syncs[0].Changes[0]
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(Plan(&out, p, style, now))
		must(Problems(&out, p))
		must(Ledger(&out, hostileLedger(text), style))
		must(LedgerJSON(&out, hostileLedger(text)))
		must(diagnose(&out, text, style))
		document, err := codec.Encode(p, codec.Meta{KmsyncVersion: text, CreatedAt: now})
		must(err)
		out.Write(document)
		must(NewLines(&out, clock).Plan(document))
		Error(&out, textError(text))
		for _, events := range []Events{NewProgress(&out, style), NewLines(&out, clock)} {
			for _, e := range []applier.Event{
				applier.Wrote{Address: text, Destination: staging, Change: c},
				applier.Stopped{Address: text, Change: c},
				applier.Failed{Address: text, Change: c, Err: textError(text)},
				applier.Waiting{Service: text},
			} {
				events.Event(e)
			}
			must(events.Err())
		}
		checkSafe(t, out.Bytes())
	})
}

type textError string

func (e textError) Error() string { return string(e) }

func checkSafe(t *testing.T, output []byte) {
	t.Helper()
	if !utf8.Valid(output) {
		t.Errorf("not UTF-8: %q", output)
	}
	for i, r := range string(output) {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			t.Fatalf("%U reaches the output: %q", r, output[max(0, i-20):min(len(output), i+20)])
		}
	}
}

func hostilePlan(text string) *plan.Plan {
	destination := graph.DestinationRef{Connection: text, Workspace: text, Repository: text, Environment: text}
	at := hcl.Range{Filename: text, Start: hcl.Pos{Line: 1}}
	source := graph.SourceRef{KMS: text, Environment: text, Path: text}
	s := plan.Sync{
		Address: text, Status: plan.StatusPlanned, Sources: []graph.SourceRef{source}, Destination: destination, Range: at,
		Failure: &plan.Failure{Summary: text, Detail: text, Range: at},
	}
	for _, a := range []verdict.Action{verdict.Rename, verdict.Delete, verdict.Create, verdict.Keep, verdict.Action(text)} {
		for _, r := range []verdict.Reason{verdict.Missing, verdict.Renamed, verdict.Protected, verdict.Refused, verdict.Reason(text)} {
			for _, b := range []verdict.Block{verdict.NotBlocked, verdict.IllegalName, verdict.Block(text)} {
				s.Changes = append(s.Changes, plan.Change{
					Key: text, SecretKey: text, RenamedFrom: text, Action: a, Reason: r, BlockedBy: b, Detail: text, Source: source, Range: at,
				})
			}
		}
	}
	return &plan.Plan{
		Syncs:      []plan.Sync{s},
		LeftBehind: []plan.Remnant{{Sync: text, Destination: destination, Keys: 1}},
		Findings:   []plan.Finding{{Kind: verdict.FindingKind(text), Severity: plan.Severity(text), Address: text, Key: text, Detail: text, Range: at}},
		Digest:     text,
	}
}

func hostileLedger(text string) *ledger.State {
	return &ledger.State{ID: text, Serial: 1, Rolled: true, Destinations: map[string]*ledger.Destination{text: {
		ID: text, Workspace: text, Repository: text, Environment: text,
		Entries: map[string]*ledger.Entry{text: {
			Key: text, UUID: text, Owner: ledger.Owner{Config: text, Sync: text}, InDoubt: true,
			Source: ledger.Source{Environment: text, Path: text, Name: text},
			Writes: []ledger.Write{{Action: text, Reason: text, Run: text}},
		}},
	}}}
}

// diagnose parses the text as a configuration, so that its snippets and the names
// of its blocks are shown, and shows it as summary and detail besides.
func diagnose(out *bytes.Buffer, text string, style Style) error {
	source := []byte("sync \"" + text + "\" {\n  a = \"" + text + "\"\n}\n" + text)
	file, diags := hclsyntax.ParseConfig(source, text, hcl.InitialPos)
	diags = append(diags, &hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: text, Detail: text,
		Subject: &hcl.Range{Filename: text, Start: hcl.InitialPos, End: hcl.Pos{Line: 1, Column: 2, Byte: len(source)}},
	}, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: text, Subject: &hcl.Range{Filename: "x" + text}})
	if err := DiagnosticsJSON(out, diags); err != nil {
		return err
	}
	return Diagnostics(out, map[string]*hcl.File{text: file}, diags, style)
}

// A mask keeps every byte where it was, so that ranges still fit.
func TestMaskControlsKeepsOffsets(t *testing.T) {
	t.Parallel()
	in := "a\x1b[1m\u202e\r\nb\rc\t\xff\u2028é\n"
	got := string(maskControls([]byte(in)))
	if want := "a?[1m???\r\nb?c ????é\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(got) != len(in) || strings.Count(got, "\n") != strings.Count(in, "\n") {
		t.Errorf("the length or the lines changed: %q", got)
	}
}

// What a mistake can make a page show is bounded: lines of any length are not
// repeated for each, and not every one of very many is written.
func TestManyDiagnostics(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxSnippet+1)
	files := map[string]*hcl.File{"a.sync.hcl": {Bytes: []byte("short\n" + long + "\n"), Body: hcl.EmptyBody()}}
	at := func(line, begin int) *hcl.Range {
		return &hcl.Range{Filename: "a.sync.hcl", Start: hcl.Pos{Line: line, Column: 1, Byte: begin}, End: hcl.Pos{Line: line, Column: 2, Byte: begin + 1}}
	}
	var diags hcl.Diagnostics
	for i := range maxShown + 20 {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong", Detail: "Mend it.", Subject: at(1+i%2, 6*(i%2))})
	}
	var out bytes.Buffer
	if err := Diagnostics(&out, files, diags, Style{}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.Contains(text, "xxx") || !strings.Contains(text, "   1: short\n") || !strings.Contains(text, "In a.sync.hcl, line 2, column 1: Mend it.") {
		t.Errorf("snippets: %.500s", text)
	}
	if got := strings.Count(text, "Error: Wrong"); got != maxShown || !strings.HasSuffix(text, "20 mistakes more not shown. Mend these first.\n\n") {
		t.Errorf("%d shown, and at the end %q", got, text[len(text)-80:])
	}
}
