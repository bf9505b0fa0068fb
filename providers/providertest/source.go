// Package providertest is the conformance suite of the contract in package
// providers: what every source and every destination must do, whatever is
// behind it. It runs on the emulator in every test run, and can be run on a real
// service by whoever brings a fixture for one.
//
// [Source] and [Destination] are called from a test. Each of their subtests asks
// the factory for a fixture of its own, so that none sees what another wrote.
package providertest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// SourceFixture is one project of a KMS that a test may fill.
type SourceFixture interface {
	// Source returns the source under test, with the right to read everything.
	Source() providers.Source
	// Powerless returns a source whose identity may read some other folder, and
	// nothing in environment "dev" below "/conformance"; nil if there is none.
	Powerless() providers.Source
	// Put makes the folder with exactly these secrets and imports, in that order.
	// A secret that is there with another value gets it as its next version.
	Put(folder providers.Folder, secrets map[string]string, imports ...providers.Folder)
	// Quote has servers put the lines of a secret into quotes (skipMultilineEncoding).
	Quote(folder providers.Folder, name string)
}

var (
	folder = providers.Folder{Environment: "dev", Path: "/conformance/own"}
	shared = providers.Folder{Environment: "dev", Path: "/conformance/shared"}
)

// Source runs the suite for a [providers.Source]. The project must have an
// environment "dev".
func Source(t *testing.T, factory func(t *testing.T) SourceFixture) {
	for name, test := range map[string]func(*testing.T, SourceFixture){
		"own secrets":   sourceOwn,
		"exact bytes":   sourceBytes,
		"empty folder":  sourceEmpty,
		"missing":       sourceMissing,
		"no right":      sourceNoRight,
		"versions":      sourceVersions,
		"imports":       sourceImports,
		"import order":  sourceImportOrder,
		"lines":         sourceLines,
		"asked again":   sourceAgain,
		"tree":          sourceTree,
		"empty tree":    sourceEmptyTree,
		"has":           sourceHas,
		"prove":         sourceProve,
		"many secrets":  sourceMany,
		"cancelled run": sourceCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, factory(t)) })
	}
}

func list(t *testing.T, s providers.Source, f providers.Folder) providers.SourceListing {
	t.Helper()
	got, err := s.List(t.Context(), f)
	if err != nil {
		t.Fatalf("list %s: %v", f, err)
	}
	if got.ReadAt.IsZero() {
		t.Error("the listing does not say when it was read")
	}
	return got
}

func names(l providers.SourceListing) []string {
	var out []string
	for _, s := range l.Secrets {
		out = append(out, s.Name)
	}
	return out
}

// fails checks that err is a [providers.Error] of one of the kinds.
func fails(t *testing.T, err error, kinds ...providers.Kind) {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("got error %v, want a *providers.Error", err)
	}
	if !slices.Contains(kinds, e.Kind) {
		t.Errorf("kind is %s, want one of %v: %v", e.Kind, kinds, e)
	}
	if e.Op == "" {
		t.Errorf("the error does not say what was tried: %v", e)
	}
}

func sourceOwn(t *testing.T, f SourceFixture) {
	f.Put(folder, map[string]string{"ZED": "1", "API_KEY": "2", "MID": ""})
	got := list(t, f.Source(), folder)
	if diff := cmp.Diff([]string{"API_KEY", "MID", "ZED"}, names(got)); diff != "" {
		t.Errorf("names, sorted: %s", diff)
	}
	if len(got.Doubts) != 0 || len(got.Imports) != 0 {
		t.Errorf("doubts %v, imports %v, want neither", got.Doubts, got.Imports)
	}
	ids := map[string]bool{}
	for _, s := range got.Secrets {
		if s.ID == "" || ids[s.ID] || s.Version < 1 || s.Hidden {
			t.Errorf("%s: id %q (known: %v), version %d, hidden %v", s.Name, s.ID, ids[s.ID], s.Version, s.Hidden)
		}
		ids[s.ID] = true
	}
}

// Values come as they are stored, references too.
func sourceBytes(t *testing.T, f SourceFixture) {
	want := map[string]string{
		"REFERENCE": "x${ZED}y${dev.nowhere.K}", "QUOTES": `a"b\c`, "LINES": "one\ntwo", "UNICODE": "ü € 𝄞", "HTML": "<&>\u2028!", "ZED": "z",
	}
	f.Put(folder, want)
	got := list(t, f.Source(), folder)
	if len(got.Secrets) != len(want) {
		t.Fatalf("%d secrets, want %d", len(got.Secrets), len(want))
	}
	for _, s := range got.Secrets {
		if !s.Value.Equal(secret.New(want[s.Name])) {
			t.Errorf("%s does not have the bytes that were stored", s.Name)
		}
	}
}

func sourceEmpty(t *testing.T, f SourceFixture) {
	f.Put(folder, nil)
	if got := list(t, f.Source(), folder); len(got.Secrets) != 0 || len(got.Doubts) != 0 {
		t.Errorf("got %v with doubts %v, want an empty folder, proven", names(got), got.Doubts)
	}
}

func sourceMissing(t *testing.T, f SourceFixture) {
	f.Put(folder, map[string]string{"A": "1"})
	for _, missing := range []providers.Folder{
		{Environment: "dev", Path: "/conformance/nowhere"},
		{Environment: "nowhere", Path: folder.Path},
	} {
		source := f.Source()
		_, err := source.List(t.Context(), missing)
		fails(t, err, providers.KindNotFound)
		_, err = source.ListTree(t.Context(), missing)
		fails(t, err, providers.KindNotFound)
		_, err = source.Imports(t.Context(), missing)
		fails(t, err, providers.KindNotFound)
		fails(t, source.Prove(t.Context(), missing), providers.KindNotFound)
		_, err = source.Has(t.Context(), missing, "A")
		fails(t, err, providers.KindNotFound)
	}
}

// What may not be read is an error, never an empty listing.
func sourceNoRight(t *testing.T, f SourceFixture) {
	source := f.Powerless()
	if source == nil {
		t.Skip("the fixture has no identity without rights")
	}
	f.Put(shared, map[string]string{"B": "2"})
	f.Put(folder, map[string]string{"A": "1"}, shared)
	_, err := source.List(t.Context(), folder)
	fails(t, err, providers.KindForbidden, providers.KindNotFound)
	_, err = source.ListTree(t.Context(), folder)
	fails(t, err, providers.KindForbidden, providers.KindNotFound)
	fails(t, source.Prove(t.Context(), folder), providers.KindForbidden, providers.KindNotFound)
	for _, name := range []string{"A", "NONE"} { // there or not: it may not know
		_, err = source.Has(t.Context(), folder, name)
		fails(t, err, providers.KindForbidden)
	}
}

func sourceVersions(t *testing.T, f SourceFixture) {
	f.Put(folder, map[string]string{"A": "1", "B": "1"})
	before := list(t, f.Source(), folder).Secrets
	f.Put(folder, map[string]string{"A": "2", "B": "1"})
	after := list(t, f.Source(), folder).Secrets
	for i, grown := range []int{1, 0} {
		if after[i].ID != before[i].ID || after[i].Version != before[i].Version+grown {
			t.Errorf("%s: id %s → %s, version %d → %d, want %d more", after[i].Name,
				before[i].ID, after[i].ID, before[i].Version, after[i].Version, grown)
		}
	}
}

func sourceImports(t *testing.T, f SourceFixture) {
	f.Put(shared, map[string]string{"SENTRY": "1", "REGION": "2"})
	f.Put(folder, map[string]string{"A": "1"}, shared)
	got := list(t, f.Source(), folder)
	if diff := cmp.Diff([]string{"A"}, names(got)); diff != "" {
		t.Errorf("own secrets: %s", diff)
	}
	if len(got.Imports) != 1 {
		t.Fatalf("%d imports, want 1", len(got.Imports))
	}
	block := got.Imports[0]
	if block.Folder != shared || block.FolderID == "" || !slices.Equal(block.Names, []string{"REGION", "SENTRY"}) {
		t.Errorf("import is %+v", block)
	}
}

func sourceMany(t *testing.T, f SourceFixture) {
	many := map[string]string{}
	for i := range 250 {
		many["KEY_"+string(rune('A'+i%26))+string(rune('A'+i/26))] = "v"
	}
	f.Put(folder, many)
	got := names(list(t, f.Source(), folder))
	if len(got) != len(many) || !slices.IsSorted(got) {
		t.Errorf("%d names, sorted %v, want %d", len(got), slices.IsSorted(got), len(many))
	}
}

func sourceCancelled(t *testing.T, f SourceFixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	source := f.Source()
	_, err := source.List(ctx, folder)
	fails(t, err, providers.KindCanceled)
	_, err = source.ListTree(ctx, folder)
	fails(t, err, providers.KindCanceled)
	_, err = source.Folders(ctx, folder)
	fails(t, err, providers.KindCanceled)
	_, err = source.Imports(ctx, folder)
	fails(t, err, providers.KindCanceled)
	fails(t, source.Prove(ctx, folder), providers.KindCanceled)
	_, err = source.Has(ctx, folder, "A")
	fails(t, err, providers.KindCanceled)
}
