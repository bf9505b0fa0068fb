package observe_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// secrets returns rows, "NAME=VALUE" each.
func secrets(texts ...string) []providers.Secret {
	var out []providers.Secret
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		out = append(out, providers.Secret{ID: "id-" + name, Name: name, Version: 1, Value: secret.New(value), Lines: providers.LinesKept})
	}
	return out
}

func folder(path string) providers.Folder { return providers.Folder{Environment: "dev", Path: path} }

func imports(path string, names ...string) providers.Import {
	return providers.Import{Folder: folder(path), FolderID: "f", Names: names}
}

// whole is a sync that takes imports and references.
func whole(label, path string) *config.Sync {
	s := newSync(label, path, label)
	s.Sources[0].IncludeImports, s.Sources[0].ExpandReferences = set(true), set(true)
	return s
}

// recursive is a sync with all below a folder.
func recursive(label, path string) *config.Sync {
	s := whole(label, path)
	s.Sources[0].Recursive = set(true)
	return s
}

// yields returns what the first source of a sync comes to.
func yields(obs *observe.Observation, n *graph.Node) []string {
	var lines []string
	for _, item := range obs.Yield(n, 0).Items {
		if item.Problem != nil {
			lines = append(lines, item.Name+": "+item.Problem.Detail)
			continue
		}
		lines = append(lines, item.Name+"="+item.Value.Reveal()+" from "+item.From.Path)
	}
	return lines
}

func kmsCalls(calls []string) []string {
	var out []string
	for _, call := range calls {
		if !strings.HasPrefix(call, "variables") && !strings.HasPrefix(call, "repository") {
			out = append(out, call)
		}
	}
	return out
}

// Forty syncs that import one shared folder need 41 lists.
func TestSharedFolderIsListedOnce(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.lists = map[string]providers.SourceListing{"dev:/shared": {Secrets: secrets("K=${X}", "X=x")}}
	var syncs []*config.Sync
	for i := range 40 {
		path := "/app" + string(rune('A'+i%26)) + string(rune('a'+i/26))
		s.lists["dev:"+path] = providers.SourceListing{Secrets: secrets("OWN=1"), Imports: []providers.Import{imports("/shared", "K")}}
		syncs = append(syncs, whole("web", path))
		syncs[i].Address += path
	}
	g := graphOf(syncs...)
	obs := s.observer(8).Observe(t.Context(), g, nothing())
	lists := kmsCalls(s.made())
	if len(lists) != 41 {
		t.Errorf("%d requests to the KMS", len(lists))
	}
	for _, n := range g.Nodes {
		if diff := cmp.Diff([]string{"K=x from /shared", "OWN=1 from " + n.Folders[0].Path}, sorted(yields(obs, n))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func sorted(lines []string) []string {
	out := append([]string{}, lines...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

// What nobody wants is not read: imports and references of secrets that are left out,
// and both where the source says so.
func TestOnlyWhatIsWantedIsRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*config.Source)
		want   []string
	}{
		"all":           {func(*config.Source) {}, []string{"list dev:/app", "list dev:/far", "list dev:/shared"}},
		"no imports":    {func(s *config.Source) { s.IncludeImports = set(false) }, []string{"list dev:/app", "list dev:/far"}},
		"no references": {func(s *config.Source) { s.ExpandReferences = set(false) }, []string{"list dev:/app", "list dev:/shared"}},
		"excluded":      {func(s *config.Source) { s.Exclude = []config.Located[string]{set("A"), set("K")} }, []string{"list dev:/app"}},
		"included":      {func(s *config.Source) { s.Include = []config.Located[string]{set("B")} }, []string{"list dev:/app"}},
	} {
		s := newServices()
		s.lists = map[string]providers.SourceListing{
			"dev:/app": {Secrets: secrets("A=${dev.far.X}", "B=plain"), Imports: []providers.Import{imports("/shared", "K")}},
			"dev:/far": {Secrets: secrets("X=x")}, "dev:/shared": {Secrets: secrets("K=k")},
		}
		sync := whole("web", "/app")
		test.change(sync.Sources[0])
		s.observer(8).Observe(t.Context(), graphOf(sync), nothing())
		if diff := cmp.Diff(test.want, kmsCalls(s.made())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A folder that a value refers to and that cannot be read stops that value only.
func TestAReferenceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.lists = map[string]providers.SourceListing{"dev:/app": {Secrets: secrets("A=${dev.far.X}", "B=plain")}}
	s.errs["list dev:/far"] = &providers.Error{Op: "list secrets", Kind: providers.KindForbidden}
	g := graphOf(whole("web", "/app"))
	obs := s.observer(8).Observe(t.Context(), g, nothing())
	want := []string{"A: the reference ${dev.far.X} leads to dev:/far, which this identity may not read", "B=plain from /app"}
	if diff := cmp.Diff(want, yields(obs, g.Nodes[0])); diff != "" {
		t.Error(diff)
	}
	if obs.SourceError(g.Nodes[0], 0) != nil {
		t.Error("the source counts as unread")
	}
}

// A recursive source is one list. Where folders of it import others, and that is
// wanted, each is listed by itself, so that it is known which one imports what.
func TestTrees(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		imports bool // of the tree
		wanted  bool
		calls   []string
		want    []string
	}{
		"no imports": {
			false, true,
			[]string{"list dev:/far", "tree dev:/app"},
			[]string{"A=1 from /app", "B=x from /app/sub", "C=2 from /app/sub"},
		},
		"imports": {
			true, true,
			[]string{"folders dev:/app", "list dev:/app", "list dev:/app/empty", "list dev:/app/sub", "list dev:/far", "list dev:/shared", "tree dev:/app"},
			[]string{"A=1 from /app", "B=x from /app/sub", "C=2 from /app/sub", "K=k from /shared"},
		},
		"imports that are not wanted": {
			true, false,
			[]string{"list dev:/far", "tree dev:/app"},
			[]string{"A=1 from /app", "B=x from /app/sub", "C=2 from /app/sub"},
		},
	} {
		s := newServices()
		s.trees = map[string]providers.TreeListing{"dev:/app": {Imports: test.imports, Folders: []providers.FolderSecrets{
			{Folder: folder("/app"), Secrets: secrets("A=1")}, {Folder: folder("/app/sub"), Secrets: secrets("B=${dev.far.X}", "C=2")},
		}}}
		s.below = map[string][]providers.Folder{"dev:/app": {folder("/app"), folder("/app/empty"), folder("/app/sub")}}
		s.lists = map[string]providers.SourceListing{
			"dev:/app": {Secrets: secrets("A=1")}, "dev:/app/sub": {Secrets: secrets("B=${dev.far.X}", "C=2"), Imports: []providers.Import{imports("/shared", "K")}},
			"dev:/far": {Secrets: secrets("X=x")}, "dev:/shared": {Secrets: secrets("K=k")},
		}
		sync := recursive("web", "/app")
		sync.Sources[0].IncludeImports = set(test.wanted)
		g := graphOf(sync)
		obs := s.observer(8).Observe(t.Context(), g, nothing())
		if diff := cmp.Diff(test.calls, kmsCalls(s.made())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(test.want, sorted(yields(obs, g.Nodes[0]))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A folder of a tree that was read answers for references into it, unless it is not
// known what the tree imports.
func TestATreeAnswersForItsFolders(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.trees = map[string]providers.TreeListing{"dev:/app": {Folders: []providers.FolderSecrets{{Folder: folder("/app/sub"), Secrets: secrets("B=b")}}}}
	s.lists = map[string]providers.SourceListing{"dev:/other": {Secrets: secrets("A=${dev.app.sub.B}")}}
	g := graphOf(recursive("web", "/app"), whole("api", "/other"))
	obs := s.observer(8).Observe(t.Context(), g, nothing())
	if diff := cmp.Diff([]string{"list dev:/other", "tree dev:/app"}, kmsCalls(s.made())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A=b from /other"}, yields(obs, g.Declared("sync.api"))); diff != "" {
		t.Error(diff)
	}
}

// What a destination rests on is read again once it is old: folders of imports and
// references, trees, and what a value refers to only now.
func TestRefreshWhatItRestsOn(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.lists = map[string]providers.SourceListing{
		"dev:/app": {Secrets: secrets("A=${dev.far.X}"), Imports: []providers.Import{imports("/shared", "K")}},
		"dev:/far": {Secrets: secrets("X=x")}, "dev:/shared": {Secrets: secrets("K=k")}, "dev:/else": {Secrets: secrets("Y=y")},
	}
	s.trees = map[string]providers.TreeListing{"dev:/tree": {Folders: []providers.FolderSecrets{{Folder: folder("/tree"), Secrets: secrets("T=t")}}}}
	sync := whole("web", "/app")
	sync.Sources = append(sync.Sources, recursive("x", "/tree").Sources[0])
	g, o := graphOf(sync), s.observer(8)
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.made()
	if got := r.ReadAt(webUUID); !got.Equal(begin) {
		t.Errorf("read at %v", got)
	}
	s.at = begin.Add(time.Minute)
	s.lists["dev:/app"] = providers.SourceListing{Secrets: secrets("A=${dev.else.Y}"), Imports: []providers.Import{imports("/shared", "K")}}
	view := r.Refresh(context.Background(), webUUID, begin.Add(time.Minute))
	want := []string{"list dev:/app", "list dev:/else", "list dev:/far", "list dev:/shared", "tree dev:/tree"}
	if diff := cmp.Diff(want, kmsCalls(s.made())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A=y from /app", "K=k from /shared"}, yields(view, g.Nodes[0])); diff != "" {
		t.Error(diff)
	}
	if got := r.ReadAt(webUUID); !got.Equal(s.at) {
		t.Errorf("read at %v after that", got)
	}
	r.Refresh(context.Background(), webUUID, begin.Add(time.Minute))
	if calls := s.made(); len(calls) > 0 {
		t.Errorf("read again although fresh: %v", calls)
	}
}

// Questions are answered once each, and what was asked before stays known.
func TestAsk(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.below = map[string][]providers.Folder{"dev:/app": {folder("/app"), folder("/app/a")}}
	s.imports = map[string][]providers.Folder{"dev:/app": {folder("/shared")}}
	s.has = map[string]bool{"dev:/app THERE": true}
	s.errs["prove dev:/no"] = &providers.Error{Op: "prove", Kind: providers.KindForbidden}
	at := func(path string) graph.SourceRef { return graph.SourceRef{KMS: "k", Environment: "dev", Path: path} }
	o, obs := s.observer(2), &observe.Observation{}
	o.Ask(t.Context(), obs, []observe.Question{{Kind: observe.OfFolder, At: at("/no")}, {Kind: observe.OfFolder, At: at("/app")}})
	o.Ask(t.Context(), obs, []observe.Question{
		{Kind: observe.OfFolders, At: at("/app")},
		{Kind: observe.OfImports, At: at("/app")},
		{Kind: observe.OfSecret, At: at("/app"), Name: "THERE"},
		{Kind: observe.OfSecret, At: at("/app"), Name: "GONE"},
	})
	want := map[observe.Question]observe.Answer{
		{Kind: observe.OfFolder, At: at("/no")}:                 {Err: s.errs["prove dev:/no"]},
		{Kind: observe.OfFolder, At: at("/app")}:                {},
		{Kind: observe.OfFolders, At: at("/app")}:               {Folders: []graph.SourceRef{at("/app"), at("/app/a")}},
		{Kind: observe.OfImports, At: at("/app")}:               {Folders: []graph.SourceRef{at("/shared")}},
		{Kind: observe.OfSecret, At: at("/app"), Name: "THERE"}: {Found: true},
		{Kind: observe.OfSecret, At: at("/app"), Name: "GONE"}:  {},
	}
	if len(obs.Answers) != len(want) {
		t.Errorf("%d answers", len(obs.Answers))
	}
	for q, a := range want {
		got, asked := obs.Answer(q)
		if !asked || got.Found != a.Found || got.Err != a.Err || !cmp.Equal(got.Folders, a.Folders) {
			t.Errorf("%+v: %+v", q, got)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	q := observe.Question{Kind: observe.OfFolder, At: at("/late")}
	o.Ask(ended, obs, []observe.Question{q})
	if a, _ := obs.Answer(q); providers.KindOf(a.Err) != providers.KindCanceled {
		t.Errorf("after the end: %+v", a)
	}
}

// A folder of a tree that fails when it is listed by itself stops the source; one that
// may not be read is left out, as recursive lists do, with a doubt.
func TestAFolderOfATreeFails(t *testing.T) {
	t.Parallel()
	for kind, stops := range map[providers.Kind]bool{providers.KindUnavailable: true, providers.KindInvalid: true, providers.KindForbidden: false, providers.KindNotFound: false} {
		s := newServices()
		s.trees = map[string]providers.TreeListing{"dev:/app": {Imports: true, Folders: []providers.FolderSecrets{{Folder: folder("/app"), Secrets: secrets("A=1")}}}}
		s.below = map[string][]providers.Folder{"dev:/app": {folder("/app"), folder("/app/sub")}}
		s.lists = map[string]providers.SourceListing{"dev:/app": {Secrets: secrets("A=1")}}
		s.errs["list dev:/app/sub"] = &providers.Error{Op: "list secrets", Scope: "dev:/app/sub", Kind: kind}
		g := graphOf(recursive("web", "/app"))
		obs := s.observer(8).Observe(t.Context(), g, nothing())
		n := g.Nodes[0]
		if err := obs.SourceError(n, 0); (err != nil) != stops {
			t.Errorf("%s: %v", kind, err)
		}
		if doubts := obs.SourceDoubts(n, 0); (len(doubts) == 1) == stops || (!stops && !strings.HasPrefix(doubts[0].Detail, "dev:/app/sub, below the source dev:/app, is left out: ")) {
			t.Errorf("%s: doubts %v", kind, doubts)
		}
		if seen := obs.Seen(n, 0); len(seen) != 1 || seen[0].Path != "/app" {
			t.Errorf("%s: seen %v", kind, seen)
		}
	}
}

// Imports and references lead to so many folders and no more.
func TestManyFolders(t *testing.T) {
	t.Parallel()
	s := newServices()
	var texts []string
	for i := range 60 {
		var b strings.Builder
		for j := range 100 {
			fmt.Fprintf(&b, "${dev.f%d-%d.K}", i, j)
		}
		texts = append(texts, fmt.Sprintf("K%d=%s", i, b.String()))
	}
	s.lists = map[string]providers.SourceListing{"dev:/app": {Secrets: secrets(texts...)}}
	s.observer(8).Observe(t.Context(), graphOf(whole("web", "/app")), nothing())
	if n := len(kmsCalls(s.made())); n > 5001 {
		t.Errorf("%d lists", n)
	}
}

// What two kms blocks of one project lead to is one folder, also where values refer to it.
func TestTwoBlocksOfOneProject(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.lists = map[string]providers.SourceListing{"dev:/a": {Secrets: secrets("A=${dev.far.X}")}, "dev:/b": {Secrets: secrets("B=${dev.far.X}")}, "dev:/far": {Secrets: secrets("X=x")}}
	other := whole("api", "/b")
	other.Sources[0].KMS = "l"
	g := graphOf(whole("web", "/a"), other)
	obs := s.observer(8).Observe(t.Context(), g, nothing())
	if diff := cmp.Diff([]string{"list dev:/a", "list dev:/b", "list dev:/far"}, kmsCalls(s.made())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"B=x from /b"}, yields(obs, g.Declared("sync.api"))); diff != "" {
		t.Error(diff)
	}
}

// What a value refers to only now, and another sync read long ago, is read again too.
func TestRefreshWhatIsReferredToSince(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.lists = map[string]providers.SourceListing{"dev:/a": {Secrets: secrets("A=1")}, "dev:/b": {Secrets: secrets("B=2")}}
	g, o := graphOf(whole("web", "/a"), whole("api", "/b")), s.observer(8)
	s.uuids = map[string]string{"api": "{api}"}
	r := observe.NewRefresher(o, g, nothing(), o.Observe(t.Context(), g, nothing()))
	s.made()
	s.at = begin.Add(time.Minute)
	s.lists = map[string]providers.SourceListing{"dev:/a": {Secrets: secrets("A=${dev.b.B}")}, "dev:/b": {Secrets: secrets("B=3")}}
	view := r.Refresh(context.Background(), webUUID, begin.Add(time.Minute))
	if diff := cmp.Diff([]string{"list dev:/a", "list dev:/b"}, kmsCalls(s.made())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A=3 from /a"}, yields(view, g.Declared("sync.web"))); diff != "" {
		t.Error(diff)
	}
}

// On a server that leaves imports out, they are listed where a name of one is wanted,
// once for a folder, and again with the folder.
func TestImportsAreListedWhereTheyMatter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*config.Source)
		want   []string
	}{
		"wanted":     {func(*config.Source) {}, []string{"imports dev:/app", "list dev:/app", "list dev:/s"}},
		"own only":   {func(s *config.Source) { s.Include = []config.Located[string]{set("A")} }, []string{"list dev:/app"}},
		"left aside": {func(s *config.Source) { s.IncludeImports = set(false) }, []string{"list dev:/app"}},
	} {
		s := newServices()
		s.lists = map[string]providers.SourceListing{
			"dev:/app": {Secrets: secrets("A=1"), Imports: []providers.Import{imports("/s", "K")}, Omits: true}, "dev:/s": {Secrets: secrets("K=k"), Omits: true},
		}
		s.imports = map[string][]providers.Folder{"dev:/app": {folder("/s")}}
		one, two := whole("web", "/app"), whole("api", "/app")
		test.change(one.Sources[0])
		test.change(two.Sources[0])
		s.uuids = map[string]string{"api": "{api}"}
		g, o := graphOf(one, two), s.observer(8)
		obs := o.Observe(t.Context(), g, nothing())
		if diff := cmp.Diff(test.want, kmsCalls(s.made())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		r := observe.NewRefresher(o, g, nothing(), obs)
		s.at = begin.Add(time.Minute)
		view := r.Refresh(t.Context(), webUUID, begin.Add(time.Minute))
		if diff := cmp.Diff(test.want, kmsCalls(s.made())); diff != "" {
			t.Errorf("%s, again: %s", name, diff)
		}
		if got := yields(view, g.Declared("sync.web")); name == "wanted" && !cmp.Equal(got, []string{"A=1 from /app", "K=k from /s"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A folder that a tree answers for is read by itself once its imports matter.
func TestImportsOfAFolderOfATree(t *testing.T) {
	t.Parallel()
	s := newServices()
	s.trees = map[string]providers.TreeListing{"dev:/t": {Omits: true, Folders: []providers.FolderSecrets{{Folder: folder("/t"), Secrets: secrets("T=t")}}}}
	s.lists = map[string]providers.SourceListing{
		"dev:/app": {Imports: []providers.Import{imports("/s", "K"), imports("/t")}, Omits: true}, "dev:/s": {Secrets: secrets("K=k"), Omits: true},
		"dev:/t": {Secrets: secrets("T=t"), Omits: true},
	}
	s.imports = map[string][]providers.Folder{"dev:/app": {folder("/s"), folder("/t")}, "dev:/t": {folder("/hidden")}}
	g := graphOf(whole("web", "/app"), recursive("api", "/t"))
	obs := s.observer(8).Observe(t.Context(), g, nothing())
	want := []string{"K: dev:/t also imports dev:/hidden, which this identity may not read, and what that holds would count before it"}
	if diff := cmp.Diff(want, yields(obs, g.Declared("sync.web"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"T=t from /t"}, yields(obs, g.Declared("sync.api"))); diff != "" {
		t.Error(diff)
	}
}
