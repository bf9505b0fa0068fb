package resolve

import "github.com/hanzoai/kmsync/providers"

// Tree is a folder with all below it as it was read, for a recursive source, or why it
// could not be.
type Tree struct {
	Listing providers.TreeListing
	// Folders are all folders of the tree. They are known only where some of them
	// import others, and a sync wants that: then each is read by itself.
	Folders []providers.Folder
	Err     error

	reads map[providers.Folder]*Read // the folders of the listing
}

// NewTree returns a tree that was read.
func NewTree(listing providers.TreeListing, folders []providers.Folder) *Tree {
	t := &Tree{Listing: listing, Folders: folders, reads: map[providers.Folder]*Read{}}
	for _, f := range listing.Folders {
		t.reads[f.Folder] = &Read{Listing: providers.SourceListing{Snapshot: listing.Snapshot, Secrets: f.Secrets, Omits: listing.Omits}}
	}
	return t
}

// Read returns a folder as the list of the tree shows it, or nil where it does not. A
// nil Tree shows none.
func (t *Tree) Read(folder providers.Folder) *Read {
	if t == nil {
		return nil
	}
	return t.reads[folder]
}
