package resolve

import (
	"slices"

	"github.com/hanzoai/kmsync/providers"
)

// imported returns the names that only imports of a folder have, sorted.
func (r *Resolver) imported(read *Read) []string {
	var names []string
	for _, block := range read.Listing.Imports {
		for _, name := range block.Names {
			if _, has := r.own(read, name); !has {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// locate finds the secret that the imports of a folder bring under a name: the
// later import beats the earlier. The value is that of the folder which it lives in,
// whatever the block shows: the imported folder, or else one that this imports.
// Servers follow imports of imports one level deep.
func (r *Resolver) locate(name string, at providers.Folder) Item {
	item := Item{Name: name, From: at}
	importing := r.Folder(at)
	l := importing.Listing
	if l.Shifted {
		item.Problem = refused("%s imports a folder that no longer exists, and this server then shows secrets under the wrong import; remove that import", at)
		return item
	}
	if item.Problem = r.shadow(importing, name, at); item.Problem != nil {
		return item
	}
	from := bringing(l, name)
	direct := from[len(from)-1]
	read := r.read(direct)
	switch {
	case read == nil:
		item.Problem = unread
	case read.Err != nil:
		item.Problem = refused("it is imported from %s, %s", direct, unreadable(read.Err))
	default:
		if s, has := r.own(read, name); has {
			item.From, item.Secret = direct, s
			return item
		}
		r.nested(&item, direct, read)
	}
	return item
}

// nested finds the secret in a folder that an imported one imports.
func (r *Resolver) nested(item *Item, direct providers.Folder, imported *Read) {
	l := imported.Listing
	candidates := bringing(l, item.Name)
	if l.Shifted { // the folders are right, the names are not
		candidates = nil
		for _, block := range l.Imports {
			candidates = append(candidates, block.Folder)
		}
	} else if item.Problem = r.shadow(imported, item.Name, direct); item.Problem != nil {
		return
	}
	var owners []providers.Folder
	for _, folder := range candidates {
		read := r.read(folder)
		if read == nil {
			item.Problem = unread
			return
		}
		if read.Err != nil && providers.KindOf(read.Err) != providers.KindNotFound {
			item.Problem = refused("%s imports %s, %s, and may have it from there", direct, folder, unreadable(read.Err))
			return
		}
		if s, has := r.own(read, item.Name); has && !slices.Contains(owners, folder) {
			owners = append(owners, folder)
			item.From, item.Secret = folder, s
		}
	}
	switch {
	case item.Problem != nil:
	case len(owners) == 0:
		item.Problem = refused("an import of %s shows it, and neither %s nor a folder that this imports has it for this identity", item.From, direct)
	case len(owners) > 1:
		item.Problem = refused("%s has it from %s and from %s, and servers do not agree which of them counts through another import; import the one that is meant", direct, owners[0], owners[1])
	}
}

// shadow says which later import may bring the name too, without this identity seeing
// it; it is nil where none may. A block that shows other names may lack those of a
// folder that it is made of.
func (r *Resolver) shadow(importing *Read, name string, at providers.Folder) *Problem {
	all, problem := r.links(importing, at)
	if problem != nil {
		return problem
	}
	for _, block := range slices.Backward(all) {
		if slices.Contains(block.Names, name) {
			return nil
		}
		if problem := r.mayHold(block, name, at, 1); problem != nil {
			return problem
		}
	}
	return nil
}

// mayHold looks for a name in an imported folder whose block does not show it, and in
// those that it imports, so many levels deep.
func (r *Resolver) mayHold(block link, name string, at providers.Folder, levels int) *Problem {
	if block.unseen {
		return refused("%s also imports %s, which this identity may not read, and what that holds would count before it", at, block.Folder)
	}
	read := r.read(block.Folder)
	switch {
	case read == nil:
		return unread
	case providers.KindOf(read.Err) == providers.KindNotFound:
		return nil
	case read.Err != nil:
		return refused("%s also imports %s, %s, and what that holds would count before it", at, block.Folder, unreadable(read.Err))
	}
	if _, has := r.own(read, name); has {
		return refused("%s also imports %s, which has it and is not shown to bring it", at, block.Folder)
	}
	if levels == 0 {
		return nil
	}
	all, problem := r.links(read, block.Folder)
	if problem != nil {
		return problem
	}
	for _, nested := range all {
		if nested.Folder == at {
			continue
		}
		if problem := r.mayHold(nested, name, block.Folder, levels-1); problem != nil {
			return problem
		}
	}
	return nil
}

// link is an import of a folder.
type link struct {
	providers.Import
	unseen bool // the list of secrets has no block for it
}

// links returns the imports of a folder in order, with those that the server leaves out
// since the identity may not read them.
func (r *Resolver) links(read *Read, at providers.Folder) ([]link, *Problem) {
	var all []link
	switch {
	case !read.Listing.Omits:
		for _, block := range read.Listing.Imports {
			all = append(all, link{Import: block})
		}
		return all, nil
	case !read.Linked:
		r.Needs[at] = true
		return nil, unread
	case read.LinksErr != nil:
		return nil, refused("what %s imports is not known: %s", at, read.LinksErr)
	}
	left := slices.Clone(read.Listing.Imports)
	for _, folder := range read.Links {
		i := slices.IndexFunc(left, func(b providers.Import) bool { return b.Folder == folder })
		if i < 0 {
			all = append(all, link{Import: providers.Import{Folder: folder}, unseen: true})
			continue
		}
		all, left = append(all, link{Import: left[i]}), slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		return nil, refused("%s shows an import of %s that it is not said to have", at, left[0].Folder)
	}
	return all, nil
}

// bringing returns the folders whose blocks bring a name, each once, in the order of
// the last block of each.
func bringing(l providers.SourceListing, name string) []providers.Folder {
	var from []providers.Folder
	for _, block := range l.Imports {
		if slices.Contains(block.Names, name) {
			same := func(f providers.Folder) bool { return f == block.Folder }
			from = append(slices.DeleteFunc(from, same), block.Folder)
		}
	}
	return from
}

// unreadable says in a clause why a folder gave no list.
func unreadable(err error) string {
	switch providers.KindOf(err) {
	case providers.KindNotFound:
		return "which does not exist"
	case providers.KindForbidden:
		return "which this identity may not read"
	}
	return "which could not be read: " + err.Error()
}
