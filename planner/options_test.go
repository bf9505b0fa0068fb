package planner

import (
	"slices"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// at returns a value with a place of its own.
func at[T any](line int, v T) config.Located[T] {
	l := set(v)
	l.Range.Start.Line = line
	return l
}

// optionScene is sync.a with one secret, KEY.
func optionScene(change func(*config.Options)) *scene {
	s := newScene(syncFrom("a", "/a", ""))
	change(&s.syncs[0].Options)
	return s.secret("/a", "KEY", "value")
}

// readable puts a variable that everybody can read.
func (s *scene) readable(value string) *scene {
	s.live[""] = append(s.live[""], providers.Variable{UUID: "{KEY}", Key: "KEY", Value: secret.New(value)})
	return s
}

// findingsOf returns the kinds of the findings about a key.
func findingsOf(p *plan.Plan, key string) []verdict.FindingKind {
	var kinds []verdict.FindingKind
	for _, f := range p.Findings {
		if f.Key == key {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// TestMaxAge: what is older than max_age is written again, to the second, and so is
// what no write is remembered of. A readable variable is never too old.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	const age = 9 * 24 * time.Hour // of what scenes record
	for name, test := range map[string]struct {
		most   time.Duration
		change func(*scene)
		want   []string
	}{
		"none":              {0, func(*scene) {}, nil},
		"younger":           {age + time.Second, func(*scene) {}, nil},
		"as old":            {age, func(*scene) {}, nil},
		"older":             {age - time.Second, func(*scene) {}, []string{"KEY update max_age"}},
		"no write is known": {10 * age, func(s *scene) { s.entries[""]["KEY"].Writes = nil }, []string{"KEY update max_age"}},
		"nor max_age":       {0, func(s *scene) { s.entries[""]["KEY"].Writes = nil }, nil},
		"older, of another value": {age / 2, func(s *scene) {
			s.folders["/a"].Listing.Secrets[0].Value = secret.New("other")
		}, []string{"KEY update source_changed"}},
		"readable": {age / 2, func(s *scene) {
			s.live = map[string][]providers.Variable{}
			s.readable("value").syncs[0].Options.Unsecured = []config.Located[string]{set("KEY")}
		}, nil},
	} {
		s := optionScene(func(o *config.Options) { o.MaxAge = at(7, test.most) }).owned("", "KEY", "sync.a", "value")
		test.change(s)
		p := s.plan()
		if got := said(p, "sync.a"); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		if name == "older" {
			if c := changeOf(t, p, "sync.a", "KEY"); c.Range.Start.Line != 7 {
				t.Errorf("the place is %v, not that of max_age", c.Range)
			}
		}
	}
}

// TestUnsecured: which variables become readable, which stay so, and which become
// secured again. secured is what the variable will be.
func TestUnsecured(t *testing.T) {
	t.Parallel()
	ours := func(s *scene) { s.record("", "KEY", "sync.a", "value") }
	// tried is the record of a write that was to make the variable readable, and did not.
	tried := func(s *scene) {
		s.record("", "KEY", "sync.a", "value").Writes[0].Reason = string(verdict.NotReadable)
	}
	secured := func(s *scene) { s.variable("", "KEY") }
	readable := func(value string) func(*scene) { return func(s *scene) { s.readable(value) } }
	both := func(changes ...func(*scene)) func(*scene) {
		return func(s *scene) {
			for _, change := range changes {
				change(s)
			}
		}
	}
	for name, test := range map[string]struct {
		glob    string
		change  func(*scene)
		want    string
		secured bool
		finding verdict.FindingKind
	}{
		"missing":               {"K*", func(*scene) {}, "KEY create missing", false, ""},
		"missing, not matched":  {"X*", func(*scene) {}, "KEY create missing", true, ""},
		"other value":           {"K*", both(ours, readable("other")), "KEY update value_differs", false, ""},
		"other value, never":    {"K*", readable("other"), "KEY update value_differs", false, ""},
		"same value":            {"K*", both(ours, readable("value")), "", false, ""},
		"same value, never":     {"K*", readable("value"), "KEY adopt adopted", false, ""},
		"secured":               {"K*", both(ours, secured), "KEY update not_readable", false, ""},
		"secured, never":        {"K*", secured, "KEY update not_readable", false, ""},
		"stays secured":         {"K*", both(tried, secured), "KEY keep not_readable", true, verdict.FindStaysSecured},
		"stays secured, moved":  {"K*", both(tried, secured, func(s *scene) { s.entries[""]["KEY"].Owner.Sync = "sync.gone" }), "KEY adopt adopted", true, ""},
		"stayed, in doubt":      {"K*", both(tried, secured, func(s *scene) { s.entries[""]["KEY"].InDoubt = true }), "KEY update not_readable", false, ""},
		"stayed, made again":    {"K*", both(tried, secured, func(s *scene) { s.live[""][0].UUID = "{other}" }), "KEY update not_readable", false, ""},
		"stayed, then readable": {"K*", both(tried, secured, func(s *scene) { s.entries[""]["KEY"].Secured = false }), "KEY update not_readable", false, ""},
		"stayed, written since": {"K*", both(tried, secured, func(s *scene) {
			e := s.entries[""]["KEY"]
			e.Writes = slices.Insert(e.Writes, 0, ledger.Write{At: sceneNow, Reason: string(verdict.SourceChanged)})
		}), "KEY update not_readable", false, ""},
		"stayed, rotated": {"K*", both(tried, secured, func(s *scene) {
			s.folders["/a"].Listing.Secrets[0].Value = secret.New("other")
		}), "KEY update not_readable", false, ""},
		"secured again": {"X*", both(ours, readable("value")), "KEY update not_secured", true, verdict.FindNotSecured},
		"protected": {"K*", both(ours, readable("other"), func(s *scene) {
			s.syncs[0].Options.Protect = []config.Located[string]{set("KEY")}
		}), "KEY keep protected", false, ""},
	} {
		s := optionScene(func(o *config.Options) { o.Unsecured = []config.Located[string]{at(8, test.glob)} })
		test.change(s)
		p := s.plan()
		var want []string
		if test.want != "" {
			want = []string{test.want}
		}
		got := said(p, "sync.a")
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
			continue
		}
		if len(got) > 0 && changeOf(t, p, "sync.a", "KEY").Secured != test.secured {
			t.Errorf("%s: secured is not %t", name, test.secured)
		}
		if kinds := findingsOf(p, "KEY"); (len(kinds) > 0) != (test.finding != "") || (len(kinds) > 0 && kinds[0] != test.finding) {
			t.Errorf("%s: findings %q, want %q", name, kinds, test.finding)
		}
		requests := map[string]int{"": 0, "keep": 0, "adopt": 0, "create": 1, "update": 1}
		if c := changeOfOrNone(p); c.Action == verdict.Update && c.Reason == verdict.NotReadable {
			requests["update"] = 2
		}
		if n := requests[string(changeOfOrNone(p).Action)]; p.Requests.ToApply != n {
			t.Errorf("%s: %d requests to apply, want %d", name, p.Requests.ToApply, n)
		}
		if c := changeOfOrNone(p); c.Reason == verdict.NotReadable && c.Range.Start.Line != 8 {
			t.Errorf("%s: the place is %v, not that of the glob", name, c.Range)
		}
	}
}

// changeOfOrNone returns the first change of the first sync, or none.
func changeOfOrNone(p *plan.Plan) plan.Change {
	if len(p.Syncs[0].Changes) == 0 {
		return plan.Change{}
	}
	return p.Syncs[0].Changes[0]
}

// TestStaysSecuredSaysWhatToDo: the finding names the place of the glob, and both ways
// out.
func TestStaysSecuredSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := optionScene(func(o *config.Options) { o.Unsecured = []config.Located[string]{at(8, "KEY")} }).owned("", "KEY", "sync.a", "value")
	s.entries[""]["KEY"].Writes[0].Reason = string(verdict.NotReadable)
	p := s.plan()
	const want = "The variable in acme/web was written to become readable, and Bitbucket keeps it secured. " +
		"It has the wanted value, and is left as it is until that, or the variable, changes. " +
		"Delete the variable by hand, so that it is created readable, or take it out of unsecured."
	if len(p.Findings) != 1 || p.Findings[0].Detail != want || p.Findings[0].Range.Start.Line != 8 || p.Findings[0].Severity != plan.Warning {
		t.Errorf("got %+v", p.Findings)
	}
}

// TestEncodedIsCompared: what is compared with the record, and with a readable
// variable, is the text that is sent.
func TestEncodedIsCompared(t *testing.T) {
	t.Parallel()
	const encoded = "dmFsdWU="
	for name, test := range map[string]struct {
		change func(*scene)
		want   []string
	}{
		"written so":    {func(s *scene) { s.owned("", "KEY", "sync.a", encoded) }, nil},
		"written plain": {func(s *scene) { s.owned("", "KEY", "sync.a", "value") }, []string{"KEY update source_changed"}},
		"readable": {func(s *scene) {
			s.readable(encoded).syncs[0].Options.Unsecured = []config.Located[string]{set("KEY")}
		}, []string{"KEY adopt adopted"}},
		"readable, plain": {func(s *scene) {
			s.readable("value").syncs[0].Options.Unsecured = []config.Located[string]{set("KEY")}
		}, []string{"KEY update value_differs"}},
	} {
		s := optionScene(func(o *config.Options) {
			o.Encoding = []config.Encoding{{Glob: "K*", As: set("base64")}}
		})
		test.change(s)
		if got := said(s.plan(), "sync.a"); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
