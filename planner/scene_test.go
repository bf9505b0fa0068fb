package planner

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// sceneNow is when the plans of scenes and worlds are made.
var sceneNow = time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)

// usual is how many deletes a configuration allows that says nothing of them.
var usual = config.Deletes{MaxCount: config.Located[int]{Value: 20}, MaxPercent: config.Located[int]{Value: 30}}

// scene is a world of several syncs, folders and destinations. Destinations are
// the deployment environments of acme/web, by name; "" is the repository itself.
type scene struct {
	syncs   []*config.Sync
	folders map[string]*resolve.Read // by path
	trees   map[graph.SourceRef]*resolve.Tree
	answers map[observe.Question]observe.Answer
	live    map[string][]providers.Variable
	broken  map[string]error // destinations that could not be read
	doubts  map[string][]providers.Doubt
	entries map[string]map[string]*ledger.Entry
	rolled  bool
	// unaccepted: an older copy of the ledger was in use.
	unaccepted bool
	allowed    *int          // --max-deletes
	config     config.Config // its name, moved and removed blocks
}

func newScene(syncs ...*config.Sync) *scene {
	return &scene{
		syncs: syncs, folders: map[string]*resolve.Read{}, live: map[string][]providers.Variable{},
		broken: map[string]error{}, doubts: map[string][]providers.Doubt{}, entries: map[string]map[string]*ledger.Entry{},
	}
}

// syncFrom returns sync.label from a folder of dev to an environment of acme/web.
func syncFrom(label, path, environment string) *config.Sync {
	s := newSync(label)
	s.Range = set(0).Range
	s.Sources[0].SecretPath = set(path)
	s.Destination.DeploymentEnvironment = set(environment)
	return s
}

// secret puts a secret of version 1 into a folder; its ID is folder and name.
func (s *scene) secret(path, name, value string) *scene {
	if s.folders[path] == nil {
		s.folders[path] = &resolve.Read{}
	}
	list := &s.folders[path].Listing.Secrets
	*list = append(*list, providers.Secret{ID: path + "/" + name, Name: name, Version: 1, Value: secret.New(value)})
	return s
}

// variable puts a secured variable into an environment; its UUID is its key.
func (s *scene) variable(environment, key string) *scene {
	s.live[environment] = append(s.live[environment], providers.Variable{UUID: "{" + key + "}", Key: key, Secured: true})
	return s
}

// owned puts a variable and the record of it, written with that value.
func (s *scene) owned(environment, key, sync, value string) *scene {
	s.variable(environment, key).record(environment, key, sync, value)
	return s
}

func (s *scene) record(environment, key, sync, value string) *ledger.Entry {
	if s.entries[environment] == nil {
		s.entries[environment] = map[string]*ledger.Entry{}
	}
	id, path := idOf(environment), "/a"
	for _, declared := range s.syncs {
		if declared.Address == sync && len(declared.Sources) > 0 {
			path = declared.Sources[0].SecretPath.Value
		}
	}
	e := &ledger.Entry{
		Key: key, Owner: ledger.Owner{Sync: sync}, UUID: "{" + key + "}", Secured: true, KeyID: testKey.ID(),
		Fingerprint: testKey.Fingerprint(id, key, secret.New(value)),
		Source:      ledger.Source{KMS: "k", Environment: "dev", Path: path, Name: key, ID: path + "/" + key, Version: 1},
		Writes:      []ledger.Write{{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}
	s.entries[environment][key] = e
	return e
}

// toWorkspace leads a sync to the own variables of acme instead.
func toWorkspace(s *config.Sync) *config.Sync {
	s.Destination.Repository, s.Destination.DeploymentEnvironment = set(""), set("")
	s.Destination.WorkspaceScope = set(true)
	return s
}

func idOf(environment string) string {
	if environment == "" {
		return repositoryUUID
	}
	return observe.DestinationID(repositoryUUID, "{"+environment+"}")
}

func (s *scene) observe(g *graph.Graph) *observe.Observation {
	obs := &observe.Observation{Answers: s.answers, Trees: s.trees, Folders: map[graph.SourceRef]*resolve.Read{}, Destinations: map[graph.DestinationRef]*observe.DestinationRead{}}
	for path, read := range s.folders {
		obs.Folders[graph.SourceRef{KMS: "k", Environment: "dev", Path: path}] = read
	}
	for _, ref := range g.Folders {
		obs.Folders[ref] = &resolve.Read{}
		if read := s.folders[ref.Path]; read != nil {
			obs.Folders[ref] = read
		}
	}
	for _, ref := range g.Destinations {
		read := &observe.DestinationRead{Ref: ref}
		obs.Destinations[ref] = read
		if read.Err = s.broken[ref.Environment]; read.Err != nil {
			continue
		}
		if ref.OfWorkspace() {
			read.ID = "{acme}"
			continue
		}
		read.ID, read.RepositoryUUID = idOf(ref.Environment), repositoryUUID
		if ref.Environment != "" {
			read.EnvironmentUUID = "{" + ref.Environment + "}"
		}
		read.Listing.Variables, read.Listing.Doubts = s.live[ref.Environment], s.doubts[ref.Environment]
	}
	return obs
}

func (s *scene) state() *ledger.State {
	state := &ledger.State{Serial: 1, Key: testKey, Rolled: s.rolled, Unaccepted: s.unaccepted, Destinations: map[string]*ledger.Destination{}}
	for environment, entries := range s.entries {
		id := idOf(environment)
		d := &ledger.Destination{ID: id, RepositoryUUID: repositoryUUID, Workspace: "acme", Repository: "web", Environment: environment, Entries: entries}
		if environment != "" {
			d.EnvironmentUUID = "{" + environment + "}"
		}
		state.Destinations[id] = d
	}
	return state
}

func (s *scene) plan() *plan.Plan {
	cfg := s.config
	cfg.Syncs, cfg.Deletes = s.syncs, usual
	g := graph.New(&cfg).Leavings(s.state()).Allow(s.allowed)
	return Diff(g, s.observe(g), s.state(), sceneNow)
}

// said returns the changes of a sync as "KEY action reason blocked_by".
func said(p *plan.Plan, address string) []string {
	var out []string
	for _, s := range p.Syncs {
		if s.Address != address {
			continue
		}
		for _, c := range s.Changes {
			line := c.Key + " " + string(c.Action) + " " + string(c.Reason)
			if c.BlockedBy != verdict.NotBlocked {
				line += " " + string(c.BlockedBy)
			}
			out = append(out, line)
		}
	}
	return out
}

// changeOf returns the change of a key under a sync.
func changeOf(t *testing.T, p *plan.Plan, address, key string) plan.Change {
	t.Helper()
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			if s.Address == address && c.Key == key {
				return c
			}
		}
	}
	t.Fatalf("%s has no change of %s", address, key)
	return plan.Change{}
}

// schemaOf returns a key schema as a file gives it.
func schemaOf(t *testing.T, template string) config.Located[config.KeySchema] {
	t.Helper()
	dir := t.TempDir()
	file := `
kms "k" { project = "p" }
connection "bitbucket" "b" { workspace = "acme" }
sync "a" {
  source {
    environment = "dev"
  }
  destination "bitbucket" {
    repository = "web"
  }
  options {
    key_schema = "` + template + `"
  }
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := config.Load(dir, config.LoadOptions{NeedInputs: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg.Syncs[0].Options.KeySchema
}
