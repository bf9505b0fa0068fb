package planner

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// mixed is a scene with something of everything: two syncs on one destination,
// one on another, one turned off, clashes, refusals, doubts, remnants.
func mixed() *scene {
	off := syncFrom("off", "/a", "")
	off.Enabled = set(false)
	s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", ""), syncFrom("c", "/a", "Staging"), off)
	s.secret("/a", "BOTH", "1").secret("/b", "BOTH", "2").secret("/a", "NEW", "3").secret("/a", "CHANGED", "4").secret("/a", "SAME", "5").
		secret("/a", "EMPTY", "").secret("/b", "Twin", "6").secret("/a", "twin", "7").secret("/a", "tWIN", "7").secret("/b", "ADOPTED", "8").secret("/a", "a-b", "9")
	s.owned("", "CHANGED", "sync.a", "old").owned("", "SAME", "sync.a", "5").owned("", "ADOPTED", "sync.a", "8").owned("", "GONE", "sync.b", "x").
		owned("", "LEFT1", "sync.x", "x").owned("", "LEFT2", "sync.y", "x").owned("", "OFF", "sync.off", "x").variable("", "MANUAL").
		owned("Staging", "SAME", "sync.c", "5").variable("Staging", "NEW")
	s.record("", "FORGET", "sync.a", "x")
	s.record("Production", "OLD", "sync.x", "x")
	s.live["Staging"] = append(s.live["Staging"], providers.Variable{UUID: "{OPEN}", Key: "CHANGED", Value: secret.New("4")})
	s.doubts["Staging"] = []providers.Doubt{{Kind: providers.DoubtIncomplete, Detail: "Not all of Staging was seen."}}
	s.folders["/b"].Listing.Doubts = []providers.Doubt{{Kind: providers.DoubtImports, Detail: "An import may hold more."}}
	return s
}

// Everything in a plan is in a fixed order, whatever the order of maps.
func TestAPlanIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first := mixed().plan()
	for range 30 {
		if diff := cmp.Diff(first, mixed().plan()); diff != "" {
			t.Fatal(diff)
		}
	}
	for _, s := range first.Syncs {
		if !slices.IsSortedFunc(s.Changes, func(a, b Change) int { return cmpStrings(a.Key, b.Key) }) {
			t.Errorf("the changes of %s are not sorted", s.Address)
		}
	}
	if !slices.IsSortedFunc(first.Syncs, func(a, b SyncPlan) int { return cmpStrings(a.Address, b.Address) }) {
		t.Error("the syncs are not sorted")
	}
}

func cmpStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// The order in which a service lists things decides nothing.
func TestTheOrderOfTheInputDecidesNothing(t *testing.T) {
	t.Parallel()
	want := mixed().plan()
	rapid.Check(t, func(t *rapid.T) {
		s := mixed()
		for _, path := range []string{"/a", "/b"} {
			s.folders[path].Listing.Secrets = rapid.Permutation(s.folders[path].Listing.Secrets).Draw(t, "secrets")
		}
		for _, environment := range []string{"", "Staging"} {
			s.live[environment] = rapid.Permutation(s.live[environment]).Draw(t, "variables")
		}
		if diff := cmp.Diff(want, s.plan()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// The summary of the mixed scene, key by key.
func TestSummaryOfAPlan(t *testing.T) {
	t.Parallel()
	p := mixed().plan()
	want := Summary{
		Create: 2, Update: 3, Adopt: 1, Forget: 1, // NEW, and BOTH of Staging; CHANGED, and two of Staging; ADOPTED; FORGET
		Unchanged: 2, Kept: 1, Unmanaged: 1, LeftBehind: 3, // SAME twice; OFF; MANUAL; LEFT1, LEFT2, OLD
		Blocked:     11, // BOTH, EMPTY, Twin, twin, tWIN, a-b, the delete of GONE, and EMPTY, twin, tWIN, a-b of Staging
		OldestWrite: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, p.Summary()); diff != "" {
		t.Error(diff)
	}
	if p.Complete || p.Requests.ToApply != want.Create+want.Update {
		t.Errorf("complete %v, to apply %d", p.Complete, p.Requests.ToApply)
	}
}

// TestSummaryCounts: each action counts where it belongs, a blocked one as
// blocked only, and a key that stands under two syncs once.
func TestSummaryCounts(t *testing.T) {
	t.Parallel()
	web, staging := DestinationRef{Workspace: "acme", Repository: "web"}, DestinationRef{Workspace: "acme", Repository: "web", Environment: "Staging"}
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	change := func(key string, a verdict.Action, b verdict.Block) Change {
		return Change{Key: key, Action: a, BlockedBy: b}
	}
	p := &Plan{
		Unmanaged:  7,
		LeftBehind: []Remnant{{Keys: 2}, {Keys: 3}},
		Syncs: []SyncPlan{
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
	held := &Plan{Syncs: []SyncPlan{{Changes: []Change{change("A", verdict.Keep, verdict.EmptyValue), change("B", verdict.Keep, ""), change("C", verdict.Delete, verdict.NotSupportedYet)}}}}
	if held.CanApply() {
		t.Error("a plan without a change that is free can be applied")
	}
	for _, a := range []verdict.Action{verdict.Adopt, verdict.Forget, verdict.Release} {
		if !(&Plan{Syncs: []SyncPlan{{Changes: []Change{change("A", a, "")}}}}).CanApply() {
			t.Errorf("%s alone cannot be applied", a)
		}
	}
}

// TestDigest: what a reviewer decides changes it, and a rotation does not.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := func() *Plan {
		return &Plan{Syncs: []SyncPlan{{Address: "sync.a", Destination: DestinationRef{Workspace: "acme", Repository: "web"}, Changes: []Change{
			{Key: "A", SecretKey: "A", Action: verdict.Create, Reason: verdict.Missing, Secured: true, Version: 1, Source: SourceRef{KMS: "k", Environment: "dev", Path: "/a"}},
			{Key: "R", SecretKey: "R", Action: verdict.Update, Reason: verdict.SourceChanged, Secured: true, Version: 2, OldVersion: 1, Source: SourceRef{KMS: "k", Environment: "dev", Path: "/a"}},
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
		"another sync":                 {func(p *Plan) { p.Syncs[0].Address = "sync.b" }, false},
		"another destination":          {func(p *Plan) { p.Syncs[0].Destination.Environment = "Staging" }, false},
	} {
		p := base()
		test.change(p)
		if same := Digest(p) == Digest(base()); same != test.same {
			t.Errorf("%s: the digest is the same: %v", name, same)
		}
	}
	if d := mixed().plan().Digest; d == "" || d != Digest(mixed().plan()) {
		t.Error("a plan does not carry its digest")
	}
}

// A rotation between review and apply leaves the digest of a whole plan as it is.
func TestDigestOfARotation(t *testing.T) {
	t.Parallel()
	before, s := mixed().plan(), mixed()
	for i := range s.folders["/a"].Listing.Secrets {
		v := &s.folders["/a"].Listing.Secrets[i]
		if v.Name == "CHANGED" || v.Name == "NEW" || v.Name == "SAME" {
			v.Version, v.Value = v.Version+1, secret.New("rotated")
		}
	}
	after := s.plan()
	if before.Digest != after.Digest {
		t.Error("the digest changed")
	}
	if after.Summary().Update != before.Summary().Update+2 {
		t.Errorf("SAME is not updated in both places: %+v", after.Summary())
	}
}

// TestMoved compares a planned change with the same key decided later.
func TestMoved(t *testing.T) {
	t.Parallel()
	source := SourceRef{KMS: "k", Environment: "dev", Path: "/a"}
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

// TestAPlanCannotHoldASecret walks every type that a plan is made of.
func TestAPlanCannotHoldASecret(t *testing.T) {
	t.Parallel()
	if found := secretIn(reflect.TypeFor[Plan](), nil); found != "" {
		t.Errorf("a plan can hold a secret or a function: %s", found)
	}
	for _, other := range []reflect.Type{
		reflect.TypeFor[map[string][]*want.Want](), reflect.TypeFor[ledger.State](), reflect.TypeFor[*observe.Observation](), reflect.TypeFor[struct{ hidden func() }](),
	} {
		if secretIn(other, nil) == "" {
			t.Errorf("the walk finds nothing in %s", other)
		}
	}
}

// secretIn returns the path to a value, key, fingerprint, function, channel or
// interface that a type can hold, or "".
func secretIn(t reflect.Type, above []reflect.Type) string {
	if slices.Contains(above, t) {
		return ""
	}
	above = append(above, t)
	switch t {
	case reflect.TypeFor[secret.Value](), reflect.TypeFor[secret.Key](), reflect.TypeFor[secret.Fingerprint]():
		return t.String()
	case reflect.TypeFor[time.Time](): // a number and a place on the globe
		return ""
	}
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.Interface, reflect.UnsafePointer:
		return t.String()
	case reflect.Map:
		if found := secretIn(t.Key(), above); found != "" {
			return found
		}
		return secretIn(t.Elem(), above)
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return secretIn(t.Elem(), above)
	case reflect.Struct:
		for f := range t.Fields() {
			if found := secretIn(f.Type, above); found != "" {
				return f.Name + " → " + found
			}
		}
	}
	return ""
}

// A change is found by the sync it stands under and its key, and a want only
// where there is one.
func TestDestinationDiffLookUps(t *testing.T) {
	t.Parallel()
	s := mixed()
	g := observe.NewGraph(&config.Config{Syncs: s.syncs})
	d := DiffDestination(g, s.observe(g), s.state(), repositoryUUID, sceneNow)
	if c, ok := d.Change("sync.b", "ADOPTED"); !ok || c.Action != verdict.Adopt {
		t.Errorf("got %+v, %v", c, ok)
	}
	for _, none := range [][2]string{{"sync.a", "ADOPTED"}, {"sync.a", "SAME"}, {"sync.c", "CHANGED"}, {"sync.none", "NEW"}} {
		if c, ok := d.Change(none[0], none[1]); ok {
			t.Errorf("%v: got %+v", none, c)
		}
	}
	if w := d.Want("NEW"); w == nil || w.SecretKey != "NEW" {
		t.Errorf("want of NEW: %+v", w)
	}
	if d.Want("BOTH") != nil || d.Want("MANUAL") != nil {
		t.Error("a want where there is none, or more than one")
	}
}
