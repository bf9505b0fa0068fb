package want

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

func on[T any](line int, v T) config.Located[T] {
	return config.Located[T]{Value: v, Range: hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: line}}}
}

func names(line int, list ...string) []config.Located[string] {
	var located []config.Located[string]
	for i, name := range list {
		located = append(located, on(line+i, name))
	}
	return located
}

// reads is a sync with a source for each folder, /a, /b and so on, and those
// folders as they were read. The source of /a is on line 10, of /b on line 20.
type reads struct {
	sync *config.Sync
	obs  *observe.Observation
}

func newReads(folders ...string) *reads {
	r := &reads{
		sync: &config.Sync{Address: "sync.x", Enabled: on(1, true)},
		obs:  &observe.Observation{Folders: map[graph.SourceRef]*resolve.Read{}},
	}
	for i, list := range folders {
		path := "/" + string(rune('a'+i))
		r.sync.Sources = append(r.sync.Sources, &config.Source{
			KMS: "k", Environment: on(0, "dev"), SecretPath: on(0, path), IncludeImports: on(0, true), Range: on(10*i+10, 0).Range,
		})
		read := &resolve.Read{}
		for _, name := range strings.Fields(list) {
			read.Listing.Secrets = append(read.Listing.Secrets, providers.Secret{ID: path + "/" + name, Name: name, Version: 1, Value: secret.New("v")})
		}
		r.obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: path}] = read
	}
	return r
}

// first is the listing of /a.
func (r *reads) first() *providers.SourceListing {
	return &r.obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: "/a"}].Listing
}

// wants returns what the sync asks for, as "KEY=FOLDER:NAME" and what blocks it.
func (r *reads) wants() (lines []string, all []*Want) {
	g := graph.New(&config.Config{Syncs: []*config.Sync{r.sync}})
	merged := Merge(Of(g.Nodes[0], r.obs), nil, nil)
	for _, same := range merged {
		all = append(all, same...)
	}
	slices.SortStableFunc(all, func(a, b *Want) int { return strings.Compare(a.Key+a.Source.Path, b.Key+b.Source.Path) })
	for _, w := range all {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s=%s:%s %s", w.Key, w.Source.Path, w.SecretKey, w.Block)))
	}
	return lines, all
}

// TestSources: what is included, what it is called, and which source decides.
func TestSources(t *testing.T) {
	t.Parallel()
	rename := func(line int, pairs ...string) map[string]config.Located[string] {
		m := map[string]config.Located[string]{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = on(line, pairs[i+1])
		}
		return m
	}
	imports := func(r *reads, list ...string) {
		shared := providers.Folder{Environment: "dev", Path: "/shared"}
		r.first().Imports = []providers.Import{{Folder: shared, Names: list}}
		read := &resolve.Read{}
		for _, name := range list {
			read.Listing.Secrets = append(read.Listing.Secrets, providers.Secret{ID: "/shared/" + name, Name: name, Version: 1, Value: secret.New("v")})
		}
		r.obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: "/shared"}] = read
	}
	for name, test := range map[string]struct {
		folders []string
		change  func(r *reads, a, last *config.Source)
		want    []string
	}{
		"everything":           {[]string{"A B"}, func(*reads, *config.Source, *config.Source) {}, []string{"A=/a:A", "B=/a:B"}},
		"included":             {[]string{"A B CA"}, func(_ *reads, a, _ *config.Source) { a.Include = names(1, "A*") }, []string{"A=/a:A"}},
		"excluded":             {[]string{"A B CA"}, func(_ *reads, a, _ *config.Source) { a.Exclude = names(1, "A", "?A") }, []string{"B=/a:B"}},
		"both":                 {[]string{"A B CA"}, func(_ *reads, a, _ *config.Source) { a.Include, a.Exclude = names(1, "*A"), names(2, "C*") }, []string{"A=/a:A"}},
		"renamed":              {[]string{"A B"}, func(_ *reads, a, _ *config.Source) { a.Rename = rename(1, "A", "Z") }, []string{"B=/a:B", "Z=/a:A"}},
		"names swapped":        {[]string{"A B"}, func(_ *reads, a, _ *config.Source) { a.Rename = rename(1, "A", "B", "B", "A") }, []string{"A=/a:B", "B=/a:A"}},
		"renamed onto one":     {[]string{"A B"}, func(_ *reads, a, _ *config.Source) { a.Rename = rename(1, "A", "B") }, []string{"B=/a:A duplicate_key", "B=/a:B duplicate_key"}},
		"two sources":          {[]string{"A", "B"}, func(*reads, *config.Source, *config.Source) {}, []string{"A=/a:A", "B=/b:B"}},
		"a key of two":         {[]string{"A B", "A"}, func(*reads, *config.Source, *config.Source) {}, []string{"A=/a:A duplicate_key", "A=/b:A duplicate_key", "B=/a:B"}},
		"the later overrides":  {[]string{"A B", "A"}, func(_ *reads, _, last *config.Source) { last.Override = on(21, true) }, []string{"A=/b:A", "B=/a:B"}},
		"the earlier does not": {[]string{"A B", "A"}, func(_ *reads, a, _ *config.Source) { a.Override = on(11, true) }, []string{"A=/a:A duplicate_key", "A=/b:A duplicate_key", "B=/a:B"}},
		"the last of three overrides": {
			[]string{"A", "A B", "A"}, func(_ *reads, _, last *config.Source) { last.Override = on(31, true) }, []string{"A=/c:A", "B=/b:B"},
		},
		"overridden under another name": {[]string{"A", "B"}, func(_ *reads, _, last *config.Source) {
			last.Override, last.Rename = on(21, true), rename(22, "B", "A")
		}, []string{"A=/b:B"}},
		"overridden by what is refused": {[]string{"A", "A"}, func(r *reads, _, last *config.Source) {
			last.Override = on(21, true)
			r.obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: "/b"}].Listing.Secrets[0].Value = secret.New("")
		}, []string{"A=/b:A empty_value"}},
		"overridden by what is missing": {[]string{"A", ""}, func(_ *reads, _, last *config.Source) {
			last.Override, last.Include = on(21, true), names(22, "A")
		}, []string{"A=/b:A required_missing"}},
		"missing, and in the override": {[]string{"B", "A B", "A"}, func(_ *reads, a, last *config.Source) {
			a.Include, last.Override = names(11, "A"), on(31, true)
		}, []string{"A=/a:A required_missing", "B=/b:B"}},
		"missing, and in overrides only": {[]string{"B", "A"}, func(_ *reads, a, last *config.Source) {
			a.Include, last.Override = names(11, "A", "B"), on(21, true)
		}, []string{"A=/a:A required_missing", "B=/a:B"}},
		"missing in both": {[]string{"B", "C"}, func(_ *reads, a, last *config.Source) {
			a.Include, last.Override, last.Include = names(11, "A"), on(21, true), names(22, "A")
		}, []string{"A=/a:A required_missing"}},
		"an override that leaves it out": {[]string{"A", "A"}, func(_ *reads, _, last *config.Source) {
			last.Override, last.Exclude = on(21, true), names(22, "A")
		}, []string{"A=/a:A"}},
		"imports": {[]string{"A"}, func(r *reads, a, _ *config.Source) {
			imports(r, "A", "B", "C", "D")
			a.Exclude, a.Rename = names(1, "C"), rename(2, "D", "E")
		}, []string{"A=/a:A", "B=/shared:B", "E=/shared:D"}},
		"no imports":                             {[]string{"A"}, func(r *reads, a, _ *config.Source) { imports(r, "B"); a.IncludeImports = on(1, false) }, []string{"A=/a:A"}},
		"an own secret over an import, left out": {[]string{"A B"}, func(r *reads, a, _ *config.Source) { imports(r, "A"); a.Exclude = names(1, "A") }, []string{"B=/a:B"}},
		"required and there":                     {[]string{"A B"}, func(_ *reads, a, _ *config.Source) { a.Include = names(1, "A") }, []string{"A=/a:A"}},
		"required and missing":                   {[]string{"B"}, func(_ *reads, a, _ *config.Source) { a.Include = names(1, "A", "B") }, []string{"A=/a:A required_missing", "B=/a:B"}},
		"to rename and missing":                  {[]string{"B"}, func(_ *reads, a, _ *config.Source) { a.Rename = rename(1, "A", "Z") }, []string{"B=/a:B", "Z=/a:A required_missing"}},
		"required and imported":                  {[]string{"B"}, func(r *reads, a, _ *config.Source) { imports(r, "A"); a.Include = names(1, "A") }, []string{"A=/shared:A"}},
		"required, not imported": {[]string{"B"}, func(r *reads, a, _ *config.Source) {
			imports(r, "A")
			a.Include, a.IncludeImports = names(1, "A"), on(2, false)
		}, []string{"A=/a:A required_missing"}},
		"required and illegal": {[]string{"B"}, func(_ *reads, a, _ *config.Source) { a.Include = names(1, "A-B") }, []string{"A-B=/a:A-B required_missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReads(test.folders...)
			test.change(r, r.sync.Sources[0], r.sync.Sources[len(r.sync.Sources)-1])
			got, _ := r.wants()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A required name that is missing is refused at its entry, with the name that was
// meant and what the read could not prove.
func TestMissingNames(t *testing.T) {
	t.Parallel()
	doubt := func(kind providers.DoubtKind) func(*reads) {
		return func(r *reads) { r.first().Doubts = []providers.Doubt{{Kind: kind, Detail: "Not all is proven."}} }
	}
	const unproven = "; what dev:/a holds is not proven, so it may be there all the same"
	for name, test := range map[string]struct {
		folder string
		change func(*reads)
		want   string
	}{
		"alone":                  {"X", func(*reads) {}, "there is no DATABASE_URL"},
		"one letter":             {"X DATABASE_URI", func(*reads) {}, "there is no DATABASE_URL (did you mean DATABASE_URI?)"},
		"the nearest":            {"DATABSE_RL DATABASEURL", func(*reads) {}, "there is no DATABASE_URL (did you mean DATABASEURL?)"},
		"a listing with a doubt": {"X", doubt(providers.DoubtIncomplete), "there is no DATABASE_URL" + unproven},
		"an import with a doubt": {"X", doubt(providers.DoubtImports), "there is no DATABASE_URL" + unproven},
		"an empty folder":        {"", func(*reads) {}, "there is no DATABASE_URL" + unproven},
		"one that may be empty":  {"", func(r *reads) { r.sync.Options.AllowEmpty = on(1, true) }, "there is no DATABASE_URL"},
		"imports that do not count": {"X", func(r *reads) {
			doubt(providers.DoubtImports)(r)
			r.sync.Sources[0].IncludeImports = on(1, false)
		}, "there is no DATABASE_URL"},
	} {
		r := newReads(test.folder)
		r.sync.Sources[0].Include = append(names(12, "DATABASE_URL"), on(13, "*"))
		test.change(r)
		_, all := r.wants()
		i := slices.IndexFunc(all, func(w *Want) bool { return w.Block == verdict.RequiredMissing })
		if i < 0 || all[i].Detail != test.want || all[i].Range.Start.Line != 12 || all[i].SecretID != "" {
			t.Errorf("%s: got %+v, want %q", name, all, test.want)
		}
	}
}

// A key that two sources of one sync give names the places of both, the entry of
// rename where one has it.
func TestDuplicateNamesBothPlaces(t *testing.T) {
	t.Parallel()
	r := newReads("A", "B")
	r.sync.Sources[1].Rename = map[string]config.Located[string]{"B": on(23, "A")}
	_, all := r.wants()
	want := []string{"A of dev:/a (main.sync.hcl:10) and B of dev:/b (main.sync.hcl:23) both give it", "B of dev:/b (main.sync.hcl:23) and A of dev:/a (main.sync.hcl:10) both give it"}
	if got := []string{all[0].Detail, all[1].Detail}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
