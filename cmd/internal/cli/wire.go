package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/sqlite"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/bitbucket"
	"github.com/hanzoai/kmsync/providers/kms"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/secret"
)

// services are the clients of one run, by the labels of their blocks.
type services struct {
	sources  map[string]providers.Source
	readers  map[string]providers.Reader
	writers  map[string]providers.Writer
	counters []interface{ Requests() int }
}

// requests is how many requests the run has made so far.
func (s *services) requests() int {
	n := 0
	for _, c := range s.counters {
		n += c.Requests()
	}
	return n
}

// place is where a run finds what is not in its configuration: credentials,
// addresses, and its ledger. Either the process's environment says, or a sandbox.
type place struct {
	vault  credentials.Vault
	getenv func(string) string
	store  ledger.Store
	close  func() error
	// fixed is the sandbox's address, which stands for every address.
	fixed string
}

// errNoHome says that there is no place for what is kept apart.
var errNoHome = errors.New("neither HOME nor XDG_DATA_HOME is set, so there is no place for the ledger's root key: " +
	"set one of them, or KMSYNC_LEDGER_KEY")

// place opens the real world, or the sandbox.
func (a *app) place(ctx context.Context) (*place, error) {
	if a.UseSandbox {
		return a.sandboxPlace(ctx)
	}
	v := credentials.Vault{Getenv: a.env.Getenv, Dir: a.env.Dir}
	key, err := v.LedgerKey()
	if err != nil {
		return nil, err
	}
	data, state := a.env.dataDir(), a.env.stateDir()
	if data == "" && key.IsEmpty() {
		return nil, errNoHome
	}
	return &place{
		vault: v, getenv: a.env.Getenv, close: func() error { return nil },
		store: a.ledger(filepath.Join(a.dir, ".kmsync"), data, state, key),
	}, nil
}

// sandboxPlace starts a sandbox in this process. Its ledger, root key and world
// are its own, so that trying things out touches nothing real.
func (a *app) sandboxPlace(ctx context.Context) (*place, error) {
	dir, err := a.sandboxDir()
	if err != nil {
		return nil, err
	}
	server, err := sandbox.Start(ctx, sandbox.Options{Path: filepath.Join(dir, "world.json"), Now: a.env.Now})
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	fmt.Fprintf(a.env.Stderr, "sandbox: %s, world in %s\n", server.Address(), filepath.Join(".kmsync", "sandbox", "world.json"))
	c := server.Credentials()
	made := map[string]string{
		"KMS_CLIENT_ID": c.ClientID, "KMS_CLIENT_SECRET": c.ClientSecret, "BITBUCKET_ACCESS_TOKEN": c.AccessToken,
	}
	getenv := func(name string) string { return made[name] }
	return &place{
		vault: credentials.Vault{Getenv: getenv}, getenv: getenv, close: server.Close, fixed: server.Address(),
		store: a.ledger(dir, dir, dir, secret.Value{}),
	}, nil
}

// sandboxDir makes the folder of the sandbox's world, which git leaves alone. A
// checkout that brings links there is refused.
func (a *app) sandboxDir() (string, error) {
	dir := filepath.Join(a.dir, ".kmsync")
	if err := private.MakeUntracked(dir, "sandbox", filepath.Join("sandbox", "world.json")); err != nil {
		return "", fmt.Errorf("start the sandbox: %w", err)
	}
	return filepath.Join(dir, "sandbox"), nil
}

func (a *app) ledger(dir, data, state string, key secret.Value) *sqlite.Store {
	return sqlite.New(sqlite.Options{
		Dir: dir, Keys: sqlite.KeyStore{Env: key, DataDir: data}, StateDir: state,
		Now: a.env.Now, Random: a.env.Random, Warn: func(text string) { a.log.Warn(text) },
	})
}

// dataDir and stateDir are kmsync's folders of the XDG base directory
// specification, or "" where there is no home.
func (e Env) dataDir() string  { return e.xdg("XDG_DATA_HOME", ".local", "share") }
func (e Env) stateDir() string { return e.xdg("XDG_STATE_HOME", ".local", "state") }

func (e Env) xdg(name string, fallback ...string) string {
	if dir := e.Getenv(name); filepath.IsAbs(dir) {
		return filepath.Join(dir, "kmsync")
	}
	home := e.Getenv("HOME")
	if home == "" {
		home = e.Getenv("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(append(append([]string{home}, fallback...), "kmsync")...)
}

// account is one login at one service. Blocks that share it share its client, so
// that there is one login and one slow-down for all of them.
type account struct{ base, prefix string }

// wiring builds the clients of one run.
type wiring struct {
	*app
	*place
	parallelism int
	waiting     func(service string, d time.Duration)
	kms         map[account]*kms.Client
	projects    map[account]map[string]*kms.Client // by project
	bitbucket   map[account]*bitbucket.Client
	counters    []interface{ Requests() int }
}

// connect builds the clients that the enabled syncs need. waiting is told when a
// service asks to slow down.
func (a *app) connect(cfg *config.Config, p *place, parallelism int, waiting func(service string, d time.Duration)) (*services, hcl.Diagnostics) {
	s := &services{
		sources: map[string]providers.Source{}, readers: map[string]providers.Reader{}, writers: map[string]providers.Writer{},
	}
	w := &wiring{
		app: a, place: p, parallelism: parallelism, waiting: waiting,
		kms: map[account]*kms.Client{}, projects: map[account]map[string]*kms.Client{}, bitbucket: map[account]*bitbucket.Client{},
	}
	var diags hcl.Diagnostics
	kmsLabels, connectionLabels := needed(cfg)
	for _, label := range kmsLabels {
		client, more := w.kmsClient(cfg.KMS[label])
		if diags = append(diags, more...); client != nil {
			s.sources[label] = client
		}
	}
	for _, label := range connectionLabels {
		client, more := w.bitbucketClient(cfg.Connections[label])
		if diags = append(diags, more...); client != nil {
			s.readers[label], s.writers[label] = client, client
		}
	}
	s.counters = w.counters
	return s, diags
}

// needed returns the labels that enabled syncs use, sorted.
func needed(cfg *config.Config) (kmsLabels, connections []string) {
	k, c := map[string]bool{}, map[string]bool{}
	for _, sync := range cfg.Syncs {
		if !sync.Enabled.Value {
			continue
		}
		c[sync.Destination.Connection] = true
		for _, source := range sync.Sources {
			k[source.KMS] = true
		}
	}
	return sortedKeys(k), sortedKeys(c)
}

func (w *wiring) kmsClient(k *config.KMS) (*kms.Client, hcl.Diagnostics) {
	base, diags := w.choose(credentials.OfKMS(k))
	if diags.HasErrors() {
		return nil, diags
	}
	login := account{base, w.prefix(k.CredentialsPrefix.Value, credentials.DefaultKMSPrefix)}
	project := strings.ToLower(k.Project.Value) // neither slugs nor ids differ by case
	if known := w.projects[login][project]; known != nil {
		return known, nil
	}
	client := w.kms[login]
	if client != nil {
		client = client.Project(project)
	} else {
		found, err := w.vault.KMS(login.prefix)
		if err != nil {
			return nil, unusable("kms \""+k.Label+"\"", err, k.Range)
		}
		client, err = kms.New(kms.Options{
			Address: base, Project: project, Credentials: found, UserAgent: w.userAgent(), Logger: w.log,
			Now: w.env.Now, Sleep: w.env.Sleep, Rand: mathrand.Float64, Parallelism: w.parallelism,
			Waiting: func(d time.Duration, _ string) { w.waiting("the KMS", d) },
		})
		if err != nil {
			return nil, unusable("kms \""+k.Label+"\"", err, k.Range)
		}
		w.kms[login], w.projects[login] = client, map[string]*kms.Client{}
		w.counters = append(w.counters, client)
	}
	w.projects[login][project] = client
	return client, nil
}

func (w *wiring) bitbucketClient(c *config.Connection) (*bitbucket.Client, hcl.Diagnostics) {
	base, diags := w.choose(credentials.OfBitbucket(c))
	if diags.HasErrors() {
		return nil, diags
	}
	login := account{base, w.prefix(c.CredentialsPrefix.Value, credentials.DefaultBitbucketPrefix)}
	if known := w.bitbucket[login]; known != nil {
		return known, nil
	}
	found, err := w.vault.Bitbucket(login.prefix)
	if err != nil {
		return nil, unusable("connection \"bitbucket\" \""+c.Label+"\"", err, c.Range)
	}
	client, err := bitbucket.New(bitbucket.Options{
		Address: base, Credentials: found, UserAgent: w.userAgent(), Logger: w.log,
		Now: w.env.Now, Sleep: w.env.Sleep, Rand: mathrand.Float64, Parallelism: w.parallelism,
		Waiting: func(d time.Duration, _ string) { w.waiting("Bitbucket", d) },
	})
	if err != nil {
		return nil, unusable("connection \"bitbucket\" \""+c.Label+"\"", err, c.Range)
	}
	w.bitbucket[login] = client
	w.counters = append(w.counters, client)
	return client, nil
}

// choose returns the base URL of a service: the sandbox's for all, where there is one.
func (p *place) choose(a credentials.Address) (string, hcl.Diagnostics) {
	if p.fixed != "" {
		return p.fixed, nil
	}
	return a.Choose(p.getenv)
}

// prefix returns the prefix of credentials: a sandbox has one set of them.
func (p *place) prefix(written, fallback string) string {
	if p.fixed != "" {
		return fallback
	}
	return written
}

func unusable(block string, err error, at hcl.Range) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unusable credentials",
		Detail: fmt.Sprintf("The block %s cannot be used: %s.", block, err), Subject: at.Ptr(),
	}}
}

func (a *app) userAgent() string { return "kmsync/" + a.env.Version }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
