package kms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

// block is an import block of a list.
type block struct {
	Environment string `json:"environment"`
	Path        string `json:"secretPath"`
	FolderID    string `json:"folderId"`
	Secrets     []row  `json:"secrets"`
}

// blocks returns the import blocks in the order of the answer. An answer without any
// list of them is doubted: both generations have one, if an empty one.
func blocks(folder providers.Folder, blocks *[]block) ([]providers.Import, []providers.Doubt) {
	if blocks == nil {
		return nil, []providers.Doubt{{Kind: providers.DoubtImports, Detail: fmt.Sprintf(
			"The answer for %s does not say what the folder imports; a server that kmsync knows does.", folder)}}
	}
	var out []providers.Import
	for _, b := range *blocks {
		from := providers.Folder{Environment: b.Environment, Path: trimPath(b.Path)}
		out = append(out, providers.Import{Folder: from, FolderID: b.FolderID, Names: b.names()})
	}
	return out, nil
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

const opImports = "list imports"

// link is one import of a folder, as the list of imports shows it.
type link struct {
	Path        string  `json:"importPath"`
	Position    float64 `json:"position"`
	Reserved    bool    `json:"isReserved"`
	Environment struct {
		Slug    string `json:"slug"`
		Project string `json:"projectId"`
	} `json:"importEnv"`
}

// Imports implements [providers.Source]. An import that is replicated (isReplication)
// has a reserved companion which holds the copies; lists of secrets show the two as
// one block, under the place of the first.
func (c *Client) Imports(ctx context.Context, folder providers.Folder) ([]providers.Folder, error) {
	project, err := c.projectID(ctx)
	if err != nil {
		return nil, err
	}
	var links []link
	err = c.ask(ctx, opImports, folder.String(), true, func(g *generation) error {
		_, _, err := c.get(ctx, httpx.Request{
			Op: opImports, Scope: folder.String(), Template: g.imports, Query: g.ofFolder(project, folder),
			Decode: func(body []byte) error { return decodeImports(body, &links) },
		}, nil, segments(g.imports)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(links, func(a, b link) int { return cmp.Compare(a.Position, b.Position) })
	out := make([]providers.Folder, 0, len(links))
	for _, l := range links {
		if other := l.Environment.Project; other != "" && other != project {
			return nil, &providers.Error{
				Op: opImports, Scope: folder.String(), Kind: providers.KindUnsupported,
				Hint: "The folder imports from another project, which kmsync does not follow.",
			}
		}
		if !l.Reserved {
			out = append(out, providers.Folder{Environment: l.Environment.Slug, Path: trimPath(l.Path)})
		}
	}
	return out, nil
}

func decodeImports(body []byte, links *[]link) error {
	var answer struct {
		Imports *[]link `json:"secretImports"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.Imports == nil {
		return errors.New("no list")
	}
	for _, l := range *answer.Imports {
		if l.Environment.Slug == "" || l.Path == "" {
			return errors.New("an import without a place")
		}
	}
	*links = *answer.Imports
	return nil
}
