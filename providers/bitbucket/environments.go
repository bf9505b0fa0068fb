package bitbucket

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers"
)

type wireEnvironment struct {
	UUID string `json:"uuid"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// Environments implements [providers.Reader]: the deployment environments of a
// repository, sorted by name. A list that does not add up is an error, since a
// name that it lacks could not be told from one that does not exist.
func (c *Client) Environments(ctx context.Context, workspace, repository string) ([]providers.Environment, error) {
	k := call{
		op: "list environments", scope: workspace + "/" + repository,
		template: templateRepository + "/environments",
		segments: []string{"repositories", workspace, repository, "environments"},
	}
	l, err := list(ctx, c, k, func(w wireEnvironment) string { return w.UUID })
	if err != nil {
		return nil, err
	}
	if l.doubt != "" {
		return nil, &providers.Error{
			Op: k.op, Scope: k.scope, Kind: providers.KindUnavailable, Sent: true,
			Hint: "The list does not add up: " + l.doubt + ".",
		}
	}
	out := make([]providers.Environment, 0, len(l.items))
	for _, w := range l.items {
		out = append(out, providers.Environment(w))
	}
	slices.SortFunc(out, func(a, b providers.Environment) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.UUID, b.UUID))
	})
	return out, nil
}

// Repository implements [providers.Reader] by GET /2.0/repositories/{w}/{r}.
func (c *Client) Repository(ctx context.Context, workspace, repository string) (providers.Repository, error) {
	uuid, err := c.identify(ctx, call{
		op: "read repository", scope: workspace + "/" + repository,
		template: templateRepository, segments: []string{"repositories", workspace, repository},
	})
	return providers.Repository{UUID: uuid}, err
}

// Workspace implements [providers.Reader] by GET /2.0/workspaces/{workspace}, which
// needs another right than the workspace's variables do.
func (c *Client) Workspace(ctx context.Context, workspace string) (providers.Workspace, error) {
	uuid, err := c.identify(ctx, call{
		op: "read workspace", scope: workspace, template: templateWorkspace, segments: []string{"workspaces", workspace},
	})
	return providers.Workspace{UUID: uuid}, err
}

// identify asks for one thing and returns its UUID.
func (c *Client) identify(ctx context.Context, k call) (string, error) {
	var answer struct {
		UUID string `json:"uuid"`
	}
	k.method = http.MethodGet
	k.decode = func(body []byte) error {
		answer.UUID = ""
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if !isUUID(answer.UUID) {
			return errors.New("no uuid")
		}
		return nil
	}
	if err := c.send(ctx, k); err != nil {
		return "", err
	}
	return answer.UUID, nil
}
