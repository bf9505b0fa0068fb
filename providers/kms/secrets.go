package kms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
	"github.com/hanzoai/kmsync/providers/secret"
)

const opList = "list secrets"

// head says which secret a row is.
type head struct {
	ID          string  `json:"id"`
	Environment string  `json:"environment"`
	Path        *string `json:"secretPath"`
	Type        string  `json:"type"`
	Name        string  `json:"secretKey"`
}

// row is a secret as lists show it.
type row struct {
	head
	Version int           `json:"version"`
	Value   *secret.Value `json:"secretValue"`
	Hidden  bool          `json:"secretValueHidden"`
	Lines   lines         `json:"skipMultilineEncoding"`
}

// lines reads skipMultilineEncoding. Null counts as false, as it does for the server;
// lists of 2024 do not have it.
type lines providers.Lines

func (l *lines) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true":
		*l = lines(providers.LinesQuoted)
	case "false", "null":
		*l = lines(providers.LinesKept)
	default:
		return errors.New("skipMultilineEncoding is no truth value")
	}
	return nil
}

type answer struct {
	Secrets *[]row   `json:"secrets"`
	Imports *[]block `json:"imports"`
}

// List implements [providers.Source]. An answer without own secrets is proven with
// one more request, since servers of 2024 give an empty list, status 200, for a folder
// that is missing, and those of 2026 to an identity that may not read it.
func (c *Client) List(ctx context.Context, folder providers.Folder) (providers.SourceListing, error) {
	readAt := c.now()
	got, err := c.list(ctx, folder, false)
	if err != nil {
		return providers.SourceListing{}, err
	}
	out := providers.SourceListing{Secrets: []providers.Secret{}, Imports: got.imports, Shifted: got.shifted, Omits: got.omits}
	out.ReadAt, out.Doubts = readAt, got.doubts
	for _, f := range got.folders {
		out.Secrets = f.Secrets
	}
	return out, nil
}

// ListTree implements [providers.Source]. Imports are asked for only to know whether
// there are any: the answer does not say which folder has which.
func (c *Client) ListTree(ctx context.Context, folder providers.Folder) (providers.TreeListing, error) {
	readAt := c.now()
	got, err := c.list(ctx, folder, true)
	if err != nil {
		return providers.TreeListing{}, err
	}
	out := providers.TreeListing{Folders: got.folders, Omits: got.omits, Imports: len(got.imports) > 0 || len(got.doubts) > 0}
	out.ReadAt, out.Doubts = readAt, got.doubts
	return out, nil
}

// list reads a folder, or the tree below it, and proves an empty answer.
func (c *Client) list(ctx context.Context, folder providers.Folder, deep bool) (got contents, err error) {
	project, err := c.projectID(ctx)
	if err != nil {
		return contents{}, err
	}
	err = c.ask(ctx, opList, folder.String(), true, func(g *generation) (err error) {
		got, err = c.listBy(ctx, g, project, folder, deep)
		return err
	})
	if err == nil && len(got.folders) == 0 {
		err = c.Prove(ctx, folder)
	}
	if err != nil {
		return contents{}, c.project.explain(err, folder)
	}
	return got.clone(), nil
}

// listBy asks for the list as servers of one generation are asked, or for the news in
// it where an answer was kept.
func (c *Client) listBy(ctx context.Context, g *generation, project string, folder providers.Folder, deep bool) (contents, error) {
	q := g.ofSecrets(project, folder, "true", "recursive", fmt.Sprint(deep), "includePersonalOverrides", "false")
	key := g.secrets + "?" + q.Encode()
	last := c.lists.get(key)
	var got answer
	res, serial, err := c.get(ctx, httpx.Request{
		Op: opList, Scope: folder.String(), Template: g.secrets, Query: q,
		Decode: func(body []byte) error {
			got = answer{}
			if err := json.Unmarshal(body, &got); err != nil {
				return err
			}
			if got.Secrets == nil {
				return errors.New("no list")
			}
			return nil
		},
	}, last, segments(g.secrets)...)
	if err != nil {
		return contents{}, err
	}
	if res.Status == http.StatusNotModified {
		return last.contents, nil
	}
	out, err := read(g, folder, deep, got)
	if err == nil {
		c.lists.put(key, &kept{tag: res.Header.Get("ETag"), serial: serial, contents: out})
	}
	return out, err
}

func read(g *generation, folder providers.Folder, deep bool, got answer) (out contents, err error) {
	if out.folders, err = ownSecrets(folder, deep, *got.Secrets); err != nil {
		return contents{}, err
	}
	out.imports, out.doubts = blocks(folder, got.Imports)
	out.omits, out.shifted = g.shifts, g.shifts && slices.ContainsFunc(out.imports, func(b providers.Import) bool { return b.FolderID == "" })
	return out, nil
}

func refuse(folder providers.Folder, hint string) error {
	return &providers.Error{Op: opList, Scope: folder.String(), Kind: providers.KindInvalid, Sent: true, Hint: hint}
}

// ownSecrets returns the shared rows by their folders, all sorted. It refuses an
// answer that is about another folder than was asked for, or, if deep, one that is not
// below it, and one that names a secret twice.
func ownSecrets(folder providers.Folder, deep bool, rows []row) ([]providers.FolderSecrets, error) {
	found := map[string][]providers.Secret{}
	names := map[string]string{} // by id
	for _, r := range rows {
		switch {
		case r.Environment != folder.Environment, r.Path == nil, !isWithin(trimPath(*r.Path), trimPath(folder.Path), deep):
			return nil, refuse(folder, "The server answered with secrets of another folder than was asked for, so none of them is used.")
		case r.Type == "personal":
			continue
		case r.Type != "shared":
			return nil, refuse(folder, "The server answered with a kind of secret that kmsync does not know.")
		case r.Name == "" || !uuid.MatchString(r.ID): // ids are recorded, so nothing else may get in their place
			return nil, refuse(folder, "The server answered with a secret that has no name or no id.")
		}
		if other, twice := names[r.ID]; twice {
			return nil, refuse(folder, fmt.Sprintf("The server answered with one id for the secrets %q and %q, so none of them is used.", other, r.Name))
		}
		names[r.ID] = r.Name
		path := trimPath(*r.Path)
		if found[path] == nil && !deep {
			found[path] = make([]providers.Secret, 0, len(rows))
		}
		found[path] = append(found[path], r.secret())
	}
	var out []providers.FolderSecrets
	for path, secrets := range found {
		slices.SortFunc(secrets, func(a, b providers.Secret) int { return strings.Compare(a.Name, b.Name) })
		for i := 1; i < len(secrets); i++ {
			if secrets[i].Name == secrets[i-1].Name {
				return nil, refuse(folder, fmt.Sprintf("The server answered with the secret %q twice; which one counts is not known.", secrets[i].Name))
			}
		}
		out = append(out, providers.FolderSecrets{
			Folder: providers.Folder{Environment: folder.Environment, Path: path}, Secrets: slices.Clip(secrets),
		})
	}
	slices.SortFunc(out, func(a, b providers.FolderSecrets) int { return strings.Compare(a.Folder.Path, b.Folder.Path) })
	return out, nil
}

// secret treats a value that the answer leaves out like one that it hides:
// nothing may be written from it.
func (r row) secret() providers.Secret {
	s := providers.Secret{
		ID: r.ID, Name: r.Name, Version: r.Version, Hidden: r.Hidden || r.Value == nil, Lines: providers.Lines(r.Lines),
	}
	if r.Value != nil {
		s.Value = *r.Value
		s.Hidden = s.Hidden || s.Value.IsMask()
	}
	return s
}

func trimPath(path string) string { return "/" + strings.Trim(path, "/") }

// isWithin reports whether a path is that of a folder, or, if deep, of one below it.
func isWithin(path, folder string, deep bool) bool {
	return path == folder || deep && strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
