package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// clock stands still unless somebody waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Sleep moves the clock instead of waiting.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.move(d)
	return ctx.Err()
}

// rehearsal is one directory with a sandbox of its own, in which runs are broken.
type rehearsal struct {
	t       testing.TB
	dir     string
	clock   *clock
	sandbox *sandbox.Server
	front   *front
	getenv  map[string]string
	// shown is done when a run first prints something, which is its plan.
	shown func()
}

// stageOn makes a rehearsal in a directory on a copy of a world. close ends it.
func stageOn(t testing.TB, dir string, w *world.World, now time.Time) *rehearsal {
	t.Helper()
	r := &rehearsal{t: t, dir: dir, clock: &clock{now: now}}
	var err error
	if r.sandbox, err = sandbox.Start(t.Context(), sandbox.Options{World: w.Clone(), Now: r.clock.Now}); err != nil {
		t.Fatal(err)
	}
	r.front = newFront(r.sandbox)
	made := r.sandbox.Credentials()
	r.getenv = map[string]string{
		"HOME": filepath.Join(dir, ".home"), "USER": "tester", "PATH": os.Getenv("PATH"),
		"KMS_ADDRESS": r.front.server.URL, "KMS_CLIENT_ID": made.ClientID, "KMS_CLIENT_SECRET": made.ClientSecret,
		"BITBUCKET_ADDRESS": r.front.server.URL, "BITBUCKET_ACCESS_TOKEN": made.AccessToken,
	}
	return r
}

func (r *rehearsal) close() {
	r.front.server.CloseClientConnections()
	r.front.server.Close()
	if err := r.sandbox.Close(); err != nil {
		r.t.Error(err)
	}
}

// ending is how a run ended.
type ending struct {
	code           int
	stdout, stderr string
}

// notice calls do before the first byte is written.
type notice struct {
	bytes.Buffer
	do func()
}

func (n *notice) Write(p []byte) (int, error) {
	if n.do != nil {
		n.do()
		n.do = nil
	}
	return n.Buffer.Write(p)
}

// run is kmsync in this process.
func (r *rehearsal) run(ctx context.Context, args ...string) ending {
	stdout, stderr := &notice{do: r.shown}, &bytes.Buffer{}
	code := cli.Main(ctx, cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr,
		Getenv: func(name string) string { return r.getenv[name] },
		Dir:    r.dir, Host: "host", Now: r.clock.Now, Sleep: r.clock.Sleep, Random: random{}, Version: "test",
	})
	return ending{code, stdout.String(), stderr.String()}
}

// applying is the run that is broken.
var applying = []string{"apply", "--auto-approve", "--max-deletes", "10"}

// scenery is what every rehearsal begins with: a directory as the first run left it,
// with the files changed since, and the world at that time.
type scenery struct {
	dir   string
	world *world.World
	at    time.Time // an hour after the first run
}

// prepare makes the scenery. Its first run was two hours ago.
func prepare(t testing.TB) scenery {
	t.Helper()
	s := scenery{dir: t.TempDir(), at: time.Now().UTC().Add(-time.Hour).Truncate(time.Second)}
	writeFiles(t, s.dir, filesBefore)
	r := stageOn(t, s.dir, worldBefore(), s.at.Add(-time.Hour))
	defer r.close()
	if e := r.run(t.Context(), "apply", "--auto-approve"); e.code != 0 {
		t.Fatalf("the first run ended with %d:\n%s%s", e.code, e.stdout, e.stderr)
	}
	r.sandbox.Update(changeWorld)
	s.world = r.sandbox.World()
	writeFiles(t, s.dir, filesAfter)
	return s
}

func writeFiles(t testing.TB, dir, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, ".home"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// open makes a rehearsal of a copy of the scenery.
func (s scenery) open(t testing.TB) *rehearsal {
	t.Helper()
	dir, err := os.MkdirTemp("", "rehearsal")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	tighten(t, dir)
	return stageOn(t, dir, s.world, s.at)
}

// tighten gives a copy the modes that kmsync makes its own files with.
func tighten(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
