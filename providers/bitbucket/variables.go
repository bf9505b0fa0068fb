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
	"github.com/hanzoai/kmsync/providers/secret"
)

// wireVariable is a variable in an answer. For a secured one the value is left
// out; null and "" mean the same.
type wireVariable struct {
	UUID    string        `json:"uuid"`
	Key     string        `json:"key"`
	Value   *secret.Value `json:"value"`
	Secured *bool         `json:"secured"`
}

// variable drops the value of a secured variable whatever the answer holds. An
// answer that does not say whether it is secured counts as secured when it has no
// value, since that is how secured ones look.
func (w wireVariable) variable() providers.Variable {
	v := providers.Variable{UUID: w.UUID, Key: w.Key, Secured: w.Value == nil}
	if w.Secured != nil {
		v.Secured = *w.Secured
	}
	if !v.Secured && w.Value != nil {
		v.Value = *w.Value
	}
	return v
}

const (
	templateRepository  = "/2.0/repositories/{workspace}/{repository}"
	templateVariables   = templateRepository + "/pipelines_config/variables"
	templateEnvironment = templateRepository + "/deployments_config/environments/{environment}/variables"

	templateWorkspace          = "/2.0/workspaces/{workspace}"
	templateWorkspaceVariables = templateWorkspace + "/pipelines-config/variables"
)

// variables is the call for the collection of a scope, without a slash at its
// end: with one, the deployment form has answered 403, and GET
// /2.0/workspaces/{workspace}/pipelines-config/variables answers 404. That path is
// written with a hyphen, GET /2.0/repositories/{w}/{r}/pipelines_config/variables
// with an underscore; the other spelling of either is 404.
func variables(op string, scope providers.Scope) call {
	k := call{op: op, scope: scopeName(scope)}
	repository := []string{"repositories", scope.Workspace, scope.Repository}
	switch {
	case scope.Repository == "" && scope.Environment == "":
		k.template = templateWorkspaceVariables
		k.segments = []string{"workspaces", scope.Workspace, "pipelines-config", "variables"}
	case scope.Environment == "":
		k.template = templateVariables
		k.segments = append(repository, "pipelines_config", "variables")
	default:
		k.template = templateEnvironment
		k.segments = append(repository, "deployments_config", "environments", scope.Environment, "variables")
	}
	return k
}

func scopeName(s providers.Scope) string {
	name := s.Workspace + "/" + s.Repository
	if s.Repository == "" {
		name = s.Workspace + " (workspace)"
	}
	if s.Environment != "" {
		name += " (" + s.Environment + ")"
	}
	return name
}

// Variables implements [providers.Reader]. Pages that do not add up are a doubt,
// not an error.
func (c *Client) Variables(ctx context.Context, scope providers.Scope) (providers.VariableListing, error) {
	var out providers.VariableListing
	out.ReadAt = c.now()
	k := variables("list variables", scope)
	l, err := list(ctx, c, k, func(w wireVariable) string { return w.UUID })
	if err != nil {
		return providers.VariableListing{}, c.isOff(ctx, scope, err)
	}
	out.Variables = make([]providers.Variable, 0, len(l.items))
	for _, w := range l.items {
		if w.Key == "" {
			l.suspect("an item has no key")
			continue
		}
		out.Variables = append(out.Variables, w.variable())
	}
	slices.SortFunc(out.Variables, func(a, b providers.Variable) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.UUID, b.UUID))
	})
	for i := 1; i < len(out.Variables); i++ {
		if out.Variables[i].Key == out.Variables[i-1].Key {
			l.suspect("two variables have the same key")
		}
	}
	if l.doubt != "" {
		out.Doubts = append(out.Doubts, providers.Doubt{
			Kind:   providers.DoubtIncomplete,
			Detail: "The list of variables of " + k.scope + " does not add up: " + l.doubt + ". Reading it again may settle that.",
		})
	}
	return out, nil
}

// isOff tells a repository without Pipelines from one that is not there, with one more
// request: for both, GET …/pipelines_config/variables answers 404.
func (c *Client) isOff(ctx context.Context, scope providers.Scope, err error) error {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != providers.KindNotFound || scope.Repository == "" || scope.Environment != "" {
		return err
	}
	if _, missing := c.Repository(ctx, scope.Workspace, scope.Repository); missing != nil {
		return err
	}
	off := *e
	off.Kind, off.Hint = providers.KindInvalid, hintOff
	return &off
}

// Create implements [providers.Writer] by POST on the collection; success is 201.
func (c *Client) Create(ctx context.Context, scope providers.Scope, a providers.Assignment) (providers.Variable, error) {
	k := variables("create variable", scope)
	k.method = http.MethodPost
	return c.write(ctx, k, a, "")
}

// Update implements [providers.Writer] by PUT on the variable; success is 200.
// The service merges what is left out, so nothing is.
func (c *Client) Update(ctx context.Context, scope providers.Scope, uuid string, a providers.Assignment) (providers.Variable, error) {
	k := variables("update variable", scope)
	k.method = http.MethodPut
	k.template += "/{variable}"
	k.segments = append(k.segments, uuid)
	return c.write(ctx, k, a, uuid)
}

// write sends the whole variable. An answer that does not name the variable that
// was sent proves nothing: the write stays in doubt.
func (c *Client) write(ctx context.Context, k call, a providers.Assignment, uuid string) (providers.Variable, error) {
	body, err := encode(a)
	if err != nil {
		return providers.Variable{}, &providers.Error{
			Op: k.op, Scope: k.scope, Kind: providers.KindInvalid,
			Hint: "The key or value is not UTF-8 text, which is all that Bitbucket carries.",
		}
	}
	var got wireVariable
	k.body, k.notAfter = body, a.NotAfter
	k.decode = func(body []byte) error {
		got = wireVariable{}
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if !isUUID(got.UUID) || got.Key != a.Key || (uuid != "" && !strings.EqualFold(got.UUID, uuid)) {
			return errors.New("not the variable that was sent")
		}
		return nil
	}
	if err := c.send(ctx, k); err != nil {
		return providers.Variable{}, err
	}
	return got.variable(), nil
}

// encode makes the body of a write. Text that is not UTF-8 is refused, since
// encoding it as JSON would change it.
func encode(a providers.Assignment) ([]byte, error) {
	if !a.Value.IsUTF8() || !secret.New(a.Key).IsUTF8() {
		return nil, errors.New("not UTF-8")
	}
	return json.Marshal(map[string]any{"key": a.Key, "value": a.Value.Reveal(), "secured": a.Secured})
}
