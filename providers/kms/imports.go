package kms

import (
	"fmt"
	"slices"

	"github.com/hanzoai/kmsync/providers"
)

// imports returns the import blocks in the order of the answer, and a doubt for
// each: the server leaves out of a block, without a word, what the identity may
// not read (GET /api/v4/secrets, status 200), so what a block shows is never proven to be all.
func imports(folder providers.Folder, blocks *[]block) ([]providers.Import, []providers.Doubt) {
	if blocks == nil {
		return nil, []providers.Doubt{doubt("The answer for %s does not say what the folder imports; a current server does.", folder)}
	}
	var out []providers.Import
	var doubts []providers.Doubt
	for i, b := range *blocks {
		from := providers.Folder{Environment: b.Environment, Path: trimPath(b.Path)}
		names := b.names()
		out = append(out, providers.Import{Folder: from, FolderID: b.FolderID, Names: names})
		where := fmt.Sprintf("Import %d of %s (%s)", i+1, folder, from)
		switch {
		case b.FolderID == "":
			doubts = append(doubts, doubt("%s has no folder, so what it should bring is not known; restore the folder or remove the import.", where))
		case len(names) == 0:
			doubts = append(doubts, doubt("%s shows no secrets, as if the folder were empty or the identity could not read it; give the identity that right, or remove the import.", where))
		default:
			doubts = append(doubts, doubt("%s may hold more than it shows, since the server leaves out what the identity may not read; nothing proves it complete yet.", where))
		}
	}
	return out, doubts
}

func doubt(format string, args ...any) providers.Doubt {
	return providers.Doubt{Kind: providers.DoubtImports, Detail: fmt.Sprintf(format, args...)}
}

// names returns what the block brings, each name once: inside a block a folder's
// own secret and one of its imports may have the same name.
func (b block) names() []string {
	var names []string
	for _, r := range b.Secrets {
		if r.Type == "shared" && r.Name != "" {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
