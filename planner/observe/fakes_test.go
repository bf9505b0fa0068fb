package observe_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/limits"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/providers"
)

const (
	webUUID        = "{web}"
	stagingUUID    = "{staging}"
	productionUUID = "{production}"
	workspaceUUID  = "{acme}"
)

func set[T any](v T) config.Located[T] {
	return config.Located[T]{Value: v, Range: hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: 1}}}
}

// newSync returns sync.label from a folder of dev to a repository of acme and,
// after a slash, its environment, through the connection "b".
func newSync(label, folder, destination string) *config.Sync {
	repository, environment, _ := strings.Cut(destination, "/")
	return &config.Sync{
		Address: "sync." + label, Enabled: set(true),
		Sources: []*config.Source{{KMS: "k", Environment: set("dev"), SecretPath: set(folder)}},
		Destination: config.Destination{
			Connection: "b", Workspace: set("acme"), Repository: set(repository), DeploymentEnvironment: set(environment),
		},
	}
}

func ref(repository, environment string) graph.DestinationRef {
	return graph.DestinationRef{Connection: "b", Workspace: "acme", Repository: repository, Environment: environment}
}

var app = graph.SourceRef{KMS: "k", Environment: "dev", Path: "/app"}

// services plays the KMS and Bitbucket for reading, and counts.
type services struct {
	mu           sync.Mutex
	calls        []string
	errs         map[string]error // by call
	at           time.Time        // ReadAt of what is read now
	live         map[string][]providers.Variable
	environments []providers.Environment
	uuid         string
	otherSpace   string            // what acme is now; "" for workspaceUUID
	uuidOf       map[string]string // of other workspaces
	uuids        map[string]string // of repositories that have another one
	// during is called in every call.
	during func(call string)

	// What the KMS has, by "env:/path"; a folder that is not in lists is empty.
	lists   map[string]providers.SourceListing
	trees   map[string]providers.TreeListing
	below   map[string][]providers.Folder // what Folders answers
	imports map[string][]providers.Folder
	has     map[string]bool // by "env:/path NAME"
}

// newServices has acme/web with the environments Production and Staging, and one
// variable in each place.
func newServices() *services {
	return &services{
		errs: map[string]error{}, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), uuid: webUUID,
		environments: []providers.Environment{
			{UUID: productionUUID, Name: "Production", Slug: "production"}, {UUID: stagingUUID, Name: "Staging", Slug: "staging"},
		},
		live: map[string][]providers.Variable{
			"acme/web":                       {{UUID: "{v1}", Key: "A", Secured: true}},
			"acme/web/" + stagingUUID:        {{UUID: "{v2}", Key: "A", Secured: true}},
			"acme/web/" + productionUUID:     {{UUID: "{v3}", Key: "A", Secured: true}},
			"acme/renamed":                   {{UUID: "{v1}", Key: "A", Secured: true}},
			"acme/renamed/" + productionUUID: {{UUID: "{v3}", Key: "A", Secured: true}},
		},
	}
}

func (s *services) call(ctx context.Context, name string) error {
	s.mu.Lock()
	s.calls = append(s.calls, name)
	err, during := s.errs[name], s.during
	s.mu.Unlock()
	if during != nil {
		during(name)
	}
	if ctx.Err() != nil {
		return &providers.Error{Op: name, Kind: providers.KindCanceled}
	}
	return err
}

// List implements providers.Source.
func (s *services) List(ctx context.Context, f providers.Folder) (out providers.SourceListing, err error) {
	out = s.lists[f.String()]
	out.ReadAt = s.at
	return out, s.call(ctx, "list "+f.String())
}

// Variables implements providers.Reader.
func (s *services) Variables(ctx context.Context, scope providers.Scope) (out providers.VariableListing, err error) {
	where := scope.Workspace + "/" + scope.Repository
	if scope.Environment != "" {
		where += "/" + scope.Environment
	}
	out.ReadAt = s.at
	out.Variables = s.live[where]
	return out, s.call(ctx, "variables "+where)
}

// Environments implements providers.Reader.
func (s *services) Environments(ctx context.Context, workspace, repository string) ([]providers.Environment, error) {
	return s.environments, s.call(ctx, "environments "+workspace+"/"+repository)
}

// Repository implements providers.Reader.
func (s *services) Repository(ctx context.Context, workspace, repository string) (providers.Repository, error) {
	return providers.Repository{UUID: cmp.Or(s.uuids[repository], s.uuid)}, s.call(ctx, "repository "+workspace+"/"+repository)
}

// Workspace implements providers.Reader.
func (s *services) Workspace(ctx context.Context, workspace string) (providers.Workspace, error) {
	return providers.Workspace{UUID: cmp.Or(s.uuidOf[workspace], s.otherSpace, workspaceUUID)}, s.call(ctx, "workspace "+workspace)
}

// made returns the calls so far, sorted, and forgets them.
func (s *services) made() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	slices.Sort(calls)
	return calls
}

func (s *services) observer(parallelism int) *observe.Observer {
	return &observe.Observer{
		Now:     time.Now,
		Sources: map[string]providers.Source{"k": s, "l": s}, Readers: map[string]providers.Reader{"b": s, "c": s},
		Limits: limits.New(parallelism),
	}
}

func graphOf(syncs ...*config.Sync) *graph.Graph {
	return graph.New(&config.Config{Syncs: syncs})
}

// remembers returns a ledger that knows one variable in a place of acme/web.
func remembers(repositoryUUID, environmentUUID, variable string) *ledger.State {
	id := observe.DestinationID(repositoryUUID, environmentUUID)
	return &ledger.State{Destinations: map[string]*ledger.Destination{id: {
		ID: id, RepositoryUUID: repositoryUUID, EnvironmentUUID: environmentUUID, Workspace: "acme", Repository: "web",
		Entries: map[string]*ledger.Entry{"A": {Key: "A", UUID: variable}},
	}}}
}

func nothing() *ledger.State { return &ledger.State{} }

// ListTree implements providers.Source.
func (s *services) ListTree(ctx context.Context, f providers.Folder) (out providers.TreeListing, err error) {
	out = s.trees[f.String()]
	out.ReadAt = s.at
	return out, s.call(ctx, "tree "+f.String())
}

// Folders implements providers.Source.
func (s *services) Folders(ctx context.Context, f providers.Folder) ([]providers.Folder, error) {
	return s.below[f.String()], s.call(ctx, "folders "+f.String())
}

// Imports implements providers.Source.
func (s *services) Imports(ctx context.Context, f providers.Folder) ([]providers.Folder, error) {
	return s.imports[f.String()], s.call(ctx, "imports "+f.String())
}

// Prove implements providers.Source.
func (s *services) Prove(ctx context.Context, f providers.Folder) error {
	return s.call(ctx, "prove "+f.String())
}

// Has implements providers.Source.
func (s *services) Has(ctx context.Context, f providers.Folder, name string) (bool, error) {
	return s.has[f.String()+" "+name], s.call(ctx, "has "+f.String()+" "+name)
}
