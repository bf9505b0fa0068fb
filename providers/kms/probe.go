package kms

import (
	"context"
	"errors"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

// probeName is a legal name (no ":" and no "/") that nobody gives to a secret.
const probeName = "KMSYNC_PROBE_THAT_DOES_NOT_EXIST-0.5c1d9e7a"

// probe tells an empty folder from one that is missing or may not be read, by
// GET /api/v4/secrets/{impossible name} as servers of 2026 answer it. It returns
// nil only for the answer 404 NotFound, which is given where the folder exists
// and may be read. Imports are off: with them a missing secret is also searched
// where it cannot prove anything about this folder.
func (c *Client) probe(ctx context.Context, project string, folder providers.Folder) error {
	found := &providers.Error{
		Op: opList, Scope: folder.String(), Kind: providers.KindUnavailable, Sent: true,
		Hint: "The list is empty, and the server did not say that the folder is.",
	}
	err := c.get(ctx, httpx.Request{
		Op: opList, Scope: folder.String(), Template: "/api/v4/secrets/{name}",
		Query: query(
			"projectId", project, "environment", folder.Environment, "secretPath", folder.Path,
			"includeImports", "false", "include_imports", "false",
			"expandSecretReferences", "false", "viewSecretValue", "true", "type", "shared",
		),
	}, func([]byte) error { return nil }, "api", "v4", "secrets", probeName)
	if err == nil {
		return found // there is no such secret: the answer makes no sense
	}
	if e, ok := errors.AsType[*providers.Error](err); ok && e.Status == 404 && e.Code == codeNotFound {
		return nil
	}
	return err
}
