package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// TestSummaryCounts: each action counts where it belongs, a blocked one as
// blocked only, and a key that stands under two syncs once.
func TestSummaryCounts(t *testing.T) {
	t.Parallel()
	web, staging := graph.DestinationRef{Workspace: "acme", Repository: "web"}, graph.DestinationRef{Workspace: "acme", Repository: "web", Environment: "Staging"}
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	change := func(key string, a verdict.Action, b verdict.Block) Change {
		return Change{Key: key, Action: a, BlockedBy: b}
	}
	p := &Plan{
		Unmanaged:  7,
		LeftBehind: []Remnant{{Keys: 2}, {Keys: 3}},
		Syncs: []Sync{
			{Status: StatusError, Destination: web},
			{Status: StatusPlanned, Destination: web, Unchanged: 4, Kept: 1, OldestWrite: late, Unmanaged: 7, Changes: []Change{
				change("A", verdict.Create, ""), change("B", verdict.Rename, ""), change("C", verdict.Update, ""), change("D", verdict.Delete, ""), change("E", verdict.Adopt, ""),
				change("F", verdict.Forget, ""), change("G", verdict.Release, ""), change("H", verdict.Keep, ""), change("I", verdict.Keep, verdict.EmptyValue), change("J", verdict.Delete, verdict.MaxCount),
			}},
			{Status: StatusPlanned, Destination: web, OldestWrite: early, Unmanaged: 7, Changes: []Change{change("I", verdict.Keep, verdict.DuplicateKey)}},
			{Status: StatusPlanned, Destination: staging, Unchanged: 1, Changes: []Change{change("A", verdict.Create, ""), change("I", verdict.Keep, verdict.EmptyValue)}},
		},
	}
	want := Summary{
		Create: 2, Rename: 1, Update: 1, Delete: 1, Adopt: 1, Forget: 1, Release: 1,
		Unchanged: 5, Kept: 2, Unmanaged: 7, LeftBehind: 5, Blocked: 3, SyncErrors: 1, OldestWrite: early,
	}
	got := p.Summary()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Writes() != 5 || got.LedgerOnly() != 3 || !p.CanApply() {
		t.Errorf("%d writes, %d of the ledger, can apply: %v", got.Writes(), got.LedgerOnly(), p.CanApply())
	}
	held := &Plan{Syncs: []Sync{{Changes: []Change{change("A", verdict.Keep, verdict.EmptyValue), change("B", verdict.Keep, ""), change("C", verdict.Delete, verdict.NotSupportedYet)}}}}
	if held.CanApply() {
		t.Error("a plan without a change that is free can be applied")
	}
	for _, a := range []verdict.Action{verdict.Adopt, verdict.Forget, verdict.Release} {
		if !(&Plan{Syncs: []Sync{{Changes: []Change{change("A", a, "")}}}}).CanApply() {
			t.Errorf("%s alone cannot be applied", a)
		}
	}
}

// TestDigest: what a reviewer decides changes it, and a rotation does not.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := func() *Plan {
		return &Plan{Syncs: []Sync{{Address: "sync.a", Destination: graph.DestinationRef{Connection: "b", Workspace: "acme", Repository: "web"}, Changes: []Change{
			{Key: "A", SecretKey: "A", Action: verdict.Create, Reason: verdict.Missing, Secured: true, Version: 1, Source: graph.SourceRef{KMS: "k", Environment: "dev", Path: "/a"}},
			{Key: "R", SecretKey: "R", Action: verdict.Update, Reason: verdict.SourceChanged, Secured: true, Version: 2, OldVersion: 1, Source: graph.SourceRef{KMS: "k", Environment: "dev", Path: "/a"}},
			{Key: "K", Action: verdict.Keep, Reason: verdict.Protected},
		}}}}
	}
	first := func(change func(*Change)) func(*Plan) {
		return func(p *Plan) { change(&p.Syncs[0].Changes[0]) }
	}
	add := func(c Change) func(*Plan) {
		return func(p *Plan) { p.Syncs[0].Changes = append(p.Syncs[0].Changes, c) }
	}
	rotation := func(r verdict.Reason) func(*Plan) {
		return add(Change{Key: "Z", Action: verdict.Update, Reason: r, Version: 3})
	}
	for name, test := range map[string]struct {
		change func(*Plan)
		same   bool
	}{
		"nothing":                      {func(*Plan) {}, true},
		"a new version of a create":    {first(func(c *Change) { c.Version, c.SecretID = 9, "other" }), true},
		"a rotation":                   {rotation(verdict.SourceChanged), true},
		"replaced outside":             {rotation(verdict.ReplacedOutside), true},
		"unconfirmed":                  {rotation(verdict.Unconfirmed), true},
		"too old":                      {rotation(verdict.MaxAge), true},
		"a rotation that is done":      {func(p *Plan) { p.Syncs[0].Changes = p.Syncs[0].Changes[:1] }, true},
		"a kept key":                   {add(Change{Key: "Z", Action: verdict.Keep, Reason: verdict.Released}), true},
		"counts":                       {func(p *Plan) { p.Unmanaged, p.Syncs[0].Unchanged, p.Complete = 5, 6, true }, true},
		"places in files":              {first(func(c *Change) { c.Range = hcl.Range{Filename: "x"} }), true},
		"an adoption of an old doubt":  {add(Change{Key: "Z", Action: verdict.Adopt, Reason: verdict.Unconfirmed}), false},
		"an update of what was theirs": {rotation(verdict.NeverRecorded), false},
		"not secured":                  {rotation(verdict.NotSecured), false},
		"another value at the far end": {rotation(verdict.ValueDiffers), false},
		"one more create":              {add(Change{Key: "Z", Action: verdict.Create, Reason: verdict.Missing}), false},
		"a delete":                     {add(Change{Key: "Z", Action: verdict.Delete, Reason: verdict.GoneFromSource, BlockedBy: verdict.NotSupportedYet}), false},
		"a record that goes":           {add(Change{Key: "Z", Action: verdict.Forget, Reason: verdict.GoneOutside}), false},
		"one fewer":                    {func(p *Plan) { p.Syncs[0].Changes = p.Syncs[0].Changes[1:] }, false},
		"another key":                  {first(func(c *Change) { c.Key = "AA" }), false},
		"another secret":               {first(func(c *Change) { c.SecretKey = "AA" }), false},
		"another folder":               {first(func(c *Change) { c.Source.Path = "/b" }), false},
		"another environment":          {first(func(c *Change) { c.Source.Environment = "prod" }), false},
		"another KMS":                  {first(func(c *Change) { c.Source.KMS = "l" }), false},
		"readable":                     {first(func(c *Change) { c.Secured = false }), false},
		"another reason":               {first(func(c *Change) { c.Reason = verdict.NeverRecorded }), false},
		"another action":               {first(func(c *Change) { c.Action = verdict.Update }), false},
		"blocked":                      {first(func(c *Change) { c.BlockedBy = verdict.MaxCount }), false},
		"a rename":                     {first(func(c *Change) { c.RenamedFrom = "OLD" }), false},
		"another secret in an old key": {add(Change{Key: "Z", Action: verdict.Update, Reason: verdict.SourceChanged, Replaces: "A of dev:/a"}), false},
		"another project":              {func(p *Plan) { p.Services = map[string]string{"kms.k": "shop  KMS"} }, false},
		"another account":              {func(p *Plan) { p.Services = map[string]string{"connection.b": " OTHER"} }, false},
		"a block that nothing uses":    {func(p *Plan) { p.Services = map[string]string{"kms.other": "shop  KMS"} }, true},
		"another sync":                 {func(p *Plan) { p.Syncs[0].Address = "sync.b" }, false},
		"another destination":          {func(p *Plan) { p.Syncs[0].Destination.Environment = "Staging" }, false},
	} {
		p := base()
		test.change(p)
		if same := Digest(p) == Digest(base()); same != test.same {
			t.Errorf("%s: the digest is the same: %v", name, same)
		}
	}
}

// TestMoved compares a planned change with the same key decided later.
func TestMoved(t *testing.T) {
	t.Parallel()
	source := graph.SourceRef{KMS: "k", Environment: "dev", Path: "/a"}
	create := Change{Key: "A", SecretKey: "A", Action: verdict.Create, Reason: verdict.Missing, Secured: true, Source: source, Version: 1, SecretID: "s"}
	update := create
	update.Action, update.Reason, update.VariableUUID = verdict.Update, verdict.SourceChanged, "{v}"
	for name, test := range map[string]struct {
		planned Change
		later   func(*Change)
		want    string
	}{
		"nothing":               {create, func(*Change) {}, ""},
		"what people read only": {update, func(c *Change) { c.Detail, c.OldVersion, c.Owned, c.Range.Filename = "x", 9, true, "y" }, ""},
		"the variable appeared": {create, func(c *Change) { c.VariableUUID = "{v}" }, "the variable exists now"},
		"the variable is gone":  {update, func(c *Change) { c.VariableUUID = "" }, "the variable is gone"},
		"it was made again":     {update, func(c *Change) { c.VariableUUID = "{w}" }, "the variable was made again"},
		"another version":       {create, func(c *Change) { c.Version = 2 }, "the secret changed in dev:/a"},
		"another secret":        {create, func(c *Change) { c.SecretID = "t" }, "the secret changed in dev:/a"},
		"another name":          {create, func(c *Change) { c.SecretKey = "B" }, "the secret changed in dev:/a"},
		"another folder":        {create, func(c *Change) { c.Source.Path = "/b" }, "the secret changed in dev:/b"},
		"refused now":           {create, func(c *Change) { c.BlockedBy = verdict.EmptyValue }, "it is refused now"},
		"another action":        {update, func(c *Change) { c.Action = verdict.Adopt }, "the variable was changed"},
		"another reason":        {update, func(c *Change) { c.Reason = verdict.NotSecured }, "the variable was changed"},
		"to be readable":        {update, func(c *Change) { c.Secured = false }, "the variable was changed"},
		"both, and refused":     {update, func(c *Change) { c.VariableUUID, c.Version, c.BlockedBy = "{w}", 2, verdict.CaseClash }, "the variable was made again; the secret changed in dev:/a; it is refused now"},
		"gone, so created anew": {update, func(c *Change) { c.VariableUUID, c.Action, c.Reason = "", verdict.Create, verdict.Missing }, "the variable is gone"},
	} {
		later := test.planned
		test.later(&later)
		if got := test.planned.Moved(later, true); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := create.Moved(Change{}, false); got != "it is as wanted already, or no longer wanted" {
		t.Errorf("no change any more: %q", got)
	}
}
