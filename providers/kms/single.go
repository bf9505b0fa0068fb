package kms

import (
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

// probeName is a legal name (no ":" and no "/") that nobody gives to a secret.
const probeName = "KMSYNC_PROBE_THAT_DOES_NOT_EXIST-0.5c1d9e7a"

// maxName is the longest name in characters that a URL may carry: a longer one is
// answered like a route that does not exist (GET /api/v4/secrets/{name}, status 404).
const maxName = 100

// Prove implements [providers.Source], by one read of a secret that cannot be there.
// Servers of 2026 answer 404 NotFound where the folder exists and may be read, 404
// GetSecretByName where it is missing, 403 where it may not be read; those of 2024 say
// the same by 400 and 401.
func (c *Client) Prove(ctx context.Context, folder providers.Folder) error {
	got, err := c.single(ctx, opList, folder, probeName)
	if err == nil && got != nil {
		return &providers.Error{
			Op: opList, Scope: folder.String(), Kind: providers.KindUnavailable, Sent: true,
			Hint: "Whether the folder exists and may be read is not known: the server answered for a secret that cannot be there.",
		}
	}
	return err
}

// Has implements [providers.Source]. A row of another folder or name is no answer.
func (c *Client) Has(ctx context.Context, folder providers.Folder, name string) (bool, error) {
	failed := &providers.Error{Op: "look up " + name, Scope: folder.String()}
	if utf8.RuneCountInString(name) > maxName {
		failed.Kind = providers.KindUnsupported
		failed.Hint = "No server answers for a name of more than 100 characters, so nothing tells whether it is there."
		return false, failed
	}
	got, err := c.single(ctx, failed.Op, folder, name)
	if err != nil || got == nil {
		return false, err
	}
	// Single reads of 2024 do not show the path (kms-observed: GET /api/v3/secrets/raw/{name}).
	elsewhere := got.Path != nil && trimPath(*got.Path) != trimPath(folder.Path)
	if got.Name != name || got.Type != "shared" || got.Environment != folder.Environment || elsewhere {
		failed.Kind, failed.Sent = providers.KindInvalid, true
		failed.Hint = "The server answered with another secret than was asked for."
		return false, failed
	}
	return true, nil
}

// single asks for one secret and returns nil where the server says that there is none.
// Imports are off: with them a missing secret is also searched where it cannot prove
// anything about this folder. The value is asked for and thrown away, since it is with
// values that servers were seen to tell what is missing from what may not be read.
func (c *Client) single(ctx context.Context, op string, folder providers.Folder, name string) (got *head, err error) {
	project, err := c.projectID(ctx)
	if err != nil {
		return nil, err
	}
	var held bool
	err = c.ask(ctx, op, folder.String(), true, func(g *generation) error {
		_, _, err := c.get(ctx, httpx.Request{
			Op: op, Scope: folder.String(), Template: g.secrets + "/{name}",
			Query: g.ofSecrets(project, folder, "false", "type", "shared"),
			Decode: func(body []byte) (err error) {
				got, held, err = decodeSingle(body)
				return err
			},
		}, nil, segments(g.secrets, name)...)
		return err
	})
	e, failed := errors.AsType[*providers.Error](err)
	switch {
	case failed && e.Kind == providers.KindNotFound && e.Code == codeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case held:
		return nil, &providers.Error{Op: op, Scope: folder.String(), Kind: providers.KindForbidden, Sent: true, Hint: hintHeld}
	}
	return got, nil
}

// decodeSingle reads the answer to a single read. Hanzo's servers answer 200 with no
// secret while somebody must still allow the read (aiAccess): that says nothing of
// whether it is there.
func decodeSingle(body []byte) (got *head, held bool, err error) {
	var answer struct {
		Secret *head            `json:"secret"`
		Access *json.RawMessage `json:"aiAccess"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, false, err
	}
	if answer.Secret == nil && answer.Access == nil {
		return nil, false, errors.New("no secret")
	}
	return answer.Secret, answer.Secret == nil, nil
}
