package kms_test

import (
	"context"
	"slices"
	"strings"
	"sync"
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

	mu   sync.Mutex
	time time.Time
}

// generations are those that the emulator plays.
var generations = []string{world.Generation2026, world.Generation2024}

func emulator(t *testing.T) *fixture { return emulate(t, world.Generation2026, nil) }

// emulate starts an emulator of one generation, with a world that change has changed.
func emulate(t *testing.T, generation string, change func(*world.World)) *fixture {
	t.Helper()
	w := world.Default()
	w.KMS.Generation = generation
	w.KMS.Identities = append(w.KMS.Identities, world.Identity{
		ClientID: "powerless", ClientSecret: "powerless-secret",
		Access: []world.Access{{Environment: "dev", Path: "/web"}},
	})
	if change != nil {
		change(w)
	}
	f := &fixture{t: t, world: w, time: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	var err error
	f.server, err = sandbox.Start(t.Context(), sandbox.Options{World: w, Now: f.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.server.Close() })
	return f
}

// now is the clock of emulator and client, which sleeping moves.
func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.time
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.time = f.time.Add(d)
}

func (f *fixture) client(i int, project string) *kms.Client {
	f.t.Helper()
	who := f.world.KMS.Identities[i]
	c, err := kms.New(kms.Options{
		Address: f.server.Address(), Project: project, Now: f.now, UserAgent: "kmsync/test",
		Sleep: func(ctx context.Context, d time.Duration) error { f.pass(d); return ctx.Err() },
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

func (f *fixture) Quote(folder providers.Folder, name string) {
	f.server.Update(func(w *world.World) {
		w.KMS.Project("demo").Environment(folder.Environment).Folder(folder.Path).Secret(name).SkipMultilineEncoding = true
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			providertest.Source(t, func(t *testing.T) providertest.SourceFixture { return emulate(t, generation, nil) })
		})
	}
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
