package observe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/providers"
)

// sourceReader reads what the syncs of a graph need of the KMS: their folders, then
// those that these import and refer to, as far as somebody wants what comes from
// there. Each folder of a project is listed once, whoever needs it.
type sourceReader struct {
	*Observer
	graph *graph.Graph
	obs   *Observation
	known map[folderOf]*resolve.Read
	trees map[folderOf]*resolve.Tree
}

// folderOf is a folder of one project, whatever the blocks are called that lead
// there.
type folderOf struct {
	providers.Source
	providers.Folder
}

func (o *Observer) folderOf(ref graph.SourceRef) folderOf {
	return folderOf{o.Sources[ref.KMS], folderAt(ref)}
}

func (o *Observer) readSources(ctx context.Context, g *graph.Graph, obs *Observation) {
	r := &sourceReader{Observer: o, graph: g, obs: obs, known: map[folderOf]*resolve.Read{}, trees: map[folderOf]*resolve.Tree{}}
	r.begin(ctx)
	for range maxRounds {
		needs := map[graph.SourceRef]bool{}
		for _, n := range g.Nodes {
			obs.collectNeeds(n, needs)
		}
		if len(needs) == 0 {
			return
		}
		r.folders(ctx, needs)
	}
}

// maxRounds is how often more is read because of what was read: references are followed
// ten deep and imports two. What is still missing then stops what depends on it.
const maxRounds = 64

// collectNeeds adds the folders that a sync depends on and that were not read.
func (obs *Observation) collectNeeds(n *graph.Node, needs map[graph.SourceRef]bool) {
	if !n.IsRead() {
		return
	}
	for i := range n.Folders {
		if obs.SourceError(n, i) == nil {
			for ref := range obs.Yield(n, i).Needs {
				needs[ref] = true
			}
		}
	}
}

// begin reads the folders and trees that source blocks name. The first one of a KMS
// brings the login and the look-up along. The others wait for it outside of the
// limits, so that Bitbucket is read meanwhile.
func (r *sourceReader) begin(ctx context.Context) {
	var work sync.WaitGroup
	first := map[providers.Source]chan struct{}{}
	start := func(of folderOf, read func()) {
		before, known := first[of.Source], make(chan struct{})
		if before == nil {
			first[of.Source] = known
		}
		work.Go(func() {
			if before != nil {
				<-before
			}
			read()
			close(known)
		})
	}
	for _, ref := range r.graph.Folders {
		of := r.folderOf(ref)
		if r.known[of] == nil {
			read := &resolve.Read{}
			r.known[of] = read
			start(of, func() { *read = r.folder(ctx, ref) })
		}
		r.obs.Folders[ref] = r.known[of]
	}
	for _, ref := range r.graph.Trees {
		of := r.folderOf(ref)
		if r.trees[of] == nil {
			tree := &resolve.Tree{}
			r.trees[of] = tree
			start(of, func() { *tree = *r.tree(ctx, ref, r.graph.WantsImports(ref)) })
		}
		r.obs.Trees[ref] = r.trees[of]
	}
	work.Wait()
}

// maxFolders bounds how many folders a run reads besides those of sources: whoever may
// write secrets could else make it read without end.
const maxFolders = 5000

// folders reads more folders, or the imports of folders that were read, all at the same
// time.
func (r *sourceReader) folders(ctx context.Context, refs map[graph.SourceRef]bool) {
	var work sync.WaitGroup
	linking := map[folderOf]bool{}
	for _, ref := range slices.SortedFunc(maps.Keys(refs), graph.CompareSources) {
		of := r.folderOf(ref)
		read := r.known[of]
		switch {
		case read == nil && len(r.known) >= len(r.graph.Folders)+maxFolders:
			r.known[of] = &resolve.Read{Err: &providers.Error{
				Op: "list secrets", Scope: ref.String(), Kind: providers.KindUnsupported,
				Hint: fmt.Sprintf("Imports and references lead to more than %d folders.", maxFolders),
			}}
		case read == nil:
			read = &resolve.Read{}
			r.known[of] = read
			work.Go(func() { *read = r.folder(ctx, ref) })
		case r.obs.Folders[ref] != nil && !linking[of]:
			linking[of] = true
			work.Go(func() { r.link(ctx, ref, read) })
		}
		r.obs.Folders[ref] = r.known[of]
	}
	work.Wait()
}

// link lists the imports of a folder that was read.
func (o *Observer) link(ctx context.Context, ref graph.SourceRef, read *resolve.Read) {
	stop := o.Limits.Do(ctx, "", func() {
		read.Links, read.LinksErr = o.Sources[ref.KMS].Imports(ctx, folderAt(ref))
	})
	if stop != nil {
		read.LinksErr = stopped("list imports", ref.String())
	}
	read.Linked = true
}

func (o *Observer) folder(ctx context.Context, ref graph.SourceRef) (read resolve.Read) {
	err := o.Limits.Do(ctx, "", func() {
		read.Listing, read.Err = o.Sources[ref.KMS].List(ctx, folderAt(ref))
	})
	if err != nil {
		read.Err = stopped("list secrets", ref.String())
	}
	return read
}

// tree reads a folder with all below it, and the names of its folders where that
// matters.
func (o *Observer) tree(ctx context.Context, ref graph.SourceRef, imports bool) *resolve.Tree {
	var listing providers.TreeListing
	var folders []providers.Folder
	var err error
	stop := o.Limits.Do(ctx, "", func() {
		listing, err = o.Sources[ref.KMS].ListTree(ctx, folderAt(ref))
	})
	if stop == nil && err == nil && imports && listing.Imports {
		stop = o.Limits.Do(ctx, "", func() {
			folders, err = o.Sources[ref.KMS].Folders(ctx, folderAt(ref))
		})
	}
	switch {
	case stop != nil:
		return &resolve.Tree{Err: stopped("list secrets", ref.String())}
	case err != nil:
		return &resolve.Tree{Err: err}
	}
	return resolve.NewTree(listing, folders)
}
