package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// effectsCommand is "effects": prints the effects on Bitbucket since the last call,
// with their place, in the order in which they came about.
func effectsCommand(ts *testscript.TestScript, _ bool, _ []string) {
	s := stageOf(ts)
	all := s.server.Journal()
	var lines strings.Builder
	for _, e := range all[s.effects:] {
		place, key := e.Workspace, e.Key
		if e.Repository != "" {
			place += "/" + e.Repository
		}
		if e.Environment != "" {
			place += " (" + e.Environment + ")"
		}
		if e.OldKey != "" {
			key = e.OldKey + " → " + e.Key
		}
		fmt.Fprintf(&lines, "%s: %s %s\n", place, e.Action, key)
	}
	s.effects = len(all)
	_, _ = fmt.Fprint(ts.Stdout(), lines.String())
}

// renameCommand is "rename REPOSITORY NAME": gives a repository of workspace acme
// another name, as its settings do.
func renameCommand(ts *testscript.TestScript, _ bool, args []string) {
	changeRepository(ts, args[0], func(r *world.Repository) { r.Slug = args[1] })
}

// recreateCommand is "recreate REPOSITORY": deletes a repository of workspace acme and
// makes it again under its name, empty.
func recreateCommand(ts *testscript.TestScript, _ bool, args []string) {
	changeRepository(ts, args[0], func(r *world.Repository) {
		r.UUID, r.Variables = anyUUID(), nil
		for i := range r.Environments {
			r.Environments[i].UUID, r.Environments[i].Variables = anyUUID(), nil
		}
	})
}

func changeRepository(ts *testscript.TestScript, name string, change func(*world.Repository)) {
	stageOf(ts).server.Update(func(w *world.World) {
		r := w.Bitbucket.Workspace("acme").Repository(name)
		if r == nil {
			ts.Fatalf("no repository %s", name)
		}
		change(r)
	})
}

func anyUUID() string { return fmt.Sprintf("{%08x-0000-4000-8000-000000000000}", rand.Uint32()) }
