package providertest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// at returns a folder of environment "dev" that only one test uses.
func at(path string) providers.Folder {
	return providers.Folder{Environment: "dev", Path: "/conformance/" + path}
}

// Imports are in the order in which they were made, in the list and in the answer
// about them alone.
func sourceImportOrder(t *testing.T, f SourceFixture) {
	want := []providers.Folder{at("order/zed"), at("order/alpha"), at("order/empty")}
	f.Put(want[0], map[string]string{"A": "1"})
	f.Put(want[1], map[string]string{"A": "2"})
	f.Put(want[2], nil)
	f.Put(at("order"), map[string]string{"B": "1"}, want...)
	source := f.Source()
	got, err := source.Imports(t.Context(), at("order"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var blocks []providers.Folder
	listing := list(t, source, at("order"))
	for _, b := range listing.Imports {
		blocks = append(blocks, b.Folder)
	}
	if diff := cmp.Diff(want, blocks); diff != "" {
		t.Errorf("blocks: %s", diff)
	}
	if listing.Shifted {
		t.Error("the blocks count as shifted, and every import has its folder")
	}
	f.Put(want[2], nil)
	if got, err := source.Imports(t.Context(), want[2]); err != nil || len(got) != 0 {
		t.Errorf("a folder without imports has %v, %v", got, err)
	}
}

// A source says whether lines are put into quotes, or that it does not know.
func sourceLines(t *testing.T, f SourceFixture) {
	f.Put(folder, map[string]string{"KEPT": "a\nb", "QUOTED": "a\nb"})
	f.Quote(folder, "QUOTED")
	got := list(t, f.Source(), folder).Secrets
	if len(got) != 2 {
		t.Fatalf("%d secrets, want 2", len(got))
	}
	known := got[0].Lines == providers.LinesKept && got[1].Lines == providers.LinesQuoted
	if !known && (got[0].Lines != providers.LinesUnknown || got[1].Lines != providers.LinesUnknown) {
		t.Errorf("lines are %d and %d", got[0].Lines, got[1].Lines)
	}
	for _, s := range got { // the value itself is as it was stored
		if !s.Value.Equal(secret.New("a\nb")) {
			t.Errorf("%s does not have the bytes that were stored", s.Name)
		}
	}
}

// What is read again is what is there by then, changed or not.
func sourceAgain(t *testing.T, f SourceFixture) {
	f.Put(shared, map[string]string{"S": "1"})
	f.Put(folder, map[string]string{"A": "1", "B": "1"}, shared)
	source := f.Source()
	first, second := list(t, source, folder), list(t, source, folder)
	if second.ReadAt.Before(first.ReadAt) {
		t.Errorf("read at %v, then at %v", first.ReadAt, second.ReadAt)
	}
	same := cmp.Comparer(func(a, b secret.Value) bool { return a.Equal(b) })
	first.Secrets[0].Name, first.Imports[0].Names[0] = "MINE", "MINE" // an answer belongs to its caller
	second.ReadAt = first.ReadAt
	third := list(t, source, folder)
	third.ReadAt = first.ReadAt
	if diff := cmp.Diff(second, third, same); diff != "" {
		t.Errorf("nothing changed, but: %s", diff)
	}
	f.Put(folder, map[string]string{"A": "2"}, shared)
	changed := list(t, source, folder)
	if len(changed.Secrets) != 1 || !changed.Secrets[0].Value.Equal(secret.New("2")) {
		t.Errorf("%d secrets %v, want the changed one", len(changed.Secrets), names(changed))
	}
}

// paths returns the folders of a tree with the names in each.
func paths(l providers.TreeListing) map[string][]string {
	out := map[string][]string{}
	for _, f := range l.Folders {
		for _, s := range f.Secrets {
			out[f.Folder.Path] = append(out[f.Folder.Path], s.Name)
		}
	}
	return out
}

func sourceTree(t *testing.T, f SourceFixture) {
	root := at("tree")
	f.Put(at("tree-beside"), map[string]string{"BESIDE": "1"})
	f.Put(at("tree"), map[string]string{"B": "1", "A": "1"})
	f.Put(at("tree/sub"), map[string]string{"A": "2"})
	f.Put(at("tree/empty"), nil)
	f.Put(at("tree/sub/deep"), map[string]string{"C": "3"})
	source := f.Source()
	got, err := source.ListTree(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{root.Path: {"A", "B"}, root.Path + "/sub": {"A"}, root.Path + "/sub/deep": {"C"}}
	if diff := cmp.Diff(want, paths(got)); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSortedFunc(got.Folders, func(a, b providers.FolderSecrets) int {
		return slices.Compare([]byte(a.Folder.Path), []byte(b.Folder.Path))
	}) {
		t.Error("the folders are not sorted")
	}
	if got.Imports || got.ReadAt.IsZero() || len(got.Doubts) != 0 {
		t.Errorf("imports %v, read at %v, doubts %v", got.Imports, got.ReadAt, got.Doubts)
	}
	folders, err := source.Folders(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]providers.Folder{root, at("tree/empty"), at("tree/sub"), at("tree/sub/deep")}, folders); diff != "" {
		t.Errorf("folders: %s", diff)
	}
	f.Put(at("tree/sub"), map[string]string{"A": "2"}, at("tree-beside"))
	if got, err := source.ListTree(t.Context(), root); err != nil || !got.Imports {
		t.Errorf("imports %v, %v, want an import below to be told", got.Imports, err)
	}
	f.Put(at("tree/sub"), map[string]string{"A": "2"})
}

func sourceEmptyTree(t *testing.T, f SourceFixture) {
	f.Put(at("bare"), nil)
	f.Put(at("bare/below"), nil)
	if got, err := f.Source().ListTree(t.Context(), at("bare")); err != nil || len(got.Folders) != 0 {
		t.Errorf("got %v, %v, want an empty tree, proven", paths(got), err)
	}
}

// Only the folder's own secrets count, and case does.
func sourceHas(t *testing.T, f SourceFixture) {
	f.Put(shared, map[string]string{"IMPORTED": "1"})
	f.Put(folder, map[string]string{"OWN": "1", "EMPTY": ""}, shared)
	source := f.Source()
	for name, want := range map[string]bool{"OWN": true, "EMPTY": true, "IMPORTED": false, "NONE": false, "own": false} {
		if got, err := source.Has(t.Context(), folder, name); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
}

func sourceProve(t *testing.T, f SourceFixture) {
	f.Put(folder, map[string]string{"A": "1"})
	f.Put(at("bare"), nil)
	for _, folder := range []providers.Folder{folder, at("bare")} {
		if err := f.Source().Prove(t.Context(), folder); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
}
