package kms_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/kms"
	"github.com/hanzoai/kmsync/providers/providertest"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
	"github.com/hanzoai/kmsync/providers/secret"
)

type fixture struct {
	t      *testing.T
	server *sandbox.Server
	world  *world.World
}

func emulator(t *testing.T) *fixture {
	t.Helper()
	w := world.Default()
	w.KMS.Identities = append(w.KMS.Identities, world.Identity{
		ClientID: "powerless", ClientSecret: "powerless-secret",
		Access: []world.Access{{Environment: "dev", Path: "/web"}},
	})
	server, err := sandbox.Start(t.Context(), sandbox.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return &fixture{t: t, server: server, world: w}
}

func (f *fixture) client(i int, project string) *kms.Client {
	f.t.Helper()
	who := f.world.KMS.Identities[i]
	c, err := kms.New(kms.Options{
		Address: f.server.Address(), Project: project, Now: time.Now, UserAgent: "kmsync/test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Credentials: kms.Credentials{
			ClientID:     func() (secret.Value, error) { return secret.New(who.ClientID), nil },
			ClientSecret: func() (secret.Value, error) { return secret.New(who.ClientSecret), nil },
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fixture) Source() providers.Source    { return f.client(0, "demo") }
func (f *fixture) Powerless() providers.Source { return f.client(1, "demo") }

func (f *fixture) Put(folder providers.Folder, secrets map[string]string, imports ...providers.Folder) {
	f.server.Update(func(w *world.World) {
		env := w.KMS.Project("demo").Environment(folder.Environment)
		i := slices.IndexFunc(env.Folders, func(x world.Folder) bool { return x.Path == folder.Path })
		if i < 0 {
			env.Folders = append(env.Folders, world.Folder{Path: folder.Path, Secrets: []world.Secret{}})
			i = len(env.Folders) - 1
		}
		at := &env.Folders[i]
		at.Secrets = slices.DeleteFunc(at.Secrets, func(s world.Secret) bool { _, kept := secrets[s.Key]; return !kept })
		for key, value := range secrets {
			if s := at.Secret(key); s != nil {
				s.Value = value
			} else {
				at.Secrets = append(at.Secrets, world.Secret{Key: key, Value: value})
			}
		}
		at.Imports = nil
		for _, from := range imports {
			at.Imports = append(at.Imports, world.Import{Environment: from.Environment, Path: from.Path})
		}
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Source(t, func(t *testing.T) providertest.SourceFixture { return emulator(t) })
}

func TestRequestsOfARun(t *testing.T) {
	t.Parallel()
	f := emulator(t)
	c := f.client(0, "demo")
	for range 3 {
		if _, err := c.List(t.Context(), providers.Folder{Environment: "dev", Path: "/web"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.server.Total(); got != 5 || c.Requests() != 5 { // login, project, three lists
		t.Errorf("emulator counted %d requests, client %d, want 5: %v", got, c.Requests(), f.server.Requests())
	}
}

// Every single fault of the emulator, at every request of a listing, ends in the
// listing or in an error; nothing in between.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{
		world.FaultStatus, world.FaultDropBefore, world.FaultDropAfter, world.FaultTruncate,
		world.FaultSlow, world.FaultHTML, world.FaultRedirect,
	} {
		for skip := range 3 {
			f := emulator(t)
			if err := f.server.Inject(world.Fault{Kind: kind, Times: 1, Skip: skip}); err != nil {
				t.Fatal(err)
			}
			got, err := f.client(0, "demo").List(t.Context(), providers.Folder{Environment: "dev", Path: "/web"})
			passes := kind != world.FaultHTML && kind != world.FaultRedirect
			if passes && (err != nil || len(got.Secrets) != 4) {
				t.Errorf("%s at request %d: %d secrets, %v", kind, skip+1, len(got.Secrets), err)
			}
			if !passes && providers.KindOf(err) != providers.KindForeign {
				t.Errorf("%s at request %d: %v, want a foreign answer", kind, skip+1, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret-") {
				t.Errorf("leak: %v", err)
			}
		}
	}
}
