package planner

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// on is a value written on a line of the file.
func on[T any](line int, v T) config.Located[T] {
	return config.Located[T]{Value: v, Range: hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: line}}}
}

// renaming is sync.a with KEY renamed to NEW on line 7, which wrote KEY as KEY
// before.
func renaming() *scene {
	a := syncFrom("a", "/a", "")
	a.Sources[0].Range = on(5, 0).Range
	a.Sources[0].Rename = map[string]config.Located[string]{"KEY": on(7, "NEW")}
	return newScene(a).secret("/a", "KEY", "1").owned("", "KEY", "sync.a", "1")
}

// TestRename: the new key is a rename until it is there, the old one waits for
// whatever the new one needs, and is deleted for nothing else.
func TestRename(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*scene)
		want   []string
		detail string // of KEY
		line   int    // of KEY
	}{
		"by rename": {func(*scene) {}, []string{"KEY delete renamed", "NEW rename renamed"}, "to NEW", 7},
		"and there": {func(s *scene) { s.owned("", "NEW", "sync.a", "1") }, []string{"KEY delete renamed"}, "to NEW", 7},
		"with another value": {
			func(s *scene) { s.owned("", "NEW", "sync.a", "0") },
			[]string{"KEY delete renamed", "NEW update source_changed"},
			"to NEW", 7,
		},
		"in the KMS": {func(s *scene) {
			s.syncs[0].Sources[0].Rename = nil
			s.folders["/a"].Listing.Secrets[0].Name = "NEW"
		}, []string{"KEY delete renamed", "NEW rename renamed"}, "to NEW in dev:/a", 5},
		"the new key is refused": {func(s *scene) {
			s.folders["/a"].Listing.Secrets = nil
			s.secret("/a", "KEY", "")
		}, []string{"KEY keep rename_waits", "NEW keep refused empty_value"}, "to NEW", 7},
		"the new key is of two secrets": {
			func(s *scene) { s.secret("/a", "NEW", "2") },
			[]string{"KEY keep rename_waits", "NEW keep refused duplicate_key"},
			"to NEW", 7,
		},
		"the new key is protected": {func(s *scene) {
			s.syncs[0].Options.Protect = []config.Located[string]{set("NEW")}
			s.variable("", "NEW")
		}, []string{"KEY keep rename_waits", "NEW keep protected"}, "to NEW", 7},
		"the new key is protected and missing": {
			func(s *scene) { s.syncs[0].Options.Protect = []config.Located[string]{set("NEW")} },
			[]string{"KEY keep rename_waits"},
			"to NEW", 7,
		},
		"the old key is protected": {
			func(s *scene) { s.syncs[0].Options.Protect = []config.Located[string]{on(9, "KEY")} },
			[]string{"KEY keep protected", "NEW create missing"},
			"by sync.a", 9,
		},
		"nothing is to be deleted": {
			func(s *scene) { s.syncs[0].Options.DisableSecretDeletion = on(9, true) },
			[]string{"KEY keep deletion_disabled", "NEW create missing"},
			"", 9,
		},
		"the old key is not the one recorded": {
			func(s *scene) { s.live[""][0].UUID = "{other}" },
			[]string{"KEY forget gone_outside", "NEW create missing"},
			"", 1,
		},
		"the id is another": {
			func(s *scene) { s.entries[""]["KEY"].Source.ID = "other" },
			[]string{"KEY delete schema_changed", "NEW create missing"},
			"", 1,
		},
		"the id is not known": {
			func(s *scene) { s.entries[""]["KEY"].Source.ID = "" },
			[]string{"KEY delete schema_changed", "NEW create missing"},
			"", 1,
		},
		"another folder has that id": {
			func(s *scene) { s.entries[""]["KEY"].Source.Path = "/b" },
			[]string{"KEY delete not_included", "NEW create missing"},
			"", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := renaming()
			test.change(s)
			p := s.plan()
			if diff := cmp.Diff(test.want, said(p, "sync.a")); diff != "" {
				t.Fatal(diff)
			}
			c := changeOf(t, p, "sync.a", "KEY")
			if c.Detail != test.detail || c.Range.Start.Line != test.line {
				t.Errorf("KEY: detail %q at %v", c.Detail, c.Range)
			}
		})
	}
}

// A rename names the old key and its cause, is one create and one delete for
// Bitbucket, and is counted once.
func TestTheNewKeyOfARename(t *testing.T) {
	t.Parallel()
	p := renaming().plan()
	c := changeOf(t, p, "sync.a", "NEW")
	if c.RenamedFrom != "KEY" || c.Detail != "" || c.Range.Start.Line != 7 || c.SecretKey != "KEY" || c.VariableUUID != "" {
		t.Errorf("change %+v", c)
	}
	if sum := p.Summary(); sum.Rename != 1 || sum.Create+sum.Delete+sum.Blocked != 0 || p.Requests.ToApply != 2 {
		t.Errorf("summary %+v, to apply %d", sum, p.Requests.ToApply)
	}
	if d := renaming(); d.plan().Digest == func() string { d.entries[""]["KEY"].Source.ID = "other"; return d.plan().Digest }() {
		t.Error("a rename and a create have the same digest")
	}
}

// Another schema is a rename too, and named by the line of the schema.
func TestRenameBySchema(t *testing.T) {
	t.Parallel()
	s := renaming()
	s.syncs[0].Sources[0].Rename = nil
	s.syncs[0].Options.KeySchema = schemaOf(t, "APP_{{secretKey}}")
	p := s.plan()
	if diff := cmp.Diff([]string{"APP_KEY rename renamed", "KEY delete renamed"}, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"KEY", "APP_KEY"} {
		if got := changeOf(t, p, "sync.a", key).Range; got != s.syncs[0].Options.KeySchema.Range {
			t.Errorf("%s: at %v", key, got)
		}
	}
}

// Where a schema and a rename may both be the cause, the one that the old name
// does not fit is named.
func TestTheCauseOfARename(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t, "APP_{{secretKey}}")
	for old, want := range map[string]int{"KEY": schema.Range.Start.Line, "APP_OLD": 7} {
		s := renaming()
		s.syncs[0].Options.KeySchema = schema
		s.live, s.entries = map[string][]providers.Variable{}, map[string]map[string]*ledger.Entry{}
		s.owned("", old, "sync.a", "1")
		s.entries[""][old].Source = ledger.Source{KMS: "k", Environment: "dev", Path: "/a", Name: "KEY", ID: "/a/KEY"}
		if c := changeOf(t, s.plan(), "sync.a", "APP_NEW"); c.RenamedFrom != old || c.Range.Start.Line != want {
			t.Errorf("%s: from %q at %v", old, c.RenamedFrom, c.Range)
		}
	}
}

// Renamed twice while deletes are held, the new key takes the place of the name
// written last.
func TestRenamedTwice(t *testing.T) {
	t.Parallel()
	s := renaming().owned("", "OLDER", "sync.a", "1").owned("", "ZERO", "sync.a", "1")
	for _, key := range []string{"OLDER", "ZERO"} {
		s.entries[""][key].Source = s.entries[""]["KEY"].Source
	}
	s.entries[""]["OLDER"].Writes[0].At = sceneNow.Add(-time.Hour)
	p := s.plan()
	want := []string{
		"KEY delete renamed", "NEW rename renamed", "OLDER delete renamed", "ZERO delete renamed",
	}
	if diff := cmp.Diff(want, said(p, "sync.a")); diff != "" {
		t.Error(diff)
	}
	if c := changeOf(t, p, "sync.a", "NEW"); c.RenamedFrom != "OLDER" {
		t.Errorf("renamed from %s", c.RenamedFrom)
	}
}

// TestOverlap: the old key stays until the new one has been there for that long,
// whatever was written to it since.
func TestOverlap(t *testing.T) {
	t.Parallel()
	write := func(action string, ago time.Duration) ledger.Write {
		return ledger.Write{At: sceneNow.Add(-ago), Action: action}
	}
	takeOver := write("update", time.Hour)
	takeOver.Reason = "replaced_outside"
	const notYet = "until NEW has been there for 72h"
	for name, test := range map[string]struct {
		writes []ledger.Write // of NEW; nil: it is not there
		change func(*ledger.Entry)
		want   string
		detail string
	}{
		"not there":        {nil, nil, "KEY keep overlap", notYet},
		"just there":       {[]ledger.Write{write("rename", 0)}, nil, "KEY keep overlap", "until 2026-01-13 00:00 UTC, beside NEW"},
		"a moment too new": {[]ledger.Write{write("create", 72*time.Hour-time.Minute)}, nil, "KEY keep overlap", "until 2026-01-10 00:01 UTC, beside NEW"},
		"long enough":      {[]ledger.Write{write("create", 72*time.Hour)}, nil, "KEY delete renamed", "to NEW"},
		"rotated since":    {[]ledger.Write{write("update", time.Hour), write("rename", 73*time.Hour)}, nil, "KEY delete renamed", "to NEW"},
		"made again since": {
			[]ledger.Write{write("update", 0), write("create", time.Hour), write("update", 99*time.Hour)},
			nil,
			"KEY keep overlap", "until 2026-01-12 23:00 UTC, beside NEW",
		},
		"taken over since": {
			[]ledger.Write{write("update", 0), takeOver, write("create", 99*time.Hour)},
			nil,
			"KEY keep overlap", "until 2026-01-12 23:00 UTC, beside NEW",
		},
		"in doubt":           {[]ledger.Write{write("create", 99*time.Hour)}, func(e *ledger.Entry) { e.InDoubt = true }, "KEY keep overlap", notYet},
		"another variable":   {[]ledger.Write{write("create", 99*time.Hour)}, func(e *ledger.Entry) { e.UUID = "{other}" }, "KEY keep overlap", notYet},
		"another sync's":     {[]ledger.Write{write("create", 99*time.Hour)}, func(e *ledger.Entry) { e.Owner.Sync = "sync.gone" }, "KEY keep overlap", notYet},
		"no write is on its": {[]ledger.Write{}, nil, "KEY keep overlap", notYet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := renaming()
			s.syncs[0].Options.Overlap = on(11, 72*time.Hour)
			if test.writes != nil {
				s.owned("", "NEW", "sync.a", "1")
				s.entries[""]["NEW"].Writes = test.writes
			}
			if test.change != nil {
				test.change(s.entries[""]["NEW"])
			}
			p := s.plan()
			if got := said(p, "sync.a")[0]; got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			c := changeOf(t, p, "sync.a", "KEY")
			if c.Detail != test.detail || (c.Action == verdict.Keep && c.Range.Start.Line != 11) {
				t.Errorf("detail %q at %v", c.Detail, c.Range)
			}
		})
	}
}

// TestNotIncluded: a secret that is still there and left out is not gone, and the
// line that leaves it out is named.
func TestNotIncluded(t *testing.T) {
	t.Parallel()
	globs := func(line int, names ...string) []config.Located[string] {
		var list []config.Located[string]
		for i, name := range names {
			list = append(list, on(line+i, name))
		}
		return list
	}
	for name, test := range map[string]struct {
		change func(*config.Source, *scene)
		want   string
		line   int
	}{
		"excluded":     {func(s *config.Source, _ *scene) { s.Exclude = globs(20, "OTHER", "K*") }, "KEY delete not_included doubt", 21},
		"not included": {func(s *config.Source, _ *scene) { s.Include = globs(30, "X*", "Y*") }, "KEY delete not_included doubt", 30},
		"known by its id": {func(s *config.Source, sc *scene) {
			s.Exclude = globs(20, "Z")
			sc.folders["/a"].Listing.Secrets[0].Name = "Z"
		}, "KEY delete not_included doubt", 20},
		"gone": {func(s *config.Source, sc *scene) {
			s.Exclude = globs(20, "K*")
			sc.folders["/a"].Listing.Secrets = nil
		}, "KEY delete gone_from_source doubt", 1},
		"included": {func(*config.Source, *scene) {}, "", 0},
	} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1").owned("", "KEY", "sync.a", "1")
		test.change(s.syncs[0].Sources[0], s)
		p := s.plan()
		got := said(p, "sync.a")
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
			continue
		}
		if test.line != 0 {
			if c := changeOf(t, p, "sync.a", "KEY"); c.Range.Start.Line != test.line {
				t.Errorf("%s: at %v", name, c.Range)
			}
		}
	}
}

// Nothing that a sync includes is a doubt, as an empty folder is.
func TestNothingIncluded(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1")
	s.syncs[0].Sources[0].Exclude = []config.Located[string]{on(20, "*")}
	p := s.plan()
	if p.Complete || len(p.Findings) != 1 || !strings.HasPrefix(p.Findings[0].Detail, "include and exclude take no secret of dev:/a. If that is meant, set allow_empty = true") {
		t.Errorf("complete %v, findings %+v", p.Complete, p.Findings)
	}
	s.syncs[0].Options.AllowEmpty = set(true)
	if p := s.plan(); !p.Complete {
		t.Errorf("findings %+v", p.Findings)
	}
}
