// Package wire builds the clients and the ledger of a run: the only place that
// knows which there are.
package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/planner/ledger/sqlite"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Surroundings is what a run takes from the process around it.
type Surroundings struct {
	Getenv  func(string) string
	WorkDir string // of the process: files that the environment names are relative to it
	Dir     string // of the configuration
	// LedgerPath is the folder of the ledger, relative to Dir.
	LedgerPath string
	// Sandbox says to talk to a sandbox in this process.
	Sandbox bool
	Now     func() time.Time
	// Sleep waits, or returns ctx's error when ctx ends first.
	Sleep   func(ctx context.Context, d time.Duration) error
	Random  io.Reader
	Version string
	Stderr  io.Writer
	Log     *slog.Logger
}

// Place is where a run finds what is not in its configuration: credentials,
// addresses, and its ledger. Either the process's environment says, or a sandbox.
type Place struct {
	Surroundings
	Store  ledger.Store
	Keeper ledger.Keeper // of the same ledger
	Close  func() error
	vault  credentials.Vault
	// fixed is the sandbox's address, which stands for every address.
	fixed string
}

// errNoHome says that there is no place for what is kept apart.
var errNoHome = errors.New("neither HOME nor XDG_DATA_HOME is set, so there is no place for the ledger's root key: " +
	"set one of them, or KMSYNC_LEDGER_KEY")

// Open opens the real world, or the sandbox. It makes no request to either service.
func Open(ctx context.Context, s Surroundings) (*Place, error) {
	if s.Sandbox {
		return s.sandbox(ctx)
	}
	if err := s.refuseLinks(); err != nil {
		return nil, err
	}
	v := credentials.Vault{Getenv: s.Getenv, Dir: s.WorkDir}
	key, err := v.LedgerKey()
	if err != nil {
		return nil, err
	}
	data, state := s.xdg("XDG_DATA_HOME", ".local", "share"), s.xdg("XDG_STATE_HOME", ".local", "state")
	if data == "" && key.IsEmpty() {
		return nil, errNoHome
	}
	store := s.ledger(filepath.Join(s.Dir, filepath.FromSlash(s.LedgerPath)), data, state, key)
	return &Place{Surroundings: s, vault: v, Close: func() error { return nil }, Store: store, Keeper: store}, nil
}

// refuseLinks refuses a ledger whose folder is reached through a link below the
// directory, which a checkout may bring.
func (s Surroundings) refuseLinks() error {
	path := s.Dir
	parts := strings.Split(filepath.ToSlash(filepath.Clean(s.LedgerPath)), "/")
	for _, part := range parts[:len(parts)-1] { // the store looks at the last itself
		path = filepath.Join(path, part)
		if err := private.RefuseLinks(path); err != nil {
			return fmt.Errorf("open the ledger: %w", err)
		}
	}
	return nil
}

// sandbox starts a sandbox in this process. Its ledger, root key and world are its
// own, so that trying things out touches nothing real.
func (s Surroundings) sandbox(ctx context.Context) (*Place, error) {
	dir, err := SandboxDir(s.Dir)
	if err != nil {
		return nil, err
	}
	server, err := sandbox.Start(ctx, sandbox.Options{Path: filepath.Join(dir, "world.json"), Now: s.Now})
	if err != nil {
		return nil, err // it says that the sandbox did not start
	}
	fmt.Fprintf(s.Stderr, "sandbox: %s, world in %s\n", server.Address(), filepath.Join(".kmsync", "sandbox", "world.json"))
	c := server.Credentials()
	made := map[string]string{
		"KMS_CLIENT_ID": c.ClientID, "KMS_CLIENT_SECRET": c.ClientSecret, "BITBUCKET_ACCESS_TOKEN": c.AccessToken,
	}
	s.Getenv = func(name string) string { return made[name] }
	store := s.ledger(dir, dir, dir, secret.Value{})
	return &Place{
		Surroundings: s, vault: credentials.Vault{Getenv: s.Getenv}, Close: server.Close, fixed: server.Address(),
		Store: store, Keeper: store,
	}, nil
}

// SandboxDir makes the folder of the sandbox's world below the directory of the
// configuration, and keeps git away from it. A checkout that brings links there is
// refused.
func SandboxDir(dir string) (string, error) {
	dir = filepath.Join(dir, ".kmsync")
	if err := private.MakeUntracked(dir, "sandbox", filepath.Join("sandbox", "world.json")); err != nil {
		return "", fmt.Errorf("start the sandbox: %w", err)
	}
	return filepath.Join(dir, "sandbox"), nil
}

func (s Surroundings) ledger(dir, data, state string, key secret.Value) *sqlite.Store {
	return sqlite.New(sqlite.Options{
		Dir: dir, Keys: rootkey.Store{Env: key, DataDir: data}, StateDir: state,
		Now: s.Now, Random: s.Random, Warn: func(text string) { s.Log.Warn(text) },
	})
}

// xdg returns kmsync's folder in one of the XDG base directory specification, or ""
// where there is no home.
func (s Surroundings) xdg(name string, fallback ...string) string {
	if dir := s.Getenv(name); filepath.IsAbs(dir) {
		return filepath.Join(dir, "kmsync")
	}
	home := s.Getenv("HOME")
	if home == "" {
		home = s.Getenv("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(append(append([]string{home}, fallback...), "kmsync")...)
}
