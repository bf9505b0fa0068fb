package observe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/identity"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/limits"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/providers"
)

// Observer reads what a graph needs. It holds read interfaces only.
type Observer struct {
	Sources map[string]providers.Source // by label of the kms block
	Readers map[string]providers.Reader // by label of the connection block
	Limits  *limits.Limits
	Now     func() time.Time
	// Sleep waits, or returns ctx's error when ctx ends first.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Observation is what was read. It holds secret values, in memory only.
type Observation struct {
	// Folders are those that were listed by themselves: of sources, of what these
	// import, and of what values refer to.
	Folders map[graph.SourceRef]*resolve.Read
	// Trees are those of recursive sources.
	Trees map[graph.SourceRef]*resolve.Tree
	// Answers are those to what was asked besides; see [Observer.Ask].
	Answers      map[Question]Answer
	Destinations map[graph.DestinationRef]*DestinationRead
	// Overlaps says why a sync must not run: it and another turned out to share a
	// destination, of which one would delete what the other writes.
	Overlaps map[*config.Sync]error

	yields *yields // nil: nothing is kept
}

// DestinationRead is one destination as it was read, or why it could not be.
type DestinationRead struct {
	// ID is the repository's UUID, and "/" and the environment's if there is one; or
	// the workspace's UUID, for its own variables.
	ID              string
	RepositoryUUID  string // "" for the workspace's own variables
	EnvironmentUUID string
	EnvironmentSlug string
	Ref             graph.DestinationRef // with the environment's real name
	Scope           providers.Scope
	Listing         providers.VariableListing
	Err             error
}

// Observe reads every folder and destination of the graph, each once, with the
// fewest requests: one list per folder (of a source, of what it imports, of what its
// values refer to), one environment list per repository with
// a deployment environment, one listing per scope, and one GET per repository or
// workspace that the ledger cannot identify. A failed read is part of the result.
func (o *Observer) Observe(ctx context.Context, g *graph.Graph, state *ledger.State) *Observation {
	obs := &Observation{
		yields:  &yields{done: map[block]Yield{}},
		Folders: map[graph.SourceRef]*resolve.Read{}, Trees: map[graph.SourceRef]*resolve.Tree{}, Destinations: map[graph.DestinationRef]*DestinationRead{},
	}
	var work sync.WaitGroup
	work.Go(func() { o.readSources(ctx, g, obs) })
	for _, refs := range o.byRepository(g.Destinations) {
		reads := make([]*DestinationRead, len(refs))
		for i, ref := range refs {
			reads[i] = &DestinationRead{Ref: ref}
			obs.Destinations[ref] = reads[i]
		}
		r := &repositoryReader{Observer: o, reader: o.Readers[refs[0].Connection], state: state, reads: reads, first: refs[0]}
		work.Go(func() { r.read(ctx) })
	}
	work.Wait()
	shareRenamed(g, obs)
	tellApart(obs)
	obs.Overlaps = overlaps(g, obs)
	return obs
}

// shareRenamed lets what a sync left in a repository that was renamed since be found
// under the new name, where another sync has that.
func shareRenamed(g *graph.Graph, obs *Observation) {
	for _, n := range g.Nodes {
		left := obs.Destinations[n.Destination]
		if n.Removed == nil || left == nil {
			continue
		}
		for ref, read := range obs.Destinations {
			if read.Err == nil && read.ID == n.LedgerID && !strings.EqualFold(ref.Repository, n.Destination.Repository) {
				obs.Destinations[n.Destination] = read
			}
		}
	}
}

// tellApart refuses destinations of one UUID under different names, also a workspace
// and a repository: one of them is not what it seems, and what is meant for one must
// not get into the other.
func tellApart(obs *Observation) {
	names := map[string]map[string]bool{} // by UUID
	for _, read := range obs.Destinations {
		if read.Err == nil {
			if names[identity.RootOf(read.ID)] == nil {
				names[identity.RootOf(read.ID)] = map[string]bool{}
			}
			names[identity.RootOf(read.ID)][strings.ToLower(read.Ref.Root().String())] = true
		}
	}
	for _, read := range obs.Destinations {
		if same := names[identity.RootOf(read.ID)]; read.Err == nil && len(same) > 1 {
			read.Err = &providers.Error{
				Op: "identify " + read.Ref.RootKind(), Scope: read.Ref.Root().String(), Kind: providers.KindAmbiguous,
				Hint: fmt.Sprintf("%s are said to be one %s, so which of them is meant is not known and nothing is written there; "+
					"if one is an old name, write the new one", strings.Join(slices.Sorted(maps.Keys(same)), " and "), read.Ref.RootKind()),
			}
		}
	}
}

// stopped is the error of a request that was not sent, since the run ends.
func stopped(op, scope string) error {
	return &providers.Error{Op: op, Scope: scope, Kind: providers.KindCanceled}
}

// repositoryKey is what bounds of requests are counted by. A workspace's own
// variables have a bound of their own, "acme/".
func repositoryKey(d graph.DestinationRef) string { return d.Workspace + "/" + d.Repository }

// byRepository groups sorted destinations by the account that reads them and the
// repository; a workspace's own variables are a group of their own.
func (o *Observer) byRepository(refs []graph.DestinationRef) [][]graph.DestinationRef {
	type repository struct {
		providers.Reader
		name string
	}
	var groups [][]graph.DestinationRef
	index := map[repository]int{}
	for _, ref := range refs {
		r := repository{o.Readers[ref.Connection], strings.ToLower(repositoryKey(ref))}
		i, ok := index[r]
		if !ok {
			i = len(groups)
			index[r] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], ref)
	}
	return groups
}
