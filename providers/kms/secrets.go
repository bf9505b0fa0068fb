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
	"github.com/hanzoai/kmsync/providers/secret"
)

const opList = "list secrets"

// row is a secret as GET /api/v4/secrets shows it.
type row struct {
	ID          string        `json:"id"`
	Environment string        `json:"environment"`
	Path        *string       `json:"secretPath"`
	Type        string        `json:"type"`
	Name        string        `json:"secretKey"`
	Version     int           `json:"version"`
	Value       *secret.Value `json:"secretValue"`
	Hidden      bool          `json:"secretValueHidden"`
}

// block is an import block of the answer.
type block struct {
	Environment string `json:"environment"`
	Path        string `json:"secretPath"`
	FolderID    string `json:"folderId"`
	Secrets     []row  `json:"secrets"`
}

type answer struct {
	Secrets *[]row   `json:"secrets"`
	Imports *[]block `json:"imports"`
}

// List implements [providers.Source]. An answer without own secrets is probed
// with one more request, since the server gives an empty list, status 200, to an
// identity that may not read the folder.
func (c *Client) List(ctx context.Context, folder providers.Folder) (providers.SourceListing, error) {
	readAt := c.now()
	project, err := c.projectID(ctx)
	if err != nil {
		return providers.SourceListing{}, err
	}
	got, err := c.ask(ctx, project, folder)
	if err != nil {
		return providers.SourceListing{}, err
	}
	own, err := ownSecrets(folder, *got.Secrets)
	if err != nil {
		return providers.SourceListing{}, err
	}
	if len(own) == 0 {
		if err := c.probe(ctx, project, folder); err != nil {
			return providers.SourceListing{}, err
		}
	}
	listing := providers.SourceListing{Secrets: own}
	listing.ReadAt = readAt
	listing.Imports, listing.Doubts = imports(folder, got.Imports)
	return listing, nil
}

// ask lists the folder. Both spellings of the import switch are sent: an early
// v4 server knows include_imports only, and leaves imports out by default.
func (c *Client) ask(ctx context.Context, project string, folder providers.Folder) (answer, error) {
	var got answer
	err := c.get(ctx, httpx.Request{
		Op: opList, Scope: folder.String(), Template: "/api/v4/secrets",
		Query: query(
			"projectId", project, "environment", folder.Environment, "secretPath", folder.Path,
			"includeImports", "true", "include_imports", "true",
			"expandSecretReferences", "false", "viewSecretValue", "true",
			"recursive", "false", "includePersonalOverrides", "false",
		),
	}, func(body []byte) error {
		got = answer{}
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if got.Secrets == nil {
			return errors.New("no list")
		}
		return nil
	}, "api", "v4", "secrets")
	return got, err
}

// ownSecrets returns the shared rows, sorted by name. It refuses an answer that
// is about another folder than was asked for, or names a secret twice.
func ownSecrets(folder providers.Folder, rows []row) ([]providers.Secret, error) {
	refuse := func(hint string) error {
		return &providers.Error{Op: opList, Scope: folder.String(), Kind: providers.KindInvalid, Sent: true, Hint: hint}
	}
	out := make([]providers.Secret, 0, len(rows))
	for _, r := range rows {
		switch {
		case r.Environment != folder.Environment, r.Path == nil, trimPath(*r.Path) != trimPath(folder.Path):
			return nil, refuse("The server answered with secrets of another folder than was asked for, so none of them is used.")
		case r.Type == "personal":
			continue
		case r.Type != "shared":
			return nil, refuse("The server answered with a kind of secret that kmsync does not know.")
		case r.Name == "" || !uuid.MatchString(r.ID): // ids are recorded, so nothing else may get in their place
			return nil, refuse("The server answered with a secret that has no name or no id.")
		}
		out = append(out, r.secret())
	}
	slices.SortFunc(out, func(a, b providers.Secret) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, refuse(fmt.Sprintf("The server answered with the secret %q twice; which one counts is not known.", out[i].Name))
		}
	}
	return out, nil
}

// secret treats a value that the answer leaves out like one that it hides:
// nothing may be written from it.
func (r row) secret() providers.Secret {
	s := providers.Secret{ID: r.ID, Name: r.Name, Version: r.Version, Hidden: r.Hidden || r.Value == nil}
	if r.Value != nil {
		s.Value = *r.Value
		s.Hidden = s.Hidden || s.Value.IsMask()
	}
	return s
}

func trimPath(path string) string { return "/" + strings.Trim(path, "/") }
