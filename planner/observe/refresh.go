package observe

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/identity"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/resolve"
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
	asking   sync.Mutex               // held while questions are asked again
	again    map[folderOf]*sync.Mutex // held while a folder is read again
}

// NewRefresher returns a refresher that starts from what was observed. It takes
// the observation over: nobody else may change it.
func NewRefresher(o *Observer, g *graph.Graph, state *ledger.State, obs *Observation) *Refresher {
	return &Refresher{observer: o, graph: g, state: state, obs: obs, again: map[folderOf]*sync.Mutex{}}
}

// ReadAt returns when the oldest of what the destination with this id rests on
// was read.
func (r *Refresher) ReadAt(id string) time.Time {
	var oldest time.Time
	view := r.view()
	on := r.rests(view, id)
	note := func(at time.Time, err error) {
		if err == nil && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	for _, ref := range on.destinations {
		note(view.Destinations[ref].Listing.ReadAt, view.Destinations[ref].Err)
	}
	for ref := range on.folders {
		note(view.Folders[ref].Listing.ReadAt, view.Folders[ref].Err)
	}
	for ref := range on.trees {
		note(view.Trees[ref].Listing.ReadAt, view.Trees[ref].Err)
	}
	return oldest
}

// Refresh reads the destination with this id, and the folders that feed it,
// again where they were read more than [MaxAgeOfEvidence] before now, and returns
// what is known then. A folder that feeds many destinations is read again once. What
// a value refers to now, and did not before, is read too.
func (r *Refresher) Refresh(ctx context.Context, id string, now time.Time) *Observation {
	r.dropAnswers(now)
	var work sync.WaitGroup
	on := r.rests(r.view(), id)
	fresh := map[graph.SourceRef]bool{}
	folders := func(refs map[graph.SourceRef]bool) {
		for ref := range refs {
			if !fresh[ref] {
				fresh[ref] = true
				work.Go(func() { r.refreshFolder(ctx, ref, now) })
			}
		}
	}
	folders(on.folders)
	for ref := range on.trees {
		work.Go(func() { r.refreshTree(ctx, ref, now) })
	}
	for _, refs := range r.places(on.destinations) {
		work.Go(func() { r.refreshDestination(ctx, refs, now) })
	}
	work.Wait()
	for range maxRounds {
		view, before := r.view(), len(fresh)
		on := r.rests(view, id)
		folders(on.needs)
		folders(on.folders) // what a value refers to only now may be old
		links := 0
		for ref := range on.needs {
			if view.Folders[ref] != nil {
				links++
				work.Go(func() { r.linkFolder(ctx, ref) })
			}
		}
		if len(fresh) == before && links == 0 {
			return view
		}
		work.Wait()
	}
	return r.view()
}

// view copies what is known, so that it stays as it is while others read on.
func (r *Refresher) view() *Observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Observation{
		Folders: maps.Clone(r.obs.Folders), Trees: maps.Clone(r.obs.Trees), Destinations: maps.Clone(r.obs.Destinations),
		Answers: r.obs.Answers, Overlaps: r.obs.Overlaps, yields: &yields{done: map[block]Yield{}},
	}
}

// rests is what a destination rests on: reads of folders and trees, folders that were
// not read yet, and the spellings of the destination.
type rests struct {
	folders, trees, needs map[graph.SourceRef]bool
	destinations          []graph.DestinationRef
}

func (r *Refresher) rests(view *Observation, id string) rests {
	on := rests{folders: map[graph.SourceRef]bool{}, trees: map[graph.SourceRef]bool{}, needs: map[graph.SourceRef]bool{}}
	for _, n := range r.graph.Nodes {
		read := view.Destinations[n.Destination]
		if read == nil || read.ID != id || !n.IsRead() {
			continue
		}
		if !slices.Contains(on.destinations, n.Destination) {
			on.destinations = append(on.destinations, n.Destination)
		}
		for i, ref := range n.Folders {
			if view.SourceError(n, i) != nil {
				continue
			}
			if !n.Sync.Sources[i].Recursive.Value {
				on.folders[ref] = true
			}
			y := view.Yield(n, i)
			maps.Copy(on.folders, y.Folders)
			maps.Copy(on.trees, y.Trees)
			maps.Copy(on.needs, y.Needs)
		}
	}
	return on
}

// isOld reports whether what was read at a time is too old to write by.
func isOld(readAt, now time.Time) bool { return providers.Elapsed(readAt, now) > MaxAgeOfEvidence }

// alone waits until nobody else reads the folder again, and returns what ends that.
func (r *Refresher) alone(of folderOf) (done func()) {
	r.mu.Lock()
	if r.again[of] == nil {
		r.again[of] = &sync.Mutex{}
	}
	lock := r.again[of]
	r.mu.Unlock()
	lock.Lock()
	return lock.Unlock
}

// refreshFolder reads a folder again, or for the first time, for every block that
// leads there.
func (r *Refresher) refreshFolder(ctx context.Context, ref graph.SourceRef, now time.Time) {
	of := r.observer.folderOf(ref)
	defer r.alone(of)()
	r.mu.Lock()
	old := r.obs.Folders[ref]
	r.mu.Unlock()
	if old != nil && (old.Err != nil || !isOld(old.Listing.ReadAt, now)) {
		return
	}
	read := r.observer.folder(ctx, ref)
	r.replace(of, ref, &read)
}

// linkFolder lists the imports of a folder whose secrets were read.
func (r *Refresher) linkFolder(ctx context.Context, ref graph.SourceRef) {
	of := r.observer.folderOf(ref)
	defer r.alone(of)()
	r.mu.Lock()
	read := *r.obs.Folders[ref]
	r.mu.Unlock()
	if !read.Linked {
		r.observer.link(ctx, ref, &read)
		r.replace(of, ref, &read)
	}
}

// replace puts a read in the place of the one before, for every block that leads there.
func (r *Refresher) replace(of folderOf, ref graph.SourceRef, read *resolve.Read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.obs.Folders[ref] = read
	for other := range r.obs.Folders {
		if r.observer.folderOf(other) == of {
			r.obs.Folders[other] = read
		}
	}
}

func (r *Refresher) refreshTree(ctx context.Context, ref graph.SourceRef, now time.Time) {
	of := r.observer.folderOf(ref)
	defer r.alone(of)()
	r.mu.Lock()
	old := r.obs.Trees[ref]
	r.mu.Unlock()
	if old.Err != nil || !isOld(old.Listing.ReadAt, now) {
		return
	}
	read := r.observer.tree(ctx, ref, r.graph.WantsImports(ref))
	r.mu.Lock()
	defer r.mu.Unlock()
	for other := range r.obs.Trees {
		if r.observer.folderOf(other) == of {
			r.obs.Trees[other] = read
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
	if known := identity.RootOf(old.ID); err == nil && uuid != known {
		err = identity.OtherRepository(r.state, ref, known, uuid)
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
