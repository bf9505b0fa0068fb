package observe

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// MaxAgeOfEvidence is how old a read may be when the first write that rests on
// it is sent.
const MaxAgeOfEvidence = 30 * time.Second

// Refresher reads destinations again, each through the same function whatever
// the cause: evidence that has grown old, or a conflict. Its methods may be
// called from several goroutines.
type Refresher struct {
	observer *Observer
	graph    *graph.Graph
	state    *ledger.State
	mu       sync.Mutex // guards obs
	obs      *Observation
	folders  map[graph.SourceRef]*sync.Mutex // held while a folder is read again
}

// NewRefresher returns a refresher that starts from what was observed. It takes
// the observation over: nobody else may change it.
func NewRefresher(o *Observer, g *graph.Graph, state *ledger.State, obs *Observation) *Refresher {
	folders := map[graph.SourceRef]*sync.Mutex{}
	same := map[*FolderRead]*sync.Mutex{}
	for ref, read := range obs.Folders {
		if same[read] == nil {
			same[read] = &sync.Mutex{}
		}
		folders[ref] = same[read]
	}
	return &Refresher{observer: o, graph: g, state: state, obs: obs, folders: folders}
}

// ReadAt returns when the oldest of what the destination with this id rests on
// was read.
func (r *Refresher) ReadAt(id string) time.Time {
	var oldest time.Time
	view := r.view()
	folders, destinations := r.rests(view, id)
	note := func(at time.Time) {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	for _, ref := range destinations {
		if read := view.Destinations[ref]; read.Err == nil {
			note(read.Listing.ReadAt)
		}
	}
	for ref := range folders {
		if read := view.Folders[ref]; read.Err == nil {
			note(read.Listing.ReadAt)
		}
	}
	return oldest
}

// Refresh reads the destination with this id, and the folders that feed it,
// again where they were read more than [MaxAgeOfEvidence] before now, and returns
// what is known then. A folder that feeds many destinations is read again once.
func (r *Refresher) Refresh(ctx context.Context, id string, now time.Time) *Observation {
	folders, destinations := r.rests(r.view(), id)
	var work sync.WaitGroup
	for ref := range folders {
		work.Go(func() { r.refreshFolder(ctx, ref, now) })
	}
	for _, refs := range r.places(destinations) {
		work.Go(func() { r.refreshDestination(ctx, refs, now) })
	}
	work.Wait()
	return r.view()
}

// view copies what is known, so that it stays as it is while others read on.
func (r *Refresher) view() *Observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Observation{
		Folders: maps.Clone(r.obs.Folders), Destinations: maps.Clone(r.obs.Destinations), Overlaps: r.obs.Overlaps,
	}
}

// rests returns the folders and the spellings that a destination rests on.
func (r *Refresher) rests(view *Observation, id string) (map[graph.SourceRef]bool, []graph.DestinationRef) {
	folders := map[graph.SourceRef]bool{}
	var destinations []graph.DestinationRef
	for _, n := range r.graph.Nodes {
		read := view.Destinations[n.Destination]
		if read == nil || read.ID != id || !n.IsRead() {
			continue
		}
		if !slices.Contains(destinations, n.Destination) {
			destinations = append(destinations, n.Destination)
		}
		for _, ref := range n.Folders {
			folders[ref] = true
		}
	}
	return folders, destinations
}

// isOld reports whether what was read at a time is too old to write by.
func isOld(readAt, now time.Time) bool { return providers.Elapsed(readAt, now) > MaxAgeOfEvidence }

// refreshFolder reads a folder again, for every block that leads there.
func (r *Refresher) refreshFolder(ctx context.Context, ref graph.SourceRef, now time.Time) {
	r.folders[ref].Lock()
	defer r.folders[ref].Unlock()
	r.mu.Lock()
	old := r.obs.Folders[ref]
	r.mu.Unlock()
	if old.Err != nil || !isOld(old.Listing.ReadAt, now) {
		return
	}
	read := r.observer.folder(ctx, ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, same := range r.obs.Folders {
		if same == old {
			r.obs.Folders[other] = &read
		}
	}
}

// place is one scope as one account sees it, whatever its connections are called.
type place struct {
	reader providers.Reader
	scope  providers.Scope
}

// places groups the spellings of a destination that one list answers.
func (r *Refresher) places(refs []graph.DestinationRef) map[place][]graph.DestinationRef {
	r.mu.Lock()
	defer r.mu.Unlock()
	places := map[place][]graph.DestinationRef{}
	for _, ref := range refs {
		p := place{r.observer.Readers[ref.Connection], r.obs.Destinations[ref].Scope}
		places[p] = append(places[p], ref)
	}
	return places
}

func (r *Refresher) refreshDestination(ctx context.Context, refs []graph.DestinationRef, now time.Time) {
	r.mu.Lock()
	old := *r.obs.Destinations[refs[0]]
	r.mu.Unlock()
	if old.Err != nil || !isOld(old.Listing.ReadAt, now) {
		return
	}
	listing, err := r.Variables(ctx, refs[0])
	if err == nil {
		err = r.sameRepository(ctx, refs[0], old, listing)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ref := range refs {
		read := *r.obs.Destinations[ref]
		if read.Listing, read.Err = listing, err; err == nil {
			read.suspectEmpty(r.state)
		}
		r.obs.Destinations[ref] = &read
	}
}

// sameRepository proves that the name still means the repository or workspace that
// the plan is about: a variable seen before is there, at no cost, or else its UUID is read.
// While a question was open, the name may have gone to another repository.
func (r *Refresher) sameRepository(ctx context.Context, ref graph.DestinationRef, old DestinationRead, listing providers.VariableListing) error {
	before := map[string]bool{}
	for _, v := range old.Listing.Variables {
		before[v.UUID] = true
	}
	for _, v := range listing.Variables {
		if before[v.UUID] {
			return nil
		}
	}
	uuid, err := r.observer.identify(ctx, ref)
	if known := rootOf(old.ID); err == nil && uuid != known {
		err = otherRepository(ref, known, uuid)
	}
	return err
}

// Variables lists a destination again, whatever its age.
func (r *Refresher) Variables(ctx context.Context, ref graph.DestinationRef) (providers.VariableListing, error) {
	r.mu.Lock()
	scope := r.obs.Destinations[ref].Scope
	r.mu.Unlock()
	var listing providers.VariableListing
	var err error
	if stop := r.observer.Limits.Do(ctx, repositoryKey(ref), func() {
		listing, err = r.observer.Readers[ref.Connection].Variables(ctx, scope)
	}); stop != nil {
		return listing, stopped("list variables", ref.String())
	}
	return listing, err
}

// Identity returns the id of a destination by the name it is observed by, or ""
// where that is not known.
func (r *Refresher) Identity(written graph.DestinationRef) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if read := r.obs.Destinations[written]; read != nil {
		return read.ID
	}
	return ""
}
