package planner

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
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
		if !slices.IsSortedFunc(s.Changes, func(a, b plan.Change) int { return cmpStrings(a.Key, b.Key) }) {
			t.Errorf("the changes of %s are not sorted", s.Address)
		}
	}
	if !slices.IsSortedFunc(first.Syncs, func(a, b plan.Sync) int { return cmpStrings(a.Address, b.Address) }) {
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
	want := plan.Summary{
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

// A rotation between review and apply leaves the digest of a whole plan as it is.
func TestDigestOfARotation(t *testing.T) {
	t.Parallel()
	before, s := mixed().plan(), mixed()
	if before.Digest == "" || before.Digest != plan.Digest(before) {
		t.Error("a plan does not carry its digest")
	}
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

// TestAPlanCannotHoldASecret walks every type that a plan is made of.
func TestAPlanCannotHoldASecret(t *testing.T) {
	t.Parallel()
	if found := secretIn(reflect.TypeFor[plan.Plan](), nil); found != "" {
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
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs})
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
