package contract_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/hanzoai/kmsync/providers/sandbox/kms"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	kmsProject = "b7f1c0de-1a2b-4c3d-8e4f-5a6b7c8d9e0f"
	kmsOIDC    = "11111111-2222-4333-8444-555555555555"
	inV4       = "?projectId=" + kmsProject + "&environment=dev&secretPath=/web"
	inV3       = "?workspaceId=" + kmsProject + "&environment=dev&secretPath=/web"
	placeV2    = "?projectId=" + kmsProject + "&environment=dev&path="
	placeV1    = "?workspaceId=" + kmsProject + "&environment=dev&path="
)

// kmsTour visits every route of the current generation, successes and refusals.
var kmsTour = [...]struct {
	method, path, body, token string
	status                    int
}{
	{"POST", "/api/v1/auth/universal-auth/login", `{"clientId":"{id}","clientSecret":"{secret}"}`, "-", 200},
	{"POST", "/api/v1/auth/universal-auth/login", `{"clientId":"x","clientSecret":"x"}`, "-", 401},
	{"POST", "/api/v1/auth/universal-auth/login", `{}`, "-", 422},
	{"POST", "/api/v1/auth/universal-auth/login", `{`, "-", 500},
	{"POST", "/api/v1/auth/oidc-auth/login", `{"identityId":"` + kmsOIDC + `","jwt":"{jwt}"}`, "-", 200},
	{"POST", "/api/v1/auth/oidc-auth/login", `{"identityId":"` + kmsOIDC + `","jwt":"x"}`, "-", 401},
	{"POST", "/api/v1/auth/oidc-auth/login", `{"identityId":"` + kmsProject + `","jwt":"x"}`, "-", 404},
	{"POST", "/api/v1/auth/token/renew", `{"accessToken":"{issued}"}`, "-", 200},
	{"POST", "/api/v1/auth/token/revoke", `{"accessToken":"{issued}"}`, "-", 200},
	{"GET", "/api/v4/secrets" + inV4, "", "", 200},
	{"GET", "/api/v4/secrets" + inV4 + "&recursive=true", "", "", 200},
	{"GET", "/api/v4/secrets" + inV4, "", "nothing", 403},
	{"GET", "/api/v4/secrets" + inV4, "", "wrong", 403},
	{"GET", "/api/v4/secrets" + inV4, "", "-", 401},
	{"GET", "/api/v4/secrets", "", "", 400},
	{"GET", "/api/v4/secrets" + inV4 + "x", "", "", 404},
	{"GET", "/api/v4/secrets" + inV4 + "&recursive=1", "", "", 422},
	{"GET", "/api/v4/secrets/SENTRY_DSN" + inV4, "", "", 200},
	{"GET", "/api/v4/secrets/REGION" + inV4, "", "", 200},
	{"GET", "/api/v4/secrets/NOPE" + inV4, "", "", 404},
	{"GET", "/api/v3/secrets/raw" + inV3 + "&include_imports=true", "", "", 200},
	{"GET", "/api/v3/secrets/raw/SENTRY_DSN" + inV3, "", "", 200},
	{"GET", "/api/v3/secrets/raw/NOPE" + inV3, "", "", 404},
	{"GET", "/api/v2/folders" + placeV2 + "/", "", "", 200},
	{"GET", "/api/v2/folders" + placeV2 + "/&recursive=true", "", "", 200},
	{"GET", "/api/v1/folders" + placeV1 + "/", "", "", 200},
	{"GET", "/api/v1/folders", "", "", 422},
	{"GET", "/api/v2/secret-imports" + placeV2 + "/web", "", "", 200},
	{"GET", "/api/v1/secret-imports" + placeV1 + "/web", "", "", 200},
	{"GET", "/api/v1/secret-imports" + placeV1 + "/nope", "", "", 404},
	{"GET", "/api/v1/projects/" + kmsProject, "", "", 200},
	{"GET", "/api/v1/projects/slug/demo", "", "", 200},
	{"GET", "/api/v1/projects/slug/nope", "", "", 404},
	{"GET", "/api/v1/projects/" + kmsProject + "/environments/slug/dev", "", "", 200},
}

// kmsWorld is the default world with something in every field.
func kmsWorld() *world.World {
	w := world.Default()
	env := &w.KMS.Projects[0].Environments[0]
	web := env.Folder("/web")
	web.Secrets[0].Tags, web.Secrets[0].Comment = []string{"db"}, "a note"
	web.Imports = []world.Import{{Environment: "dev", Path: "/shared/common"}}
	env.Folders = append(env.Folders, world.Folder{Path: "/shared/common", Secrets: []world.Secret{{Key: "REGION", Value: "eu"}}})
	w.KMS.Identities = append(w.KMS.Identities,
		world.Identity{Token: "nothing", Access: []world.Access{}},
		world.Identity{OIDC: &world.OIDC{ID: kmsOIDC, Issuer: "https://oidc.example"}})
	w.KMS.Switches.RateLimit = 1000
	return w
}

func TestKMSAgainstOpenAPI(t *testing.T) {
	t.Parallel()
	doc := load(t, "KMSYNC_KMS_OPENAPI", "kms-openapi.json")
	store, err := world.OpenStore(world.StoreOptions{World: kmsWorld()})
	if err != nil {
		t.Fatal(err)
	}
	service := kms.New(store, func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) })
	id := kmsWorld().KMS.Identities[0]
	fill := map[string]string{"{id}": id.ClientID, "{secret}": id.ClientSecret}
	fill["{jwt}"] = askKMS(service, "GET", kms.OIDCTokenPath+"?identity="+kmsOIDC, "", "").Body.String()
	visited := map[string]bool{}
	for i, step := range kmsTour {
		body := step.body
		for name, value := range fill {
			body = strings.ReplaceAll(body, name, value)
		}
		auth := map[string]string{"": "Bearer " + id.Token, "-": ""}[step.token]
		if auth == "" && step.token != "-" {
			auth = "Bearer " + step.token
		}
		answer := askKMS(service, step.method, step.path, auth, body)
		name := strconv.Itoa(i) + " " + step.method + " " + step.path
		if answer.Code != step.status {
			t.Errorf("%s: got %d %s, want %d", name, answer.Code, answer.Body, step.status)
			continue
		}
		if fill["{issued}"] == "" {
			var issued struct{ AccessToken string }
			_ = json.Unmarshal(answer.Body.Bytes(), &issued)
			fill["{issued}"] = issued.AccessToken
		}
		bare, _, _ := strings.Cut(step.path, "?")
		template := kms.Template(step.method, bare)
		visited[step.method+" "+template] = true
		checkKMS(t, doc, name, template, step.method, answer)
	}
	for _, route := range kms.Routes(world.Generation2026) {
		if !visited[route] {
			t.Errorf("%s is not visited", route)
		}
	}
}

func askKMS(service http.Handler, method, target, auth, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w
}

// checkKMS validates a body against the schema of its operation and status: the
// fields that are required are there, and all have the type that is documented.
// Fields that the document does not have are named as well.
func checkKMS(t *testing.T, doc *openapi3.T, name, template, method string, answer *httptest.ResponseRecorder) {
	t.Helper()
	item := doc.Paths.Value(template)
	if item == nil || item.GetOperation(method) == nil {
		t.Errorf("%s: the document has no %s %s", name, method, template)
		return
	}
	response := item.GetOperation(method).Responses.Status(answer.Code)
	if response == nil {
		t.Errorf("%s: the document declares no %d", name, answer.Code)
		return
	}
	schema := response.Value.Content.Get("application/json").Schema.Value
	var value any
	if err := json.Unmarshal(answer.Body.Bytes(), &value); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := schema.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s: %s\n%v", name, answer.Body, err)
	}
	if answer.Code == http.StatusOK {
		undocumented(t, name, schema, value)
	}
}

// undocumented names fields of an answer that its schema does not have.
func undocumented(t *testing.T, at string, schema *openapi3.Schema, value any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			undocumented(t, at+"[]", schema.Items.Value, element)
		}
	case map[string]any:
		for field, inner := range v {
			property := schema.Properties[field]
			if property == nil && len(schema.AnyOf)+len(schema.OneOf)+len(schema.AllOf) == 0 {
				t.Errorf("%s: the document has no field %s", at, field)
			} else if property != nil {
				undocumented(t, at+"."+field, property.Value, inner)
			}
		}
	}
}
