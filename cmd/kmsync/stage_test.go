package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hanzoai/kmsync/cmd/internal/canary"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// stage is what one script plays on: a sandbox, a clock that can be moved, an
// answer for the next question, and the secrets that must not be seen.
type stage struct {
	server *sandbox.Server
	work   string
	inputs map[string]bool // files of the script itself: they may hold secrets

	mu     sync.Mutex
	offset time.Duration
	answer *string
	// meanwhile is done while the next question is open.
	meanwhile []func()
	secrets   map[string]bool
	printed   strings.Builder

	process *process // that was started and not waited for
	effects int      // that were printed
}

type stageKey struct{}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

func newStage(work string, log func(...any)) (*stage, error) {
	s := &stage{work: work, inputs: map[string]bool{}, secrets: map[string]bool{}}
	options := sandbox.Options{Now: s.now, Log: func(line string) { log("sandbox: " + line) }}
	content, err := os.ReadFile(filepath.Join(work, "world.json"))
	switch {
	case err == nil:
		options.World = &world.World{}
		if err := json.Unmarshal(content, options.World); err != nil {
			return nil, fmt.Errorf("world.json: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if s.server, err = sandbox.Start(context.Background(), options); err != nil {
		return nil, err
	}
	s.watchWorld()
	return s, filepath.WalkDir(work, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			s.inputs[path] = true
		}
		return err
	})
}

// now is the real time, moved by the script.
func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

// sleep moves the clock instead of waiting.
func (s *stage) sleep(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	s.offset += d
	s.mu.Unlock()
	return ctx.Err()
}

// watch adds secrets to those that must not be seen.
func (s *stage) watch(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		s.secrets[secret] = true
	}
}

// watchWorld watches every value that the world holds now.
func (s *stage) watchWorld() {
	w := s.server.World()
	for _, p := range w.KMS.Projects {
		for _, e := range p.Environments {
			for _, f := range e.Folders {
				for _, secret := range f.Secrets {
					s.watch(secret.Value)
				}
			}
		}
	}
	for _, ws := range w.Bitbucket.Workspaces {
		for _, r := range ws.Repositories {
			scopes := [][]world.Variable{r.Variables}
			for _, e := range r.Environments {
				scopes = append(scopes, e.Variables)
			}
			for _, variables := range scopes {
				for _, v := range variables {
					s.watch(v.Value)
				}
			}
		}
	}
}

// keep remembers what a command printed, to search it in the end.
func (s *stage) keep(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.printed.WriteString(text + "\n")
}

// close ends the sandbox and searches everything that the script's commands
// printed or wrote for every secret that was ever in its world.
func (s *stage) close() error {
	s.watchWorld()
	problem := s.server.Close()
	var secrets []string
	for secret := range s.secrets {
		secrets = append(secrets, secret)
	}
	if found := canary.Find([]byte(s.printed.String()), secrets); found != "" {
		problem = errors.Join(problem, fmt.Errorf("a secret was printed: %s", found))
	}
	return errors.Join(problem, filepath.WalkDir(s.work, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || s.inputs[path] || strings.HasSuffix(path, filepath.Join("sandbox", "world.json")) {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if found := canary.Find(content, secrets); found != "" {
			return fmt.Errorf("a secret was written to %s: %s", path, found)
		}
		return nil
	}))
}
