package kms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

const opFolders = "list folders"

// How large a tree may be that is read level by level.
const (
	maxFolders = 1000
	maxDepth   = 20
)

// entry is a folder as lists of folders show it.
type entry struct {
	Name     string `json:"name"`
	Reserved bool   `json:"isReserved"` // holds the copies of a replicated import
	// Relative is the path below the folder that was asked for, "/a/b"; servers of 2026
	// have it in recursive lists.
	Relative string `json:"relativePath"`
}

// Folders implements [providers.Source]. A list of folders answers 200 and nothing
// for a folder that is missing: the caller knows that this one is there.
func (c *Client) Folders(ctx context.Context, folder providers.Folder) ([]providers.Folder, error) {
	project, err := c.projectID(ctx)
	if err != nil {
		return nil, err
	}
	folder.Path = trimPath(folder.Path)
	var paths []string
	err = c.ask(ctx, opFolders, folder.String(), true, func(g *generation) (err error) {
		if g.recursive {
			paths, err = c.recursively(ctx, g, project, folder)
		} else {
			paths, err = c.levelByLevel(ctx, g, project, folder)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	out := []providers.Folder{folder}
	for _, path := range slices.Compact(paths) {
		out = append(out, providers.Folder{Environment: folder.Environment, Path: path})
	}
	return out, nil
}

// recursively reads the paths of all folders below one with one request
// (GET /api/v2/folders?recursive=true).
func (c *Client) recursively(ctx context.Context, g *generation, project string, folder providers.Folder) ([]string, error) {
	entries, err := c.entries(ctx, g, project, folder, "true")
	if err != nil {
		return nil, err
	}
	known := map[string]bool{"": true}
	for _, e := range entries {
		known[e.Relative] = true
	}
	var paths []string
	for _, e := range entries {
		parent, isBelow := strings.CutSuffix(e.Relative, "/"+e.Name)
		if !isBelow || !known[parent] {
			return nil, &providers.Error{
				Op: opFolders, Scope: folder.String(), Kind: providers.KindUnavailable, Sent: true,
				Hint: "The server does not say where one of the folders below is.",
			}
		}
		paths = append(paths, strings.TrimSuffix(folder.Path, "/")+e.Relative)
	}
	return paths, nil
}

// levelByLevel asks for the children of each folder (GET /api/v1/folders).
func (c *Client) levelByLevel(ctx context.Context, g *generation, project string, folder providers.Folder) ([]string, error) {
	var paths []string
	level := []string{folder.Path}
	for depth := 0; len(level) > 0; depth++ {
		var next []string
		for _, parent := range level {
			entries, err := c.entries(ctx, g, project, providers.Folder{Environment: folder.Environment, Path: parent}, "false")
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				next = append(next, strings.TrimSuffix(parent, "/")+"/"+e.Name)
			}
			if len(paths)+len(next) > maxFolders || depth >= maxDepth && len(next) > 0 {
				return nil, &providers.Error{
					Op: opFolders, Scope: folder.String(), Kind: providers.KindUnsupported,
					Hint: fmt.Sprintf("There are more than %d folders below it, or more than %d levels, and this server lists only one level at a time; take a folder further down.", maxFolders, maxDepth),
				}
			}
		}
		paths = append(paths, next...)
		level = next
	}
	return paths, nil
}

// entries returns the folders that one list of folders shows, without those that only
// the server uses.
func (c *Client) entries(ctx context.Context, g *generation, project string, folder providers.Folder, recursive string) ([]entry, error) {
	var entries []entry
	_, _, err := c.get(ctx, httpx.Request{
		Op: opFolders, Scope: folder.String(), Template: g.folders,
		Query: g.ofFolder(project, folder, "recursive", recursive),
		Decode: func(body []byte) error {
			var answer struct {
				Folders *[]entry `json:"folders"`
			}
			if err := json.Unmarshal(body, &answer); err != nil {
				return err
			}
			if answer.Folders == nil {
				return errors.New("no list")
			}
			entries = *answer.Folders
			return nil
		},
	}, nil, segments(g.folders)...)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.Reserved })
	for _, e := range entries {
		if e.Name == "" || e.Name == "." || e.Name == ".." || strings.Contains(e.Name, "/") {
			return nil, &providers.Error{
				Op: opFolders, Scope: folder.String(), Kind: providers.KindUnsupported, Sent: true,
				Hint: "A folder in it has a name that no path leads to, so what it holds cannot be read; rename or delete it.",
			}
		}
	}
	return entries, nil
}
