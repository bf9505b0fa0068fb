package providertest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// ReadWriter is a client of a destination, with both halves of the contract.
type ReadWriter interface {
	providers.Reader
	providers.Writer
}

// DestinationFixture is one repository without variables of its own, that has a
// deployment environment without variables, in a workspace without variables.
type DestinationFixture struct {
	Client                ReadWriter
	Workspace, Repository string
	Environment           string // name of the deployment environment
}

// Destination runs the suite for a [providers.Reader] and [providers.Writer].
// Tests about variables run for the repository, for its environment and for the
// workspace.
func Destination(t *testing.T, factory func(t *testing.T) DestinationFixture) {
	t.Run("workspace", func(t *testing.T) { destinationWorkspace(t, factory(t)) })
	t.Run("repository", func(t *testing.T) { destinationRepository(t, factory(t)) })
	t.Run("environments", func(t *testing.T) { destinationEnvironments(t, factory(t)) })
	t.Run("scopes are apart", func(t *testing.T) { destinationScopes(t, factory(t)) })
	for name, test := range map[string]func(*testing.T, ReadWriter, providers.Scope){
		"create":    destinationCreate,
		"update":    destinationUpdate,
		"delete":    destinationDelete,
		"refusals":  destinationRefusals,
		"pages":     destinationPages,
		"cancelled": destinationCancelled,
	} {
		t.Run(name+" in repository", func(t *testing.T) {
			f := factory(t)
			test(t, f.Client, providers.Scope{Workspace: f.Workspace, Repository: f.Repository})
		})
		t.Run(name+" in environment", func(t *testing.T) {
			f := factory(t)
			test(t, f.Client, f.environment(t))
		})
		t.Run(name+" in workspace", func(t *testing.T) {
			f := factory(t)
			test(t, f.Client, providers.Scope{Workspace: f.Workspace})
		})
	}
}

var braced = regexp.MustCompile(`^\{[0-9a-fA-F-]{36}\}$`)

// environment returns the scope of the fixture's deployment environment.
func (f DestinationFixture) environment(t *testing.T) providers.Scope {
	t.Helper()
	all, err := f.Client.Environments(t.Context(), f.Workspace, f.Repository)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(e providers.Environment) bool { return e.Name == f.Environment })
	if i < 0 {
		t.Fatalf("environment %q is not among %v", f.Environment, all)
	}
	return providers.Scope{Workspace: f.Workspace, Repository: f.Repository, Environment: all[i].UUID}
}

func destinationWorkspace(t *testing.T, f DestinationFixture) {
	bySlug, err := f.Client.Workspace(t.Context(), f.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	if !braced.MatchString(bySlug.UUID) {
		t.Errorf("UUID is %q, want one with braces", bySlug.UUID)
	}
	byUUID, err := f.Client.Workspace(t.Context(), bySlug.UUID)
	if err != nil || byUUID != bySlug {
		t.Errorf("asked by UUID: %v, %v", byUUID, err)
	}
	_, err = f.Client.Workspace(t.Context(), "kmsync-conformance-nowhere")
	fails(t, err, providers.KindNotFound)
	_, err = f.Client.Variables(t.Context(), providers.Scope{Workspace: "kmsync-conformance-nowhere"})
	fails(t, err, providers.KindNotFound)
}

func destinationRepository(t *testing.T, f DestinationFixture) {
	bySlug, err := f.Client.Repository(t.Context(), f.Workspace, f.Repository)
	if err != nil {
		t.Fatal(err)
	}
	if !braced.MatchString(bySlug.UUID) {
		t.Errorf("UUID is %q, want one with braces", bySlug.UUID)
	}
	byUUID, err := f.Client.Repository(t.Context(), f.Workspace, bySlug.UUID)
	if err != nil || byUUID != bySlug {
		t.Errorf("asked by UUID: %v, %v", byUUID, err)
	}
	_, err = f.Client.Repository(t.Context(), f.Workspace, "kmsync-conformance-nowhere")
	fails(t, err, providers.KindNotFound)
}

func destinationEnvironments(t *testing.T, f DestinationFixture) {
	if scope := f.environment(t); !braced.MatchString(scope.Environment) {
		t.Errorf("UUID is %q, want one with braces", scope.Environment)
	}
	_, err := f.Client.Environments(t.Context(), f.Workspace, "kmsync-conformance-nowhere")
	fails(t, err, providers.KindNotFound)
}

func variables(t *testing.T, c ReadWriter, scope providers.Scope) []providers.Variable {
	t.Helper()
	got, err := c.Variables(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	if got.ReadAt.IsZero() || len(got.Doubts) != 0 {
		t.Errorf("read at %v with doubts %v", got.ReadAt, got.Doubts)
	}
	return got.Variables
}

func create(t *testing.T, c ReadWriter, scope providers.Scope, key, value string, secured bool) providers.Variable {
	t.Helper()
	v, err := c.Create(t.Context(), scope, providers.Assignment{Key: key, Value: secret.New(value), Secured: secured})
	if err != nil {
		t.Fatal(err)
	}
	check(t, v, v.UUID, key, value, secured)
	return v
}

// check compares a variable with what was written: a secured value shows to
// nobody.
func check(t *testing.T, v providers.Variable, uuid, key, value string, secured bool) {
	t.Helper()
	if !braced.MatchString(v.UUID) || v.UUID != uuid || v.Key != key || v.Secured != secured {
		t.Errorf("got %+v, want %s %s, secured %v", v, uuid, key, secured)
	}
	if secured {
		value = ""
	}
	if !v.Value.Equal(secret.New(value)) {
		t.Errorf("%s: the value is not the one that should show", key)
	}
}

func destinationScopes(t *testing.T, f DestinationFixture) {
	repository := providers.Scope{Workspace: f.Workspace, Repository: f.Repository}
	create(t, f.Client, repository, "KEY", "repository", false)
	environment := f.environment(t)
	if got := variables(t, f.Client, environment); len(got) != 0 {
		t.Errorf("the environment shows %v of the repository", got)
	}
	create(t, f.Client, environment, "KEY", "environment", false)
	workspace := providers.Scope{Workspace: f.Workspace}
	if got := variables(t, f.Client, workspace); len(got) != 0 {
		t.Errorf("the workspace shows %v of the repository", got)
	}
	create(t, f.Client, workspace, "KEY", "workspace", false)
	for value, scope := range map[string]providers.Scope{"repository": repository, "environment": environment, "workspace": workspace} {
		got := variables(t, f.Client, scope)
		if len(got) != 1 || !got[0].Value.Equal(secret.New(value)) {
			t.Errorf("the variable of the %s was touched", value)
		}
	}
}

func destinationCreate(t *testing.T, c ReadWriter, scope providers.Scope) {
	if got := variables(t, c, scope); len(got) != 0 {
		t.Fatalf("the scope is not empty: %v", got)
	}
	plain := create(t, c, scope, "B_PLAIN", `ü "quoted" <&> \`, false)
	hidden := create(t, c, scope, "A_SECURED", "hidden", true)
	got := variables(t, c, scope)
	if len(got) != 2 {
		t.Fatalf("%d variables, want 2", len(got))
	}
	check(t, got[0], hidden.UUID, "A_SECURED", "hidden", true)
	check(t, got[1], plain.UUID, "B_PLAIN", `ü "quoted" <&> \`, false)
}

func destinationUpdate(t *testing.T, c ReadWriter, scope providers.Scope) {
	v := create(t, c, scope, "KEY", "first", false)
	for _, secured := range []bool{false, true, true} {
		value := fmt.Sprintf("now secured=%v", secured)
		got, err := c.Update(t.Context(), scope, v.UUID, providers.Assignment{Key: "KEY", Value: secret.New(value), Secured: secured})
		if err != nil {
			t.Fatal(err)
		}
		check(t, got, v.UUID, "KEY", value, secured)
		all := variables(t, c, scope)
		if len(all) != 1 {
			t.Fatalf("%d variables after an update", len(all))
		}
		check(t, all[0], v.UUID, "KEY", value, secured)
	}
}

func destinationDelete(t *testing.T, c ReadWriter, scope providers.Scope) {
	first := create(t, c, scope, "FIRST", "value", true)
	second := create(t, c, scope, "SECOND", "value", false)
	for range 2 { // the second time it is gone already
		if err := c.Delete(t.Context(), scope, first.UUID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		got := variables(t, c, scope)
		if len(got) != 1 {
			t.Fatalf("%d variables after a delete, want 1", len(got))
		}
		check(t, got[0], second.UUID, "SECOND", "value", false)
	}
	fails(t, c.Delete(t.Context(), scope, "", time.Time{}), providers.KindInvalid)
	fails(t, c.Delete(t.Context(), scope, "SECOND", time.Time{}), providers.KindInvalid)
	nowhere := scope
	nowhere.Workspace = "kmsync-conformance-nowhere"
	err := c.Delete(t.Context(), nowhere, second.UUID, time.Time{})
	fails(t, err, providers.KindNotFound)
	if providers.InDoubt(err) {
		t.Error("a missing workspace is not in doubt")
	}
	fails(t, c.Delete(t.Context(), scope, second.UUID, time.Unix(1, 0)), providers.KindStale)
	if got := variables(t, c, scope); len(got) != 1 {
		t.Errorf("%d variables after refusals, want 1", len(got))
	}
	// The key is free again, and the new variable is another one.
	again := create(t, c, scope, "FIRST", "value", true)
	if again.UUID == first.UUID {
		t.Error("the new variable has the UUID of the one that was deleted")
	}
}

func destinationRefusals(t *testing.T, c ReadWriter, scope providers.Scope) {
	a := providers.Assignment{Key: "KEY", Value: secret.New("second"), Secured: true}
	v := create(t, c, scope, "KEY", "first", false)
	_, err := c.Create(t.Context(), scope, a)
	fails(t, err, providers.KindConflict)
	if providers.InDoubt(err) {
		t.Error("a conflict is not in doubt")
	}
	_, err = c.Update(t.Context(), scope, "{00000000-0000-4000-8000-000000000000}", a)
	fails(t, err, providers.KindNotFound)
	if providers.InDoubt(err) {
		t.Error("a missing variable is not in doubt")
	}
	all := variables(t, c, scope)
	if len(all) != 1 {
		t.Fatalf("%d variables after refusals", len(all))
	}
	check(t, all[0], v.UUID, "KEY", "first", false)
}

func destinationPages(t *testing.T, c ReadWriter, scope providers.Scope) {
	const n = 101 // one more than a page holds
	for i := range n {
		create(t, c, scope, fmt.Sprintf("KEY_%03d", (i*7)%n), "value", i%2 == 0)
	}
	got := variables(t, c, scope)
	if len(got) != n {
		t.Fatalf("%d variables, want %d", len(got), n)
	}
	for i, v := range got {
		if want := fmt.Sprintf("KEY_%03d", i); v.Key != want {
			t.Fatalf("variable %d is %s, want %s: sorted by key", i, v.Key, want)
		}
	}
}

func destinationCancelled(t *testing.T, c ReadWriter, scope providers.Scope) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Create(ctx, scope, providers.Assignment{Key: "KEY", Value: secret.New("v")})
	fails(t, err, providers.KindCanceled)
	v := create(t, c, scope, "KEY", "value", true)
	fails(t, c.Delete(ctx, scope, v.UUID, time.Time{}), providers.KindCanceled)
	if got := variables(t, c, scope); len(got) != 1 {
		t.Error("a write left after the run was cancelled")
	}
}
