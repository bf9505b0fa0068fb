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
	var got providers.Repository
	err := c.send(ctx, call{
		op: "read repository", scope: workspace + "/" + repository,
		template: templateRepository, method: http.MethodGet,
		segments: []string{"repositories", workspace, repository},
		decode: func(body []byte) error {
			var answer struct {
				UUID string `json:"uuid"`
			}
			if err := json.Unmarshal(body, &answer); err != nil {
				return err
			}
			got.UUID = answer.UUID
			if !isUUID(got.UUID) {
				return errors.New("no uuid")
			}
			return nil
		},
	})
	return got, err
}
