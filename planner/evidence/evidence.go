// Package evidence says what is to be proven before a variable is deleted: no list of a
// KMS proves that a secret is not there, since servers leave out what an identity may
// not read. It is pure: [Questions] says what to ask, [Doubts] what the answers leave
// open.
package evidence

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// Questions returns what is still to be asked before the deletes of a plan rest on
// what the KMS says, and not on what its lists leave out. It returns nothing for a
// plan without deletes.
func Questions(g *graph.Graph, obs *observe.Observation, p *plan.Plan) []observe.Question {
	asked := map[observe.Question]bool{}
	var questions []observe.Question
	for _, n := range g.Nodes {
		for _, q := range proofOf(n, obs, p).questions {
			if !asked[q] {
				asked[q] = true
				questions = append(questions, q)
			}
		}
	}
	return questions
}

// Doubts returns what is not proven about the sources of a sync, for its deletes in the
// plan.
func Doubts(n *graph.Node, obs *observe.Observation, p *plan.Plan) []providers.Doubt {
	return proofOf(n, obs, p).doubts
}

// Broken returns a doubt for each folder that imports or values of a source block lead to
// and that could not be read. That one may not be read, or is not there, is an answer:
// it refuses the keys it concerns, and no more.
func Broken(n *graph.Node, obs *observe.Observation, i int) []providers.Doubt {
	var doubts []providers.Doubt
	for _, at := range slices.SortedFunc(maps.Keys(obs.Yield(n, i).Folders), graph.CompareSources) {
		err := cmp.Or(obs.Folders[at].Err, obs.Folders[at].LinksErr)
		switch kind := providers.KindOf(err); {
		case err == nil, kind == providers.KindForbidden, kind == providers.KindNotFound:
		default:
			doubts = append(doubts, providers.Doubt{
				Kind: providers.DoubtIncomplete, Detail: fmt.Sprintf("%s, which the source %s has values from, could not be read whole: %s. Try again, or leave the sync out with --exclude %s.",
					at, n.Folders[i], cause(err), address.Quote(n.Sync.Address)),
			})
		}
	}
	return doubts
}

// proof collects, for the deletes of one sync, what is not proven about its sources
// and what is still to be asked.
type proof struct {
	node      *graph.Node
	obs       *observe.Observation
	overwrite bool // a variable that kmsync never wrote would be deleted
	// hidden are folders that a key came from and that no source leads to any more, as
	// far as lists show.
	hidden    []graph.SourceRef
	doubts    []providers.Doubt
	questions []observe.Question
}

// proofOf looks at the deletes that a plan has for a sync.
func proofOf(n *graph.Node, obs *observe.Observation, p *plan.Plan) *proof {
	e := &proof{node: n, obs: obs}
	deletes := deletesOf(n, p)
	if !n.IsRead() || len(deletes) == 0 {
		return e
	}
	for _, c := range deletes {
		e.overwrite = e.overwrite || c.Reason == verdict.OverwriteDestination
		if c.Reason == verdict.NotIncluded && !obs.Reaches(n, c.Source) {
			e.hidden = append(e.hidden, c.Source)
		}
	}
	for i := range n.Folders {
		if obs.SourceError(n, i) == nil {
			e.source(i)
		}
	}
	for _, c := range deletes {
		switch {
		case c.Reason == verdict.GoneFromSource:
			e.gone(c)
		case c.Reason == verdict.OverwriteDestination && c.SecretKey != "": // the ledger knows what was there
			e.gone(c)
		case c.Reason == verdict.NotIncluded && !obs.Reaches(n, c.Source):
			e.elsewhere(c)
		}
	}
	return e
}

// deletesOf returns the deletes of a sync that rest on what its sources hold.
func deletesOf(n *graph.Node, p *plan.Plan) []plan.Change {
	var deletes []plan.Change
	for _, s := range p.Syncs {
		if s.Address != n.Sync.Address || s.Written != n.Destination {
			continue
		}
		for _, c := range s.Changes {
			if restsOnSources(c) {
				deletes = append(deletes, c)
			}
		}
	}
	return deletes
}

// restsOnSources reports whether a delete would happen if all is proven, for what its
// sources hold. One that waits for a consent or a number is proven when it has that.
func restsOnSources(c plan.Change) bool {
	switch c.Reason {
	case verdict.SyncRemoved, verdict.Destroyed:
		return false
	}
	return c.Deletes() && (c.BlockedBy == verdict.NotBlocked || c.BlockedBy == verdict.InDoubt)
}

// ask returns the answer to a question, or notes that it is to be asked.
func (e *proof) ask(kind observe.QuestionKind, at graph.SourceRef, name string) (observe.Answer, bool) {
	q := observe.Question{Kind: kind, At: at, Name: name}
	a, asked := e.obs.Answer(q)
	if !asked && kind == observe.OfImports {
		a, asked = e.links(at)
	}
	if !asked {
		e.questions = append(e.questions, q)
	}
	return a, asked
}

// links returns the imports of a folder where they were listed for its values.
func (e *proof) links(at graph.SourceRef) (a observe.Answer, known bool) {
	read := e.obs.Folders[at]
	if read == nil || !read.Linked {
		return a, false
	}
	for _, f := range read.Links {
		a.Folders = append(a.Folders, graph.SourceRef{KMS: at.KMS, Environment: f.Environment, Path: f.Path})
	}
	a.Err = read.LinksErr
	return a, true
}

func (e *proof) doubt(kind providers.DoubtKind, format string, args ...any) {
	e.doubts = append(e.doubts, providers.Doubt{Kind: kind, Detail: fmt.Sprintf(format, args...)})
}

// source proves that a source block was seen whole.
func (e *proof) source(i int) {
	source, root := e.node.Sync.Sources[i], e.node.Folders[i]
	folders := []graph.SourceRef{root}
	if source.Recursive.Value {
		a, asked := e.ask(observe.OfFolders, root, "")
		switch {
		case !asked:
			return
		case a.Err != nil:
			e.doubt(providers.DoubtIncomplete, "Which folders are below %s is not known: %s. Give the identity that right, or list the folders as sources of their own.", root, cause(a.Err))
			return
		}
		folders = a.Folders
		seen := e.obs.Seen(e.node, i)
		for _, at := range folders {
			if !slices.Contains(seen, at) {
				e.readable(at, "A folder below "+root.String())
			}
		}
	}
	for _, at := range folders {
		if e.overwrite {
			e.readable(at, "The source")
		}
		if source.IncludeImports.Value && !e.node.Sync.Options.AllowUnprovenImports.Value {
			e.imports(at)
		}
	}
}

// readable proves that a folder exists and that its secrets may be read.
func (e *proof) readable(at graph.SourceRef, what string) {
	if read := e.obs.Folders[at]; read != nil && read.Err == nil && len(read.Listing.Secrets) == 0 {
		return // a list without secrets has proven that
	}
	if a, asked := e.ask(observe.OfFolder, at, ""); asked && a.Err != nil {
		e.doubt(providers.DoubtIncomplete, "%s, %s, is not proven to be read whole: %s. Give the identity the right to read it, or leave it out.", what, at, cause(a.Err))
	}
}

// imports proves that each import of a folder was seen: servers leave out, without a
// word, what the identity may not read, and old ones mix up blocks.
func (e *proof) imports(at graph.SourceRef) {
	a, asked := e.ask(observe.OfImports, at, "")
	switch {
	case !asked:
		return
	case a.Err != nil:
		e.unproven("What %s imports is not known: %s.", at, cause(a.Err))
		return
	}
	read := e.obs.Folders[at]
	if read == nil || read.Err != nil {
		if len(a.Folders) > 0 {
			e.unproven("%s imports %s, which the list did not show.", at, a.Folders[0])
		}
		return
	}
	if read.Listing.Shifted {
		e.unproven("%s imports a folder that no longer exists, and this server then shows secrets under the wrong import.", at)
		return
	}
	for _, from := range a.Folders {
		e.block(at, from, read.Listing.Imports)
	}
	if !e.overwrite && len(e.hidden) == 0 {
		return
	}
	for _, from := range a.Folders {
		e.far(at, from)
		nested, asked := e.ask(observe.OfImports, from, "")
		switch {
		case asked && providers.KindOf(nested.Err) == providers.KindNotFound: // it is gone, and imports nothing
		case asked && nested.Err != nil:
			e.unproven("What %s imports is not known: %s.", from, cause(nested.Err))
		}
		for _, folder := range nested.Folders {
			e.far(from, folder)
		}
	}
}

// far looks at an imported folder that lists may not have shown at all.
func (e *proof) far(at, from graph.SourceRef) {
	if e.overwrite {
		e.readable(from, "An import of "+at.String())
	}
	if slices.Contains(e.hidden, from) {
		e.unproven("%s imports %s, which the lists do not show, as for an identity that may not read it.", at, from)
	}
}

// cause is an error as part of a sentence.
func cause(err error) string { return strings.TrimSuffix(err.Error(), ".") }

// block proves that an import has its block.
func (e *proof) block(at, from graph.SourceRef, blocks []providers.Import) {
	i := slices.IndexFunc(blocks, func(b providers.Import) bool {
		return b.Folder == providers.Folder{Environment: from.Environment, Path: from.Path}
	})
	switch {
	case i < 0:
		e.unproven("%s imports %s, which the list left out, as for an identity that may not read it.", at, from)
	case blocks[i].FolderID == "":
		e.unproven("%s imports %s, which has no folder; restore the folder or remove the import.", at, from)
	case len(blocks[i].Names) == 0:
		if a, asked := e.ask(observe.OfFolder, from, ""); asked && a.Err != nil {
			e.unproven("%s imports %s, which shows no secrets and is not proven to be empty: %s.", at, from, cause(a.Err))
		}
	}
}

func (e *proof) unproven(format string, args ...any) {
	e.doubt(providers.DoubtImports, format+" Give the identity the right to read it, remove the import, or set allow_unproven_imports = true in the options of %s.",
		append(args, e.node.Sync.Address)...)
}

// gone proves that a secret which a list lacks is not there: rights on single names
// hide rows.
func (e *proof) gone(c plan.Change) {
	a, asked := e.ask(observe.OfSecret, c.Source, c.SecretKey)
	switch {
	case !asked:
	case providers.KindOf(a.Err) == providers.KindNotFound && !slices.Contains(e.node.Folders, c.Source): // the folder is gone
	case a.Err != nil:
		e.doubt(providers.DoubtIncomplete, "Whether %s of %s is gone is not proven: %s. Give the identity the right to read it.", c.SecretKey, c.Source, cause(a.Err))
	case a.Found:
		e.doubt(providers.DoubtIncomplete, "%s of %s is there, although the list lacks it: a right of the identity may hide it. Give the identity the right to read it, or exclude the name.", c.SecretKey, c.Source)
	}
}

// elsewhere proves of a key that came from a folder to which no source leads any more
// that the folders of today do not hide a secret of its name: the block may just have
// another label, or another path.
func (e *proof) elsewhere(c plan.Change) {
	for i, source := range e.node.Sync.Sources {
		if !source.Wants(c.SecretKey) {
			continue
		}
		for _, at := range append([]graph.SourceRef{e.node.Folders[i]}, e.obs.Seen(e.node, i)...) {
			if slices.ContainsFunc(e.obs.Secrets(at), func(s providers.Secret) bool { return s.Name == c.SecretKey }) {
				continue
			}
			there := c
			there.Source = at
			e.gone(there)
		}
	}
}
