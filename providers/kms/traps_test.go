package kms_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Each test here is named after something that a server was seen to do and that
// could make a sync write or delete the wrong thing.

var web = providers.Folder{Environment: "dev", Path: "/web"}

func folder(path string) providers.Folder { return providers.Folder{Environment: "dev", Path: path} }

// powerless changes what the second identity may read.
func powerless(access ...world.Access) func(*world.World) {
	return func(w *world.World) { w.KMS.Identities[1].Access = access }
}

// wants checks the kind of an error.
func wants(t *testing.T, err error, kind providers.Kind) *providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != kind {
		t.Fatalf("got %v, want an error of kind %s", err, kind)
	}
	return e
}

func secretNames(l providers.SourceListing) (names []string) {
	for _, s := range l.Secrets {
		names = append(names, s.Name)
	}
	return names
}

func each(t *testing.T, test func(t *testing.T, generation string)) {
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) { t.Parallel(); test(t, generation) })
	}
}

func missingLists(t *testing.T, generation string, at providers.Folder) {
	t.Helper()
	f := emulate(t, generation, nil)
	_, err := f.Source().List(t.Context(), at)
	if e := wants(t, err, providers.KindNotFound); !strings.Contains(e.Hint, "does not exist") {
		t.Errorf("hint is %q", e.Hint)
	}
	_, err = f.Source().ListTree(t.Context(), at)
	wants(t, err, providers.KindNotFound)
}

func TestMissingFolderListsEmpty2024(t *testing.T) {
	t.Parallel()
	missingLists(t, world.Generation2024, folder("/webb"))
}

func TestMissingEnvironmentListsEmpty2024(t *testing.T) {
	t.Parallel()
	missingLists(t, world.Generation2024, providers.Folder{Environment: "Dev", Path: "/web"})
}

func TestMissingFolderAndEnvironmentAreAlike2026(t *testing.T) {
	t.Parallel()
	missingLists(t, world.Generation2026, folder("/webb"))
	missingLists(t, world.Generation2026, providers.Folder{Environment: "Dev", Path: "/web"})
}

// Without the right to read a folder a server of 2026 lists it as empty, and one of
// 2024 answers 401, which is no ended token.
func TestNoRightListsEmptyOrIs401(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, powerless(world.Access{Environment: "dev", Path: "/web"}))
		f.Put(folder("/other"), map[string]string{"A": "canary"}, web)
		c := f.client(1, "demo")
		_, err := c.List(t.Context(), folder("/other"))
		wants(t, err, providers.KindForbidden)
		if n := f.server.Requests()["POST /api/v1/auth/universal-auth/login"]; n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
	})
}

func TestDescribeWithoutReadIs403In2026(t *testing.T) {
	t.Parallel()
	f := emulate(t, world.Generation2026, powerless(world.Access{Environment: "dev", Path: "/web", Describe: true}))
	_, err := f.client(1, "demo").List(t.Context(), web)
	wants(t, err, providers.KindForbidden)
}

func TestRecursionWithoutRightListsEmpty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, powerless(world.Access{Environment: "dev", Path: "/web"}))
		f.Put(folder("/other"), map[string]string{"A": "1"})
		f.Put(folder("/other/sub"), map[string]string{"B": "1"})
		_, err := f.client(1, "demo").ListTree(t.Context(), folder("/other"))
		wants(t, err, providers.KindForbidden)
	})
}

// The folder that was left out is in the list of folders, and not proven.
func TestSubfolderWithoutRightIsLeftOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, powerless(world.Access{Environment: "dev", Path: "/web"}))
		f.Put(folder("/web/hidden"), map[string]string{"B": "1"})
		c := f.client(1, "demo")
		tree, err := c.ListTree(t.Context(), web)
		if err != nil || len(tree.Folders) != 1 || tree.Folders[0].Folder != web {
			t.Fatalf("got %d folders, %v", len(tree.Folders), err)
		}
		folders, err := c.Folders(t.Context(), web)
		if err != nil || !slices.Contains(folders, folder("/web/hidden")) {
			t.Fatalf("folders are %v, %v", folders, err)
		}
		wants(t, c.Prove(t.Context(), folder("/web/hidden")), providers.KindForbidden)
	})
}

// A server of 2024 leaves the block out, one of 2026 what is in it; the list of
// imports names it on both.
func TestImportWithoutRightIsLeftOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, powerless(world.Access{Environment: "dev", Path: "/web"}))
		f.Put(folder("/shared"), map[string]string{"S": "1"})
		f.Put(web, map[string]string{"A": "1"}, folder("/shared"))
		c := f.client(1, "demo")
		got, err := c.List(t.Context(), web)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range got.Imports {
			if len(block.Names) != 0 {
				t.Errorf("the block shows %v", block.Names)
			}
		}
		imports, err := c.Imports(t.Context(), web)
		if diff := cmp.Diff([]providers.Folder{folder("/shared")}, imports); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		wants(t, c.Prove(t.Context(), folder("/shared")), providers.KindForbidden)
	})
}

func TestRightsByNameCutTheList2026(t *testing.T) {
	t.Parallel()
	cutLists(t, world.Access{Environment: "dev", Path: "/web", Names: []string{"SEEN"}})
}

func TestRightsByTagCutTheList2026(t *testing.T) {
	t.Parallel()
	cutLists(t, world.Access{Environment: "dev", Path: "/web", Tags: []string{"seen"}})
}

// cutLists checks that what a right hides is never taken for absent.
func cutLists(t *testing.T, access world.Access) {
	t.Helper()
	f := emulate(t, world.Generation2026, powerless(access))
	f.Put(web, map[string]string{"SEEN": "1", "HIDDEN": "2"})
	f.server.Update(func(w *world.World) {
		w.KMS.Project("demo").Environment("dev").Folder("/web").Secret("SEEN").Tags = []string{"seen"}
	})
	c := f.client(1, "demo")
	got, err := c.List(t.Context(), web)
	if diff := cmp.Diff([]string{"SEEN"}, secretNames(got)); diff != "" || err != nil {
		t.Fatalf("%v %s", err, diff)
	}
	for _, name := range []string{"HIDDEN", "NONE"} {
		_, err := c.Has(t.Context(), web, name)
		wants(t, err, providers.KindForbidden)
	}
	wants(t, c.Prove(t.Context(), web), providers.KindForbidden)
}

// Values are unexpanded, so that no dead reference can have become a blank.
func TestDeadReferenceBecomesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		f.Put(web, map[string]string{"A": "x${NOPE}y", "B": "${dev.nofolder.K}"})
		got, err := f.Source().List(t.Context(), web)
		if err != nil || got.Secrets[0].Value.Reveal() != "x${NOPE}y" || got.Secrets[1].Value.Reveal() != "${dev.nofolder.K}" {
			t.Errorf("values were expanded (%v)", err)
		}
	})
}

// Servers trim what they store. What they answer is taken as it is.
func TestTrimmedValuesAreNotTrimmedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		f.Put(web, map[string]string{"PEM": "line\n"})
		got, err := f.Source().List(t.Context(), web)
		if err != nil || got.Secrets[0].Value.Reveal() != "line\n" {
			t.Errorf("the value lost its end (%v)", err)
		}
	})
}

// Only a server that has no v4 shifts blocks; on the newer one a block without a
// folder is just empty.
func TestDeletedImportShiftsBlocks2024(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		f.Put(folder("/common"), map[string]string{"C": "1"})
		f.Put(web, map[string]string{"A": "1"}, folder("/gone"), folder("/common"))
		got, err := f.Source().List(t.Context(), web)
		if err != nil || len(got.Imports) != 2 {
			t.Fatalf("%d imports, %v", len(got.Imports), err)
		}
		old := generation == world.Generation2024
		if got.Shifted != old {
			t.Errorf("shifted is %v", got.Shifted)
		}
		if wrong := len(got.Imports[0].Names) == 1; wrong != old {
			t.Errorf("the deleted folder brings %v", got.Imports[0].Names)
		}
	})
}

func TestRandomOrder2024(t *testing.T) {
	t.Parallel()
	f := emulate(t, world.Generation2024, nil)
	many := map[string]string{}
	for _, name := range strings.Split("Q W E R T Z U I O P A S D F G", " ") {
		many[name] = "1"
	}
	f.Put(web, many)
	got, err := f.Source().List(t.Context(), web)
	if names := secretNames(got); err != nil || len(names) != len(many) || !slices.IsSorted(names) {
		t.Errorf("names are %v, %v", names, err)
	}
}

// A name that is too long is answered like a route that does not exist, which must
// neither prove it absent nor the server old.
func TestLongNameIsNoMissingRoute(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.client(0, "demo")
		_, err := c.Has(t.Context(), web, strings.Repeat("N", 101))
		wants(t, err, providers.KindUnsupported)
		if n := f.server.Total(); n != 0 {
			t.Errorf("%d requests, want none", n)
		}
		if has, err := c.Has(t.Context(), web, strings.Repeat("N", 100)); err != nil || has {
			t.Errorf("a name of 100 characters: %v, %v", has, err)
		}
	})
}

func TestMissingParentListsNoFolders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.client(0, "demo")
		if got, err := c.Folders(t.Context(), folder("/nowhere")); err != nil || len(got) != 1 { // the caller's own
			t.Errorf("got %v, %v", got, err)
		}
		_, err := c.Folders(t.Context(), providers.Folder{Environment: "nowhere", Path: "/"})
		wants(t, err, providers.KindNotFound)
	})
}

func TestFoldersOfTheRoot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		f.Put(folder("/web/a/b"), nil)
		got, err := f.client(0, "demo").Folders(t.Context(), folder("/"))
		want := []providers.Folder{folder("/"), web, folder("/web/a"), folder("/web/a/b")}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestIdentityOutsideOfTheProject(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, func(w *world.World) { w.KMS.Identities[1].Projects = []string{"my-project"} })
		for _, project := range []string{"demo", f.world.KMS.Project("demo").ID} {
			_, err := f.client(1, project).List(t.Context(), web)
			if e := wants(t, err, providers.KindForbidden); !strings.Contains(e.Hint, "not a member") {
				t.Errorf("hint is %q", e.Hint)
			}
		}
	})
}

// The id in capitals is 400 or 404, so it is sent in lower case.
func TestProjectNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		id := f.world.KMS.Project("demo").ID
		for project, found := range map[string]bool{
			"demo": true, id: true, strings.ToUpper(id): true, "demos": false, "00000000-0000-4000-8000-000000000000": false,
		} {
			_, err := f.client(0, project).List(t.Context(), web)
			if found && err != nil {
				t.Errorf("%s: %v", project, err)
			}
			if found {
				continue
			}
			if e := wants(t, err, providers.KindNotFound); !strings.Contains(e.Hint, "No project") {
				t.Errorf("%s: hint is %q", project, e.Hint)
			}
		}
	})
}

// A project that is gone is not a secret that is gone.
func TestMissingProjectIsNoAbsence(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.client(0, "00000000-0000-4000-8000-000000000000")
		_, err := c.Has(t.Context(), web, "A")
		wants(t, err, providers.KindNotFound)
		wants(t, c.Prove(t.Context(), web), providers.KindNotFound)
	})
}

func TestMessageAsObject(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.client(0, "demo")
		if _, err := c.List(t.Context(), web); err != nil {
			t.Fatal(err)
		}
		f.server.Update(func(w *world.World) { w.KMS.Switches.MessageObject = true })
		if has, err := c.Has(t.Context(), folder("/webb"), "A"); err == nil {
			t.Errorf("has is %v without an error", has)
		}
	})
}

// Forty lists that start at once cost one failed call on a server without v4.
func TestOneFailedCallFindsTheOldServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		for _, project := range []string{"demo", f.world.KMS.Project("demo").ID} {
			f.server.ResetRequests()
			c := f.client(0, project)
			var group sync.WaitGroup
			for i := range 40 {
				group.Go(func() {
					source := c
					if i%2 == 1 {
						source = c.Project(project) // shares what is known of the server
					}
					if _, err := source.List(t.Context(), web); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			got := f.server.Requests()
			failed := got["GET /api/v4/secrets"] + got["GET /api/v1/projects/slug/{slug}"]
			lists, raws := 40, 0
			if generation == world.Generation2024 {
				lists, raws = 0, 40
				if failed != 1 {
					t.Errorf("%s: %d calls failed: %v", project, failed, got)
				}
			} else if got["GET /api/v4/secrets"] != lists {
				t.Errorf("%s: %v", project, got)
			}
			if got["GET /api/v3/secrets/raw"] != raws {
				t.Errorf("%s: %v", project, got)
			}
		}
	})
}

// What was listed before is asked for with its tag; an answer without a change costs
// no body and has a time of its own.
func TestUnchangedListsAreKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		c := f.client(0, "demo")
		lists := func() (providers.SourceListing, providers.TreeListing) {
			t.Helper()
			a, err := c.List(t.Context(), web)
			b, err2 := c.ListTree(t.Context(), web)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			return a, b
		}
		lists()
		f.pass(time.Minute)
		list, tree := lists()
		if !list.ReadAt.Equal(f.now()) || !tree.ReadAt.Equal(f.now()) || len(list.Secrets) != 4 || len(tree.Folders[0].Secrets) != 4 {
			t.Errorf("read at %v and %v, %d and %d", list.ReadAt, tree.ReadAt, len(list.Secrets), len(tree.Folders))
		}
		f.Put(web, map[string]string{"NEW": "1"})
		if list, tree = lists(); len(list.Secrets) != 1 || len(tree.Folders[0].Secrets) != 1 {
			t.Errorf("%v after the change", secretNames(list))
		}
	})
}

// A right that was taken away meanwhile is noticed although the answer is the same.
func TestKeptEmptyListIsProvenAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, nil)
		f.Put(folder("/bare"), nil)
		c := f.client(0, "demo")
		for range 2 {
			if _, err := c.List(t.Context(), folder("/bare")); err != nil {
				t.Fatal(err)
			}
		}
		f.server.Update(func(w *world.World) {
			w.KMS.Identities[0].Access = []world.Access{{Environment: "dev", Path: "/web"}}
		})
		_, err := c.List(t.Context(), folder("/bare"))
		wants(t, err, providers.KindForbidden)
	})
}

// A limit is waited for, by the clock of the headers, and never run into.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, generation string) {
		f := emulate(t, generation, func(w *world.World) { w.KMS.Switches.RateLimit = 3 })
		c := f.client(0, f.world.KMS.Project("demo").ID)
		begun := f.now()
		for range 7 {
			if _, err := c.List(t.Context(), web); err != nil {
				t.Fatal(err)
			}
		}
		if waited := f.now().Sub(begun); waited != 2*time.Minute {
			t.Errorf("waited %v, want two windows", waited)
		}
		got := f.server.Requests()
		if n := got["GET /api/v4/secrets"] + got["GET /api/v3/secrets/raw"]; n != 7 && (generation == world.Generation2026 || n != 8) {
			t.Errorf("%v, want no request that was refused", got)
		}
	})
}
