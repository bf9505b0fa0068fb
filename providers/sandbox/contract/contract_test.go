// Package contract_test holds the answers of the emulated services against the
// vendors' OpenAPI documents. What was observed of Bitbucket to differ, the
// document's own x-observed notes say; each exception below names its note.
package contract_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/bitbucket"
)

// load loads a vendor's document, or skips where it is absent; variable is the
// environment variable that may hold its path.
func load(t *testing.T, variable, name string) *openapi3.T {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		path = filepath.Join("..", "..", "..", "..", "shared", "reference", name)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the vendor's OpenAPI document is not at %s; set %s to it", path, variable)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// document is Bitbucket's, with what was seen to differ.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc := load(t, "KMSYNC_BITBUCKET_OPENAPI", "bitbucket-openapi.json")
	// Note on schema "error": detail may be an object, fields may be present.
	e := doc.Components.Schemas["error"].Value.Properties["error"].Value
	e.Properties["detail"].Value.Type = nil
	allowed := true
	e.AdditionalProperties = openapi3.AdditionalProperties{Has: &allowed}
	return doc
}

// tour visits every route, successes and refusals. An empty token means the
// one of the world. declared is false where the document does not list the
// status: 400, 401, 403 and 501 never are.
var tour = [...]struct {
	method, path, body string
	token              string
	status             int
	declared           bool
}{
	{"GET", repo, "", "", 200, true},
	{"GET", "/2.0/repositories/acme/nope", "", "", 404, true},
	{"GET", repo + "/environments", "", "", 200, true},
	{"GET", repo + "/environments?pagelen=1&page=2", "", "", 200, true},
	{"GET", repo + "/environments/" + environment, "", "", 200, true},
	{"GET", repo + "/environments/%7Bnope%7D", "", "", 404, true},
	{"GET", repoVars, "", "", 200, true},
	{"GET", repoVars + "?pagelen=1", "", "", 200, true},
	{"POST", repoVars, `{"key":"A","value":"v","secured":true}`, "", 201, true},
	{"POST", repoVars, `{"key":"A","value":"v","secured":true}`, "", 409, true},
	{"POST", "/2.0/repositories/acme/nope/pipelines_config/variables", `{"key":"A","value":"v"}`, "", 404, true},
	{"GET", repoVars + "/" + readable, "", "", 200, true},
	{"GET", repoVars + "/%7Bnope%7D", "", "", 404, true},
	{"PUT", repoVars + "/" + readable, `{"value":"w","secured":false}`, "", 200, true},
	{"PUT", repoVars + "/%7Bnope%7D", `{"value":"w"}`, "", 404, true},
	{"DELETE", repoVars + "/" + readable, "", "", 204, true},
	{"DELETE", repoVars + "/" + readable, "", "", 404, true},
	{"GET", envVars, "", "", 200, true},
	{"POST", envVars, `{"key":"A","value":"v","secured":false}`, "", 201, true},
	{"POST", envVars, `{"key":"a","value":"v","secured":false}`, "", 409, true},
	{"GET", envVars, "", "", 200, true},
	{"PUT", envVars + "/%7Bnope%7D", `{"value":"w"}`, "", 404, true},
	{"DELETE", envVars + "/%7Bnope%7D", "", "", 404, true},
	{"GET", space, "", "", 200, true},
	{"GET", "/2.0/workspaces/nope", "", "", 404, true},
	{"GET", spaceVars, "", "", 200, true},
	{"POST", spaceVars, `{"key":"B","value":"v","secured":false}`, "", 201, true},
	{"POST", spaceVars, `{"key":"b","value":"v","secured":false}`, "", 409, true},
	{"GET", spaceVars + "?pagelen=1", "", "", 200, true},
	{"POST", "/2.0/workspaces/nope/pipelines-config/variables", `{"key":"A","value":"v"}`, "", 404, true},
	{"GET", spaceVars + "/%7Bnope%7D", "", "", 404, true},
	{"PUT", spaceVars + "/%7Bnope%7D", `{"value":"w"}`, "", 404, true},
	{"DELETE", spaceVars + "/%7Bnope%7D", "", "", 404, true},
	{"POST", repoVars, `{"key":"1","value":""}`, "", 400, false},
	{"GET", repoVars, "", "wrong", 401, false},
	{"POST", repo + "/environments", `{"name":"x"}`, "", 501, false},
}

const (
	space       = "/2.0/workspaces/acme"
	spaceVars   = space + "/pipelines-config/variables"
	repo        = "/2.0/repositories/acme/web"
	repoVars    = repo + "/pipelines_config/variables"
	environment = "%7Ba1e0c2d4-0002-4b00-8000-000000000021%7D"
	envVars     = repo + "/deployments_config/environments/" + environment + "/variables"
	readable    = "%7Ba1e0c2d4-0002-4b00-8000-000000000011%7D"
)

func TestBitbucketAgainstOpenAPI(t *testing.T) {
	t.Parallel()
	doc := document(t)
	s, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i, step := range tour {
		name := strconv.Itoa(i) + " " + step.method + " " + step.path
		token := step.token
		if token == "" {
			token = s.Credentials().AccessToken
		}
		status, header, body := send(t, s.Address()+step.path, step.method, step.body, token)
		if status != step.status {
			t.Errorf("%s: got %d %s, want %d", name, status, body, step.status)
			continue
		}
		template := strings.Replace(strings.TrimPrefix(bitbucket.Template(step.method, step.path), "/2.0"), "{repo}", "{repo_slug}", 1)
		checkAnswer(t, doc, name, template, step.method, status, step.declared, header, body)
	}
}

func send(t *testing.T, url, method, body, token string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, text
}

// checkAnswer validates a body against the schema of its operation and
// status, and the headers the document declares.
func checkAnswer(t *testing.T, doc *openapi3.T, name, template, method string, status int, declared bool, header http.Header, body []byte) {
	t.Helper()
	item := doc.Paths.Value(template)
	if item == nil || item.GetOperation(method) == nil {
		t.Errorf("%s: the document has no %s %s", name, method, template)
		return
	}
	schema := doc.Components.Schemas["error"]
	answer := item.GetOperation(method).Responses.Status(status)
	switch {
	case answer == nil && declared && status != http.StatusNotFound:
		t.Errorf("%s: the document declares no %d", name, status)
		return
	case answer != nil && answer.Value.Content == nil:
		schema = nil
	case answer != nil && status < 300:
		schema = answer.Value.Content.Get("application/json").Schema
	}
	if answer != nil {
		for field := range answer.Value.Headers {
			if header.Get(field) == "" {
				t.Errorf("%s: no %s header", name, field)
			}
		}
	}
	if schema == nil || status == http.StatusNoContent {
		if status == http.StatusNoContent && len(body) != 0 {
			t.Errorf("%s: a body %q", name, body)
		}
		return
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := schema.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s: %s\n%v", name, body, err)
	}
}
