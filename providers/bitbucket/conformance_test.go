package bitbucket_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/bitbucket"
	"github.com/hanzoai/kmsync/providers/providertest"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
	"github.com/hanzoai/kmsync/providers/secret"
)

const (
	workspace  = "my-bitbucket-workspace"
	repository = "my-bitbucket-repository"
)

func emulator(t *testing.T, switches world.Switches) *sandbox.Server {
	t.Helper()
	w := world.Default()
	w.Bitbucket.Switches = switches
	server, err := sandbox.Start(t.Context(), sandbox.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func text(s string) func() (secret.Value, error) {
	return func() (secret.Value, error) { return secret.New(s), nil }
}

func client(t *testing.T, server *sandbox.Server, credentials bitbucket.Credentials) *bitbucket.Client {
	t.Helper()
	c, err := bitbucket.New(bitbucket.Options{
		Address: server.Address(), Credentials: credentials, Now: time.Now, UserAgent: "kmsync/test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bearer(server *sandbox.Server) bitbucket.Credentials {
	return bitbucket.Credentials{AccessToken: text(server.Credentials().AccessToken)}
}

// The suite holds on the plain service and with each way in which it has been
// seen to differ.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]world.Switches{
		"plain":        {},
		"stuck next":   {StuckNext: true},
		"lean errors":  {LeanErrors: true},
		"no type":      {NoType: true},
		"limits":       {Burst429: &world.Burst{Every: 5, Form: world.BurstRetryAfter}},
		"limits plain": {Burst429: &world.Burst{Every: 5, Form: world.BurstPlain}},
		"limits 403":   {Burst429: &world.Burst{Every: 5, Form: world.Burst403}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Destination(t, func(t *testing.T) providertest.DestinationFixture {
				server := emulator(t, switches)
				return providertest.DestinationFixture{
					Client: client(t, server, bearer(server)), Workspace: workspace, Repository: repository, Environment: "Staging",
				}
			})
		})
	}
}

func TestBasicCredential(t *testing.T) {
	t.Parallel()
	server := emulator(t, world.Switches{})
	made := server.Credentials()
	c := client(t, server, bitbucket.Credentials{Email: text(made.Email), APIToken: text(made.APIToken)})
	if _, err := c.Repository(t.Context(), workspace, repository); err != nil {
		t.Error(err)
	}
	c = client(t, server, bitbucket.Credentials{Email: text(made.Email), APIToken: text("wrong")})
	if _, err := c.Repository(t.Context(), workspace, repository); providers.KindOf(err) != providers.KindUnauthenticated {
		t.Errorf("with a wrong token: %v", err)
	}
}

// Whatever fault meets a write, the client says done, not done or in doubt, and
// says it truly: the journal of the emulator decides.
func TestEveryFaultOfAWrite(t *testing.T) {
	t.Parallel()
	scope := providers.Scope{Workspace: workspace, Repository: repository}
	for _, kind := range []string{
		world.FaultStatus, world.FaultDropBefore, world.FaultDropAfter, world.FaultTruncate,
		world.FaultSlow, world.FaultHTML, world.FaultRedirect,
	} {
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			name := fmt.Sprint(kind, " of ", method)
			server := emulator(t, world.Switches{})
			c := client(t, server, bearer(server))
			a := providers.Assignment{Key: "KEY", Value: secret.New("v"), Secured: true}
			var uuid string
			if method != "POST" {
				v, err := c.Create(t.Context(), scope, a)
				if err != nil {
					t.Fatal(err)
				}
				uuid = v.UUID
			}
			before, effects := server.Total(), len(server.Journal())
			if err := server.Inject(world.Fault{Kind: kind, Method: method, Times: 1}); err != nil {
				t.Fatal(err)
			}
			var err error
			switch method {
			case "POST":
				_, err = c.Create(t.Context(), scope, a)
			case "PUT":
				_, err = c.Update(t.Context(), scope, uuid, a)
			case "DELETE":
				err = c.Delete(t.Context(), scope, uuid, time.Time{})
			}
			done := len(server.Journal()) - effects
			if err == nil && done == 0 {
				t.Errorf("%s: done, says the client, and nothing was", name)
			}
			if err != nil && done > 0 && !providers.InDoubt(err) {
				t.Errorf("%s: it was done, and %v is not in doubt", name, err)
			}
			if method == "DELETE" && done > 1 {
				t.Errorf("%s: deleted %d times", name, done)
			}
			if n := server.Total() - before; method == "POST" && n != 1 {
				t.Errorf("%s: sent %d times", name, n)
			}
			if foreign := kind == world.FaultHTML || kind == world.FaultRedirect; method != "POST" && (err == nil) == foreign {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A repository without Pipelines has no list, which is an error that says why; it
// is there all the same.
func TestPipelinesOff(t *testing.T) {
	t.Parallel()
	w := world.Default()
	for i := range w.Bitbucket.Workspaces {
		if ws := &w.Bitbucket.Workspaces[i]; ws.Slug == workspace {
			ws.Repositories[0].PipelinesOff = true
		}
	}
	server, err := sandbox.Start(t.Context(), sandbox.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	c := client(t, server, bearer(server))
	if found, err := c.Repository(t.Context(), workspace, repository); err != nil || found.UUID == "" {
		t.Errorf("repository %+v, %v", found, err)
	}
	if found, err := c.Environments(t.Context(), workspace, repository); err != nil || len(found) != 0 {
		t.Errorf("environments %+v, %v", found, err)
	}
	_, err = c.Variables(t.Context(), providers.Scope{Workspace: workspace, Repository: repository})
	if providers.KindOf(err) != providers.KindInvalid || !strings.Contains(err.Error(), "Pipelines was never switched on for it; switch it on") {
		t.Errorf("variables: %v", err)
	}
	_, err = c.Variables(t.Context(), providers.Scope{Workspace: workspace, Repository: "nothing"})
	if providers.KindOf(err) != providers.KindNotFound || strings.Contains(err.Error(), "switch it on") {
		t.Errorf("variables of a repository that is not there: %v", err)
	}
}

// A limit that lasts for the hour ends in an error after a few tries, and not in
// doubt about what was written.
func TestHourLimit(t *testing.T) {
	t.Parallel()
	server := emulator(t, world.Switches{HourLimit: 2})
	c := client(t, server, bearer(server))
	scope := providers.Scope{Workspace: workspace, Repository: repository}
	for range 2 {
		if _, err := c.Variables(t.Context(), scope); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Create(t.Context(), scope, providers.Assignment{Key: "A", Value: secret.New("v"), Secured: true})
	if providers.KindOf(err) != providers.KindRateLimited || providers.InDoubt(err) {
		t.Errorf("got %v", err)
	}
	if effects := server.Journal(); len(effects) != 0 {
		t.Errorf("effects %v", effects)
	}
}
