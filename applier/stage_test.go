package applier_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/evidence"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/limits"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// canary is in every value of these tests, and in nothing that leaves.
const canary = "canary-5e1f-value"

const (
	repositoryUUID = "{repository}"
	stagingUUID    = "{staging}"
	web            = "acme/web"
	app            = "dev:/app"
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

var testKey, _ = secret.NewKey(zeros{})

func set[T any](v T) config.Located[T] {
	return config.Located[T]{Value: v, Range: hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: 1}}}
}

// newSync returns sync.label from a folder of dev to a repository of acme and,
// after a slash, its environment.
func newSync(label, folder, destination string) *config.Sync {
	repository, environment, _ := strings.Cut(destination, "/")
	return &config.Sync{
		Address: "sync." + label, Enabled: set(true),
		Sources: []*config.Source{{
			KMS: "k", Environment: set("dev"), SecretPath: set(folder), IncludeImports: set(true), ExpandReferences: set(true),
		}},
		Destination: config.Destination{
			Connection: "b", Workspace: set("acme"), Repository: set(repository), DeploymentEnvironment: set(environment),
		},
	}
}

// stage is everything that one apply needs.
type stage struct {
	*service
	// other is the account of the connection "c"; nil: that of "b".
	other *service
	clock *clock
	book  *book
	syncs []*config.Sync
	state *ledger.State
	// config holds its name, moved and removed blocks.
	config config.Config

	parallelism, destinations int
	allowed                   *int // --max-deletes
	destroy                   bool
	target                    string // an address
	// before runs after the plan was made and before it is applied.
	before func()
	// during runs with every event, in the goroutine that emits it.
	during func(applier.Event)
	// nowFunc replaces the clock, for tests that run on the fake time of synctest.
	nowFunc func() time.Time

	plan   *plan.Plan
	events []applier.Event
	result applier.Result
}

// newStage has sync.a from dev:/app to acme/web, and nothing in either.
func newStage() *stage {
	c := &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	j := &journal{}
	s := &stage{
		service: newService(j, c.now), clock: c, book: &book{journal: j, outcomes: map[string]ledger.Outcome{}},
		syncs:       []*config.Sync{newSync("a", "/app", "web")},
		parallelism: 8, destinations: 8, nowFunc: c.now,
		state: &ledger.State{Serial: 1, Key: testKey, Destinations: map[string]*ledger.Destination{}},
	}
	s.repositories[web] = repositoryUUID
	return s
}

// secrets puts secrets into dev:/app.
func (s *stage) secrets(names ...string) *stage {
	for _, name := range names {
		s.put(app, name, canary+name)
	}
	return s
}

// variable puts a secured variable into acme/web that the ledger knows nothing of.
func (s *stage) variable(key string) *stage {
	s.set(web, providers.Variable{UUID: "{old-" + key + "}", Key: key, Secured: true})
	return s
}

// recorded puts an entry for a variable into the ledger, as sync.a would have
// written it from version 0 of the secret.
func (s *stage) recorded(key, uuid, value string) *stage {
	d := s.state.Destinations[repositoryUUID]
	if d == nil {
		d = &ledger.Destination{
			ID: repositoryUUID, RepositoryUUID: repositoryUUID, Workspace: "acme", Repository: "web", Entries: map[string]*ledger.Entry{},
		}
		s.state.Destinations[repositoryUUID] = d
	}
	d.Entries[key] = &ledger.Entry{
		Key: key, Owner: ledger.Owner{Sync: "sync.a"}, UUID: uuid, Secured: true, KeyID: testKey.ID(),
		Fingerprint: testKey.Fingerprint(repositoryUUID, key, secret.New(value)),
		Source:      ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: key, ID: "id-" + key},
	}
	return s
}

// apply observes, plans, and applies the plan. It forgets the calls of the plan.
func (s *stage) apply(ctx context.Context, t *testing.T) *stage {
	t.Helper()
	slices.SortFunc(s.syncs, func(a, b *config.Sync) int { return strings.Compare(a.Address, b.Address) })
	cfg := s.config
	cfg.Syncs = s.syncs
	cfg.Deletes = config.Deletes{MaxCount: set(20), MaxPercent: set(30)}
	g := graph.New(&cfg).Leavings(s.state)
	other := s.other
	if other == nil {
		other = s.service
	}
	o := &observe.Observer{
		Sources: map[string]providers.Source{"k": s.service}, Readers: map[string]providers.Reader{"b": s.service, "c": other},
		Limits: limits.New(s.parallelism), Now: s.nowFunc,
		Sleep: func(ctx context.Context, d time.Duration) error { s.clock.advance(d); return ctx.Err() },
	}
	s.now = s.nowFunc
	g = g.Allow(s.allowed)
	if s.target != "" {
		chosen, err := address.ParseSelection([]string{s.target}, nil)
		if err != nil {
			t.Fatal(err)
		}
		g = g.Select(chosen)
	}
	if s.destroy {
		g = g.Destroy()
	}
	obs := o.Observe(context.Background(), g, s.state)
	for {
		s.plan = planner.Diff(g, obs, s.state, s.nowFunc())
		questions := evidence.Questions(g, obs, s.plan)
		if len(questions) == 0 {
			break
		}
		o.Ask(context.Background(), obs, questions)
	}
	s.reset()
	if s.before != nil {
		s.before()
	}
	s.result = applier.Apply(ctx, s.plan, applier.Deps{
		Writers: map[string]providers.Writer{"b": s.service, "c": other}, Graph: g,
		Refresher: observe.NewRefresher(o, g, s.state, obs), State: s.state, Session: s.book,
		Limits: o.Limits, Destinations: s.destinations, Now: s.nowFunc, Run: "ann@host",
	}, func(e applier.Event) {
		s.events = append(s.events, e)
		if s.during != nil {
			s.during(e)
		}
	})
	s.checkRun(t)
	return s
}

// checkRun holds what is true of every run.
func (s *stage) checkRun(t *testing.T) {
	t.Helper()
	for _, e := range s.events {
		if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, "canary-") {
			t.Errorf("an event holds a value: %T", e)
		}
	}
	first, last := s.events[0], s.events[len(s.events)-1]
	if _, ok := first.(applier.Started); !ok {
		t.Errorf("the first event is %T", first)
	}
	if finished, ok := last.(applier.Finished); !ok || finished.Result != s.result {
		t.Errorf("the last event is %T %+v, and the result %+v", last, last, s.result)
	}
	joined := 0
	for _, event := range s.events {
		if e, ok := event.(applier.Wrote); ok && e.Change.IsToldOf() {
			joined++
		}
	}
	counted := joined + s.result.Deleted + s.result.Held - s.plan.Summary().Blocked + s.result.Created + s.result.Renamed + s.result.Updated + s.result.Adopted + s.result.Forgotten + s.result.Released + s.result.Failed + s.result.Stopped + s.result.Skipped
	if started := first.(applier.Started).Changes; started != counted || len(s.events) != counted+2 {
		t.Errorf("%d changes were announced, %d counted, %d told", started, counted, len(s.events)-2)
	}
}

// told returns what the events say of each key, sorted: "A wrote".
func (s *stage) told() []string {
	var told []string
	for _, event := range s.events {
		switch e := event.(type) {
		case applier.Wrote:
			told = append(told, e.Change.Key+" wrote "+string(e.Change.Action))
		case applier.Recorded:
			told = append(told, e.Change.Key+" recorded "+string(e.Change.Action))
		case applier.Stopped:
			told = append(told, e.Change.Key+" stopped: "+e.Change.Detail)
		case applier.Held:
			told = append(told, e.Change.Key+" held by "+string(e.Change.BlockedBy)+": "+e.Change.Detail)
		case applier.Failed:
			told = append(told, e.Change.Key+map[bool]string{false: " failed", true: " in doubt"}[e.Doubtful])
		case applier.Skipped:
			told = append(told, e.Change.Key+" skipped")
		}
	}
	slices.Sort(told)
	return told
}

// failure returns the error told of a key.
func (s *stage) failure(t *testing.T, key string) error {
	t.Helper()
	for _, event := range s.events {
		if e, ok := event.(applier.Failed); ok && e.Change.Key == key {
			return e.Err
		}
	}
	t.Fatalf("nothing is told to have failed for %s: %v", key, s.told())
	return nil
}
