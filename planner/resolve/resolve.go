package resolve

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Read is one folder as it was read, or why it could not be.
type Read struct {
	Listing providers.SourceListing
	Err     error
	// Linked: the folder's imports were listed too, as is needed where the server leaves
	// some out of Listing. Links are those, or LinksErr says why they are not known.
	Linked   bool
	Links    []providers.Folder
	LinksErr error
}

// Item is one secret that a folder yields, or a name that it should yield and does
// not.
type Item struct {
	Name string
	// From is the folder that the secret lives in: that of an import, where only an
	// import has the name.
	From   providers.Folder
	Secret providers.Secret // as it is stored; the zero Secret where it was not found
	Value  secret.Value     // to be delivered
	// Problem says why there is no value, or a wrong one; nil for none.
	Problem *Problem
	// Uses are the secrets that the references of the value led to, sorted.
	Uses []Use
}

// Use is a version of a secret that a value was made of.
type Use struct {
	Folder  providers.Folder
	ID      string
	Version int
}

// Problem is why a secret must not be delivered.
type Problem struct {
	// Hidden: the identity may know of the secret, or of one that it refers to, and
	// not read it.
	Hidden bool
	// Detail says what leads where, as a clause for people. It is "" where the secret
	// itself is hidden.
	Detail string
	root   string // what is wrong at the end of a chain of references
}

func refused(format string, args ...any) *Problem {
	detail := fmt.Sprintf(format, args...)
	return &Problem{Detail: detail, root: detail}
}

// Resolver works on the folders of one project. A zero field means none.
type Resolver struct {
	// Folder returns a folder as it was read, or nil where it was not.
	Folder func(providers.Folder) *Read
	// Needs are folders that an answer depends on and that were not read; of one that was
	// read, the imports are still to be listed.
	Needs map[providers.Folder]bool

	values  map[step]*value
	indexes map[*Read]map[string]int // of own secrets, by name
}

// New returns a resolver over the folders that were read.
func New(folder func(providers.Folder) *Read) *Resolver {
	return &Resolver{Folder: folder, Needs: map[providers.Folder]bool{}, values: map[step]*value{}, indexes: map[*Read]map[string]int{}}
}

// Options say how a source is read.
type Options struct {
	Imports bool // with the secrets of imported folders
	Expand  bool // with references resolved
	// Takes reports whether a secret of that name is asked for; the others are not
	// looked at.
	Takes func(name string) bool
}

// Names returns the names that a folder has: its own, and those of its imports.
func (r *Resolver) Names(at providers.Folder, imports bool) map[string]bool {
	names := map[string]bool{}
	read := r.read(at)
	if read == nil {
		return names
	}
	for _, s := range read.Listing.Secrets {
		names[s.Name] = true
	}
	if imports {
		for _, block := range read.Listing.Imports {
			for _, name := range block.Names {
				names[name] = true
			}
		}
	}
	return names
}

// Yield returns what a folder yields, sorted by name. What depends on a folder that
// was not read has a problem, and the folder is in Needs. A folder that could not be
// read yields nothing.
func (r *Resolver) Yield(at providers.Folder, o Options) []Item {
	read := r.read(at)
	if read == nil || read.Err != nil {
		return nil
	}
	var items []Item
	for _, s := range read.Listing.Secrets {
		if o.Takes(s.Name) {
			items = append(items, r.complete(Item{Name: s.Name, From: at, Secret: s}, o))
		}
	}
	if o.Imports {
		for _, name := range r.imported(read) {
			if !o.Takes(name) {
				continue
			}
			items = append(items, r.complete(r.locate(name, at), o))
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(a.Name, b.Name) })
	return items
}

// complete gives an item its value, or says why it has none.
func (r *Resolver) complete(item Item, o Options) Item {
	switch {
	case item.Problem != nil:
		return item
	case !o.Expand && item.Secret.Hidden:
		item.Problem = &Problem{Hidden: true}
		return item
	case !o.Expand:
		item.Value = item.Secret.Value
		return item
	}
	v := r.value(place{item.From, item.Name}, item.Secret, nil)
	if v.unknown {
		item.Problem = unread
		return item
	}
	item.Uses = v.uses
	item.Value, item.Problem = lines(item.Secret, v)
	return item
}

// unread stops what depends on a list that is not there.
var unread = refused("it depends on a folder that was not read in this run")

// read returns a folder, and notes that it is needed where it was not read.
func (r *Resolver) read(at providers.Folder) *Read {
	read := r.Folder(at)
	if read == nil {
		r.Needs[at] = true
	}
	return read
}

// own returns the folder's own secret of that name.
func (r *Resolver) own(read *Read, name string) (providers.Secret, bool) {
	index := r.indexes[read]
	if index == nil {
		index = map[string]int{}
		for i, s := range read.Listing.Secrets {
			index[s.Name] = i
		}
		r.indexes[read] = index
	}
	i, has := index[name]
	if !has {
		return providers.Secret{}, false
	}
	return read.Listing.Secrets[i], true
}
