package observe

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/resolve"
	"github.com/hanzoai/kmsync/providers"
)

// Yield is what one source block of a sync yields.
type Yield struct {
	Items []resolve.Item
	// Names are all names that the source has, those not included too.
	Names map[string]bool
	// Folders and Trees are the reads that the answer rests on.
	Folders, Trees map[graph.SourceRef]bool
	// Needs are folders of which something was not read yet: their secrets, or, of one
	// whose secrets were, its imports. What depends on them has a problem.
	Needs map[graph.SourceRef]bool
}

// yields keeps what source blocks yield, once all that it rests on was read.
type yields struct {
	mu   sync.Mutex
	done map[block]Yield
}

// block is a source block of a sync.
type block struct {
	node  *graph.Node
	index int
}

// Yield returns what the source block with that index of a sync yields. A source that
// could not be read yields nothing. The answer is shared: nobody may change it.
func (obs *Observation) Yield(n *graph.Node, i int) Yield {
	if obs.yields == nil {
		return obs.yield(n, i)
	}
	obs.yields.mu.Lock()
	y, known := obs.yields.done[block{n, i}]
	obs.yields.mu.Unlock()
	if known {
		return y
	}
	if y = obs.yield(n, i); len(y.Needs) == 0 {
		obs.yields.mu.Lock()
		obs.yields.done[block{n, i}] = y
		obs.yields.mu.Unlock()
	}
	return y
}

func (obs *Observation) yield(n *graph.Node, i int) Yield {
	source, ref := n.Sync.Sources[i], n.Folders[i]
	y := Yield{
		Names: map[string]bool{}, Folders: map[graph.SourceRef]bool{}, Trees: map[graph.SourceRef]bool{}, Needs: map[graph.SourceRef]bool{},
	}
	folders, rows := obs.foldersOf(source, ref)
	if source.Recursive.Value {
		y.Trees[ref] = true
	}
	r := resolve.New(func(f providers.Folder) *resolve.Read {
		if read := rows.Read(f); read != nil {
			return read
		}
		return obs.find(refOf(ref.KMS, f), &y)
	})
	o := resolve.Options{Imports: source.IncludeImports.Value, Expand: source.ExpandReferences.Value, Takes: source.Wants}
	for _, folder := range folders {
		for name := range r.Names(folder, o.Imports) {
			y.Names[name] = true
		}
		y.Items = append(y.Items, r.Yield(folder, o)...)
	}
	for f := range r.Needs {
		y.Needs[refOf(ref.KMS, f)] = true
	}
	return y
}

// foldersOf returns the folders that a source block takes secrets from, and those of
// them that a recursive list answers for.
func (obs *Observation) foldersOf(source *config.Source, ref graph.SourceRef) ([]providers.Folder, *resolve.Tree) {
	if !source.Recursive.Value {
		return []providers.Folder{{Environment: ref.Environment, Path: ref.Path}}, nil
	}
	tree := obs.Trees[ref]
	if tree.Err != nil {
		return nil, nil
	}
	if source.IncludeImports.Value && tree.Listing.Imports {
		return tree.Folders, nil
	}
	var folders []providers.Folder
	for _, f := range tree.Listing.Folders {
		folders = append(folders, f.Folder)
	}
	return folders, tree
}

// find returns a folder as it was read, by itself or as part of a tree that imports
// nothing, and notes in y what was found or needed.
func (obs *Observation) find(at graph.SourceRef, y *Yield) *resolve.Read {
	read, tree := obs.folder(at)
	switch {
	case read == nil:
		y.Needs[at] = true
	case tree == (graph.SourceRef{}):
		y.Folders[at] = true
	default:
		y.Trees[tree] = true
	}
	return read
}

// folder returns a folder as it was read; by which tree, where it was not read by
// itself.
func (obs *Observation) folder(at graph.SourceRef) (read *resolve.Read, tree graph.SourceRef) {
	if read := obs.Folders[at]; read != nil {
		return read, graph.SourceRef{}
	}
	for ref, tree := range obs.Trees {
		if ref.KMS == at.KMS && ref.Environment == at.Environment && tree.Err == nil && !tree.Listing.Imports {
			if read := tree.Read(folderAt(at)); read != nil {
				return read, ref
			}
		}
	}
	return nil, graph.SourceRef{}
}

// Reaches reports whether a sync takes secrets from a folder: it is one of its
// sources, below a recursive one, or imported by such a folder, as far as imports
// were read.
func (obs *Observation) Reaches(n *graph.Node, at graph.SourceRef) bool {
	for i, source := range n.Sync.Sources {
		ref := n.Folders[i]
		if ref.KMS != at.KMS || obs.SourceError(n, i) != nil {
			continue
		}
		folders, _ := obs.foldersOf(source, ref)
		seen := map[providers.Folder]bool{}
		for len(folders) > 0 {
			f := folders[0]
			folders = folders[1:]
			if refOf(at.KMS, f) == at {
				return true
			}
			read, _ := obs.folder(refOf(at.KMS, f))
			if seen[f] || read == nil || !source.IncludeImports.Value {
				continue
			}
			seen[f] = true
			for _, block := range read.Listing.Imports {
				folders = append(folders, block.Folder)
			}
		}
		if source.Recursive.Value && ref.Contains(at) {
			return true
		}
	}
	return false
}

// Secrets returns the own secrets that a folder had when it was read, by itself or in
// any tree.
func (obs *Observation) Secrets(at graph.SourceRef) []providers.Secret {
	if read, _ := obs.folder(at); read != nil {
		return read.Listing.Secrets
	}
	for ref, tree := range obs.Trees {
		if read := tree.Read(folderAt(at)); ref.KMS == at.KMS && read != nil {
			return read.Listing.Secrets
		}
	}
	return nil
}

// SourceError returns why a source block of a sync could not be read, or nil. A folder
// of a tree that fails stops the whole, but for one that may not be read: recursive
// lists leave out such ones too.
func (obs *Observation) SourceError(n *graph.Node, i int) error {
	if !n.Sync.Sources[i].Recursive.Value {
		return obs.Folders[n.Folders[i]].Err
	}
	if err := obs.Trees[n.Folders[i]].Err; err != nil {
		return err
	}
	for _, at := range obs.apart(n, i) {
		if read := obs.Folders[at]; read != nil && read.Err != nil && !isLeftOut(read.Err) {
			return read.Err
		}
	}
	return nil
}

// isLeftOut reports whether a recursive list leaves out a folder that fails like this:
// it may not be read, or is gone since.
func isLeftOut(err error) bool {
	return providers.KindOf(err) == providers.KindForbidden || providers.KindOf(err) == providers.KindNotFound
}

// apart returns the folders of a tree that are listed by themselves, since some of
// them import others.
func (obs *Observation) apart(n *graph.Node, i int) []graph.SourceRef {
	source, tree := n.Sync.Sources[i], obs.Trees[n.Folders[i]]
	if !source.Recursive.Value || tree.Err != nil || !source.IncludeImports.Value || !tree.Listing.Imports {
		return nil
	}
	return refsOf(n.Folders[i].KMS, tree.Folders)
}

func folderAt(at graph.SourceRef) providers.Folder {
	return providers.Folder{Environment: at.Environment, Path: at.Path}
}

func refOf(kms string, f providers.Folder) graph.SourceRef {
	return graph.SourceRef{KMS: kms, Environment: f.Environment, Path: f.Path}
}

func refsOf(kms string, folders []providers.Folder) []graph.SourceRef {
	refs := make([]graph.SourceRef, len(folders))
	for i, f := range folders {
		refs[i] = refOf(kms, f)
	}
	return refs
}

// SourceDoubts returns what the read of a source block itself could not prove. What
// imports hold does not matter to one that leaves them out.
func (obs *Observation) SourceDoubts(n *graph.Node, i int) []providers.Doubt {
	var found []providers.Doubt
	if source := n.Sync.Sources[i]; source.Recursive.Value {
		found = obs.Trees[n.Folders[i]].Listing.Doubts
	} else {
		found = obs.Folders[n.Folders[i]].Listing.Doubts
	}
	for _, at := range obs.apart(n, i) {
		if read := obs.Folders[at]; read != nil && read.Err != nil && isLeftOut(read.Err) {
			found = append(slices.Clip(found), providers.Doubt{
				Kind: providers.DoubtIncomplete, Detail: fmt.Sprintf("%s, below the source %s, is left out: %s. Give the identity the right to read it, or make the source a narrower one.",
					at, n.Folders[i], strings.TrimSuffix(read.Err.Error(), ".")),
			})
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(d providers.Doubt) bool {
		return d.Kind == providers.DoubtImports && !n.Sync.Sources[i].IncludeImports.Value
	})
}
