package planner

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/evidence"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

func dev(path string) graph.SourceRef {
	return graph.SourceRef{KMS: "k", Environment: "dev", Path: path}
}

// say answers a question, "folder /a", "folders /a: /a /a/b", "imports /a: /s",
// "secret /a NAME: found", and each with "!" for an error.
func (s *scene) say(texts ...string) *scene {
	if s.answers == nil {
		s.answers = map[observe.Question]observe.Answer{}
	}
	for _, text := range texts {
		question, answer, _ := strings.Cut(text, ":")
		words := strings.Fields(strings.TrimSuffix(question, "!"))
		q := observe.Question{At: dev(words[1])}
		q.Kind = map[string]observe.QuestionKind{
			"folder": observe.OfFolder, "folders": observe.OfFolders, "imports": observe.OfImports, "secret": observe.OfSecret,
		}[words[0]]
		var a observe.Answer
		if strings.HasSuffix(question, "!") {
			a.Err = &providers.Error{Op: "ask", Kind: providers.KindForbidden}
		}
		if q.Kind == observe.OfSecret {
			q.Name, a.Found = words[2], strings.TrimSpace(answer) == "found"
		}
		for _, path := range strings.Fields(answer) {
			if q.Kind != observe.OfSecret {
				a.Folders = append(a.Folders, dev(path))
			}
		}
		s.answers[q] = a
	}
	return s
}

// asks returns what is still to be asked.
func (s *scene) asks() []string {
	g := graph.New(&config.Config{Deletes: usual, Syncs: s.syncs}).Allow(s.allowed)
	obs := s.observe(g)
	var out []string
	for _, q := range evidence.Questions(g, obs, Diff(g, obs, s.state(), sceneNow)) {
		kind := map[observe.QuestionKind]string{
			observe.OfFolder: "folder", observe.OfFolders: "folders", observe.OfImports: "imports", observe.OfSecret: "secret",
		}[q.Kind]
		out = append(out, strings.TrimSpace(fmt.Sprint(kind, " ", q.At.Path, " ", q.Name)))
	}
	return out
}

func doubtsIn(p *plan.Plan) []string {
	var out []string
	for _, f := range p.Findings {
		if f.Kind == verdict.FindDoubt {
			out = append(out, f.Address+": "+f.Detail)
		}
	}
	return out
}

// TestQuestions: what a plan asks depends on its deletes alone, goes from one answer to
// the next, and ends in a doubt where something is not proven.
func TestQuestions(t *testing.T) {
	t.Parallel()
	gone := func() *scene {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1").owned("", "KEY", "sync.a", "1").owned("", "GONE", "sync.a", "x")
		s.syncs[0].Sources[0].IncludeImports = set(true)
		return s
	}
	overwriting := func() *scene {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1").owned("", "KEY", "sync.a", "1").variable("", "FOREIGN")
		s.syncs[0].Options.OverwriteDestination, s.syncs[0].Sources[0].IncludeImports = set(true), set(false)
		return s
	}
	importing := func(block providers.Import) *scene {
		s := gone()
		s.folders["/a"].Listing.Imports = []providers.Import{block}
		s.folders["/s"] = &resolve.Read{Listing: providers.SourceListing{Secrets: []providers.Secret{{ID: "k", Name: "K", Version: 1, Value: secret.New("k")}}}}
		return s
	}
	shared := providers.Import{Folder: providers.Folder{Environment: "dev", Path: "/s"}, FolderID: "f", Names: []string{"K"}}
	// hiddenFar wrote a key from /far, to which nothing leads that lists show.
	hiddenFar := func() *scene {
		s := importing(shared)
		s.entries[""]["GONE"].Source.Path = "/far"
		return s
	}
	const settle = " Give the identity the right to read it, remove the import, or set allow_unproven_imports = true in the options of sync.a."
	for name, test := range map[string]struct {
		scene  *scene
		asks   []string
		doubts []string
	}{
		"no delete":                {newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1"), nil, nil},
		"a secret that is gone":    {gone(), []string{"imports /a", "secret /a GONE"}, nil},
		"without imports":          {func() *scene { s := gone(); s.syncs[0].Sources[0].IncludeImports = set(false); return s }(), []string{"secret /a GONE"}, nil},
		"unproven imports allowed": {func() *scene { s := gone(); s.syncs[0].Options.AllowUnprovenImports = set(true); return s }(), []string{"secret /a GONE"}, nil},
		"all is proven":            {gone().say("imports /a:", "secret /a GONE: no"), nil, nil},
		"it is there all the same": {gone().say("imports /a:", "secret /a GONE: found"), nil, []string{
			"sync.a: GONE of dev:/a is there, although the list lacks it: a right of the identity may hide it. Give the identity the right to read it, or exclude the name.",
		}},
		"it may not be asked for": {gone().say("imports /a:", "secret /a GONE!"), nil, []string{
			"sync.a: Whether GONE of dev:/a is gone is not proven: ask: no permission. Give the identity the right to read it.",
		}},
		"imports may not be asked for": {gone().say("imports /a!", "secret /a GONE: no"), nil, []string{"sync.a: What dev:/a imports is not known: ask: no permission." + settle}},
		"an import that is not shown": {gone().say("imports /a: /s", "secret /a GONE: no"), nil, []string{
			"sync.a: dev:/a imports dev:/s, which the list left out, as for an identity that may not read it." + settle,
		}},
		"an import with its block": {importing(shared).say("imports /a: /s", "secret /a GONE: no"), nil, nil},
		"an import without folder": {importing(providers.Import{Folder: shared.Folder, Names: []string{"K"}}).say("imports /a: /s", "secret /a GONE: no"), nil, []string{
			"sync.a: dev:/a imports dev:/s, which has no folder; restore the folder or remove the import." + settle,
		}},
		"imports that were listed for the values": {func() *scene {
			s := importing(shared).say("secret /a GONE: no")
			s.folders["/a"].Linked, s.folders["/a"].Links = true, []providers.Folder{shared.Folder, {Environment: "dev", Path: "/far"}}
			return s
		}(), nil, []string{"sync.a: dev:/a imports dev:/far, which the list left out, as for an identity that may not read it." + settle}},
		"an empty block":               {importing(providers.Import{Folder: shared.Folder, FolderID: "f"}).say("imports /a: /s", "secret /a GONE: no"), []string{"folder /s"}, nil},
		"an empty block that is empty": {importing(providers.Import{Folder: shared.Folder, FolderID: "f"}).say("imports /a: /s", "secret /a GONE: no", "folder /s"), nil, nil},
		"an empty block that is not proven": {importing(providers.Import{Folder: shared.Folder, FolderID: "f"}).say("imports /a: /s", "secret /a GONE: no", "folder /s!"), nil, []string{
			"sync.a: dev:/a imports dev:/s, which shows no secrets and is not proven to be empty: ask: no permission." + settle,
		}},
		"overwriting":                {overwriting(), []string{"folder /a"}, nil},
		"overwriting what is proven": {overwriting().say("folder /a"), nil, nil},
		"overwriting what is not": {overwriting().say("folder /a!"), nil, []string{
			"sync.a: The source, dev:/a, is not proven to be read whole: ask: no permission. Give the identity the right to read it, or leave it out.",
		}},
		"overwriting with imports": {func() *scene {
			s := overwriting()
			s.syncs[0].Sources[0].IncludeImports = set(true)
			s.folders["/a"].Listing.Imports = []providers.Import{shared}
			s.folders["/s"] = &resolve.Read{Listing: providers.SourceListing{Secrets: []providers.Secret{{ID: "k", Name: "K", Version: 1, Value: secret.New("k")}}}}
			return s.say("folder /a", "imports /a: /s", "folder /s", "imports /s: /n")
		}(), []string{"folder /n"}, nil},
		"the folder is gone": {func() *scene {
			s := gone()
			s.syncs[0].Sources[0].Recursive, s.syncs[0].Sources[0].IncludeImports = set(true), set(false)
			s.entries[""]["GONE"].Source.Path = "/a/b"
			s.trees = map[graph.SourceRef]*resolve.Tree{dev("/a"): resolve.NewTree(providers.TreeListing{Folders: []providers.FolderSecrets{
				{Folder: providers.Folder{Environment: "dev", Path: "/a"}, Secrets: s.folders["/a"].Listing.Secrets},
			}}, nil)}
			s.say("folders /a: /a")
			s.answers[observe.Question{Kind: observe.OfSecret, At: dev("/a/b"), Name: "GONE"}] = observe.Answer{Err: &providers.Error{Op: "ask", Kind: providers.KindNotFound}}
			return s
		}(), nil, nil},
		"no source leads there any more": {hiddenFar(), []string{"imports /a", "secret /a GONE"}, nil},
		"nor an import":                  {hiddenFar().say("imports /a: /s", "imports /s:", "secret /a GONE: no"), nil, nil},
		"but the folder of today hides the name": {hiddenFar().say("imports /a: /s", "imports /s:", "secret /a GONE: found"), nil, []string{
			"sync.a: GONE of dev:/a is there, although the list lacks it: a right of the identity may hide it. Give the identity the right to read it, or exclude the name.",
		}},
		"overwriting what the ledger knows": {func() *scene {
			s := overwriting().say("folder /a")
			s.record("", "FOREIGN", "sync.gone", "x").UUID = "{of another}"
			return s
		}(), []string{"secret /a FOREIGN"}, nil},
		"but an import that lists do not show": {hiddenFar().say("imports /a: /s", "imports /s: /far", "secret /a GONE: no"), nil, []string{
			"sync.a: dev:/s imports dev:/far, which the lists do not show, as for an identity that may not read it." + settle,
		}},
		"or one that may not be asked for": {hiddenFar().say("imports /a: /s", "imports /s!", "secret /a GONE: no"), nil, []string{"sync.a: What dev:/s imports is not known: ask: no permission." + settle}},
		"a shifted list": {func() *scene {
			s := importing(shared).say("imports /a: /s", "secret /a GONE: no")
			s.folders["/a"].Listing.Shifted = true
			s.syncs[0].Sources[0].Exclude = []config.Located[string]{set("K")} // else it would be refused
			return s
		}(), nil, []string{"sync.a: dev:/a imports a folder that no longer exists, and this server then shows secrets under the wrong import." + settle}},
		"what a sync left": {func() *scene {
			s := newScene(syncFrom("b", "/b", "")).secret("/b", "B", "1").owned("", "B", "sync.b", "1").owned("", "LEFT", "sync.x", "x")
			return s
		}(), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			many := 100
			test.scene.allowed = &many
			if diff := cmp.Diff(test.asks, test.scene.asks()); diff != "" {
				t.Errorf("asks: %s", diff)
			}
			p := test.scene.plan()
			if diff := cmp.Diff(test.doubts, doubtsIn(p)); diff != "" {
				t.Error(diff)
			}
			if p.Complete != (test.doubts == nil) {
				t.Errorf("complete: %v", p.Complete)
			}
		})
	}
}

// A recursive source: its folders are listed, and each that showed no secret is proven
// by itself.
func TestQuestionsOfATree(t *testing.T) {
	t.Parallel()
	tree := func() *scene {
		s := newScene(syncFrom("a", "/a", "")).owned("", "KEY", "sync.a", "1").owned("", "GONE", "sync.a", "x")
		s.syncs[0].Sources[0].Recursive, s.syncs[0].Sources[0].IncludeImports = set(true), set(false)
		s.entries[""]["KEY"].Source = s.entries[""]["GONE"].Source
		s.entries[""]["KEY"].Source.Name, s.entries[""]["KEY"].Source.ID = "KEY", "/a/KEY"
		s.trees = map[graph.SourceRef]*resolve.Tree{dev("/a"): resolve.NewTree(providers.TreeListing{Folders: []providers.FolderSecrets{
			{Folder: providers.Folder{Environment: "dev", Path: "/a"}, Secrets: []providers.Secret{{ID: "/a/KEY", Name: "KEY", Version: 1, Value: secret.New("1")}}},
		}}, nil)}
		return s
	}
	for name, test := range map[string]struct {
		scene  *scene
		asks   []string
		doubts int
	}{
		"first":         {tree(), []string{"folders /a", "secret /a GONE"}, 0},
		"then":          {tree().say("folders /a: /a /a/b", "secret /a GONE: no"), []string{"folder /a/b"}, 0},
		"all is proven": {tree().say("folders /a: /a /a/b", "secret /a GONE: no", "folder /a/b"), nil, 0},
		"one is not":    {tree().say("folders /a: /a /a/b", "secret /a GONE: no", "folder /a/b!"), nil, 1},
		"none is known": {tree().say("folders /a!", "secret /a GONE: no"), nil, 1},
	} {
		if diff := cmp.Diff(test.asks, test.scene.asks()); diff != "" {
			t.Errorf("%s asks: %s", name, diff)
		}
		if got := doubtsIn(test.scene.plan()); len(got) != test.doubts {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Why a key is not wanted any more, where imports are concerned.
func TestWhyAnImportedKeyIsGone(t *testing.T) {
	t.Parallel()
	shared := providers.Import{Folder: providers.Folder{Environment: "dev", Path: "/s"}, FolderID: "f", Names: []string{"K"}}
	for name, test := range map[string]struct {
		blocks  []providers.Import
		secrets []string // of /s
		want    verdict.Reason
	}{
		"the import was removed": {nil, []string{"OLD"}, verdict.NotIncluded},
		"it is gone from /s":     {[]providers.Import{shared}, []string{"K"}, verdict.GoneFromSource},
		"the block lacks it":     {[]providers.Import{shared}, []string{"K", "OLD"}, verdict.NotIncluded},
	} {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "1").owned("", "KEY", "sync.a", "1").owned("", "OLD", "sync.a", "x")
		s.entries[""]["OLD"].Source.Path = "/s"
		s.syncs[0].Sources[0].IncludeImports = set(true)
		s.folders["/a"].Listing.Imports = test.blocks
		s.folders["/s"] = &resolve.Read{}
		for _, name := range test.secrets {
			s.folders["/s"].Listing.Secrets = append(s.folders["/s"].Listing.Secrets, providers.Secret{ID: "/s/" + name, Name: name, Version: 1, Value: secret.New("v")})
		}
		p := s.plan()
		changes := p.Syncs[0].Changes
		i := slices.IndexFunc(changes, func(c plan.Change) bool { return c.Key == "OLD" })
		if i < 0 || changes[i].Reason != test.want {
			t.Errorf("%s: %+v", name, changes)
		}
	}
}

// A change says of what its value is made, so that a secret it refers to is not
// changed without a word between plan and apply.
func TestAReferencedSecretChanges(t *testing.T) {
	t.Parallel()
	at := func(version int) plan.Change {
		s := newScene(syncFrom("a", "/a", "")).secret("/a", "KEY", "<${OTHER}>").secret("/a", "OTHER", "v")
		s.syncs[0].Sources[0].ExpandReferences = set(true)
		s.folders["/a"].Listing.Secrets[1].Version = version
		return changeOf(t, s.plan(), "sync.a", "KEY")
	}
	if at(1).MadeOf == "" || at(1).Moved(at(1), true) != "" {
		t.Errorf("the same: %+v", at(1))
	}
	if got := at(1).Moved(at(2), true); got != "a secret that it refers to changed" {
		t.Errorf("got %q", got)
	}
}

// A secret of a folder below a recursive source is gone from it, whether or not the
// folder is still there; where the tree imports and no folder of it was listed by
// itself, its imports are not proven.
func TestGoneBelowATree(t *testing.T) {
	t.Parallel()
	s := newScene(syncFrom("a", "/a", "")).owned("", "GONE", "sync.a", "x")
	s.syncs[0].Sources[0].Recursive, s.syncs[0].Options.AllowEmpty = set(true), set(true)
	s.entries[""]["GONE"].Source.Path = "/a/b"
	s.trees = map[graph.SourceRef]*resolve.Tree{dev("/a"): resolve.NewTree(providers.TreeListing{}, nil)}
	if c := changeOf(t, s.plan(), "sync.a", "GONE"); c.Reason != verdict.GoneFromSource {
		t.Errorf("got %+v", c)
	}
	s.say("folders /a: /a", "folder /a", "secret /a/b GONE: no", "imports /a: /s")
	want := []string{"sync.a: dev:/a imports dev:/s, which the list did not show. Give the identity the right to read it, remove the import, or set allow_unproven_imports = true in the options of sync.a."}
	if diff := cmp.Diff(want, doubtsIn(s.plan())); diff != "" {
		t.Error(diff)
	}
	s.say("imports /a:")
	if got := doubtsIn(s.plan()); got != nil {
		t.Error(got)
	}
}

// TestBrokenReads: a folder that imports or values lead to and that gave no usable
// answer is a doubt, which holds the deletes of every sync. That it may not be read, or
// is not there, is an answer: it refuses a key, and that holds the deletes of its sync.
func TestBrokenReads(t *testing.T) {
	t.Parallel()
	const doubtful, refused = "/far, which the source dev:/a has values from, could not be read whole: ", "held by refused_key, held by none"
	for kind, want := range map[providers.Kind]string{
		providers.KindUnavailable: doubtful, providers.KindRateLimited: doubtful, providers.KindForeign: doubtful,
		providers.KindUnauthenticated: doubtful, providers.KindCanceled: doubtful,
		providers.KindForbidden: refused, providers.KindNotFound: refused,
	} {
		for _, links := range []bool{false, true} {
			s := newScene(syncFrom("a", "/a", ""), syncFrom("b", "/b", "Staging")).secret("/a", "KEY", "${dev.far.X}").secret("/b", "B", "1")
			s.owned("", "GONE", "sync.a", "x").owned("Staging", "LEFT", "sync.b", "x")
			s.say("secret /a GONE: gone", "imports /a:", "secret /b LEFT: gone", "imports /b:")
			err := &providers.Error{Op: "list secrets", Kind: kind}
			s.folders["/far"] = &resolve.Read{Err: err}
			if links {
				s.folders["/far"] = &resolve.Read{Linked: true, LinksErr: err}
			}
			p := s.plan()
			got := "held by " + blockOf(p, 0, "GONE") + ", held by " + blockOf(p, 1, "LEFT")
			if !p.Complete {
				got = ""
				for _, f := range p.Findings {
					got += f.Address + " " + f.Detail
				}
				if blockOf(p, 1, "LEFT") != "doubt" {
					t.Errorf("%s: the delete of the other sync is held by %s", kind, blockOf(p, 1, "LEFT"))
				}
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s, links %v: %s", kind, links, got)
			}
		}
	}
}

// blockOf says what holds a change of the plan.
func blockOf(p *plan.Plan, sync int, key string) string {
	for _, c := range p.Syncs[sync].Changes {
		if c.Key == key && c.BlockedBy != verdict.NotBlocked {
			return string(c.BlockedBy)
		} else if c.Key == key {
			return "none"
		}
	}
	return "no change"
}
