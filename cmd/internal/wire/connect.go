package wire

import (
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/bitbucket"
	"github.com/hanzoai/kmsync/providers/kms"
)

// Services are the clients of one run, by the labels of their blocks.
type Services struct {
	Sources  map[string]providers.Source
	Readers  map[string]providers.Reader
	Writers  map[string]providers.Writer
	counters []interface{ Requests() int }
}

// Requests is how many requests the run has made so far.
func (s *Services) Requests() int {
	n := 0
	for _, c := range s.counters {
		n += c.Requests()
	}
	return n
}

// account is one login at one service. Blocks that share it share its client, so
// that there is one login and one slow-down for all of them.
type account struct{ base, prefix string }

// wiring builds the clients of one run.
type wiring struct {
	*Place
	parallelism int
	waiting     func(service string, d time.Duration)
	kms         map[account]*kms.Client
	projects    map[account]map[string]*kms.Client // by project
	bitbucket   map[account]*bitbucket.Client
	counters    []interface{ Requests() int }
}

// Needs are the labels of the blocks that a run reads by.
type Needs struct{ KMS, Connections []string }

// NeedsOf returns the blocks that the graph reads by, and those of removed blocks,
// whose destinations the ledger will tell.
func NeedsOf(cfg *config.Config, g *graph.Graph) Needs {
	kms, connections := map[string]bool{}, map[string]bool{}
	for _, f := range slices.Concat(g.Folders, g.Trees) {
		kms[f.KMS] = true
	}
	for _, d := range g.Destinations {
		connections[d.Connection] = true
	}
	for _, r := range cfg.Removed {
		connections[r.Connection] = true
	}
	return Needs{KMS: slices.Sorted(maps.Keys(kms)), Connections: slices.Sorted(maps.Keys(connections))}
}

// Connect builds the clients that a run needs, for at most parallelism requests in
// flight. waiting is told when a service asks to slow down. The diagnostics say
// which block cannot be used, and why.
func (p *Place) Connect(cfg *config.Config, needs Needs, parallelism int, waiting func(service string, d time.Duration)) (*Services, hcl.Diagnostics) {
	s := &Services{
		Sources: map[string]providers.Source{}, Readers: map[string]providers.Reader{}, Writers: map[string]providers.Writer{},
	}
	w := &wiring{
		Place: p, parallelism: parallelism, waiting: waiting,
		kms: map[account]*kms.Client{}, projects: map[account]map[string]*kms.Client{}, bitbucket: map[account]*bitbucket.Client{},
	}
	var diags hcl.Diagnostics
	for _, label := range needs.KMS {
		client, more := w.kmsClient(cfg.KMS[label])
		if diags = append(diags, more...); client != nil {
			s.Sources[label] = client
		}
	}
	for _, label := range needs.Connections {
		client, more := w.bitbucketClient(cfg.Connections[label])
		if diags = append(diags, more...); client != nil {
			s.Readers[label], s.Writers[label] = client, client
		}
	}
	s.counters = w.counters
	return s, diags
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
			Address: base, Project: project, Credentials: found, UserAgent: w.userAgent(), Logger: w.Log,
			Now: w.Now, Sleep: w.Sleep, Rand: mathrand.Float64, Parallelism: w.parallelism,
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
		Address: base, Credentials: found, UserAgent: w.userAgent(), Logger: w.Log,
		Now: w.Now, Sleep: w.Sleep, Rand: mathrand.Float64, Parallelism: w.parallelism,
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
func (p *Place) choose(a credentials.Address) (string, hcl.Diagnostics) {
	if p.fixed != "" {
		return p.fixed, nil
	}
	return a.Choose(p.Getenv)
}

// prefix returns the prefix of credentials: a sandbox has one set of them.
func (p *Place) prefix(written, fallback string) string {
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

func (w *wiring) userAgent() string { return "kmsync/" + w.Version }
