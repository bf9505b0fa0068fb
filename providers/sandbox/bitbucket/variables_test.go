package bitbucket_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

func TestSecuredValueNeverLeaves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	answers := []string{
		b.do("GET", repoVars, "").Body.String(),
		b.do("GET", repoVars+"/"+safeUUID, "").Body.String(),
		b.do("POST", repoVars, `{"key":"NEW","value":"covert","secured":true}`).Body.String(),
		b.do("POST", envVars, `{"key":"NEW","value":"covert","secured":true}`).Body.String(),
		b.do("PUT", repoVars+"/"+safeUUID, `{"value":"covert again"}`).Body.String(),
		b.do("PUT", repoVars+"/"+safeUUID, `{"secured":false}`).Body.String(),
		b.do("GET", envVars, "").Body.String(),
	}
	for i, a := range answers {
		if strings.Contains(a, "covert") {
			t.Errorf("answer %d shows a secured value: %s", i, a)
		}
	}
	if v := b.want(b.do("GET", repoVars+"/"+safeUUID, ""), 200); v["secured"] != true || strings.Contains(answers[1], "value") {
		t.Errorf("the value is not left out: %s", answers[1])
	}
	if v := b.want(b.do("GET", repoVars+"/"+openUUID, ""), 200); v["value"] != "eu" || v["type"] != "pipeline_variable" {
		t.Errorf("a readable variable: %v", v)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, path := range []string{repoVars, envVars + "/"} {
		w := b.do("POST", path, `{"key":"NEW","value":"v","secured":false,"type":"pipeline_variable"}`)
		v := b.want(w, 201)
		uuid, _ := v["uuid"].(string)
		want := "http://example.com" + strings.TrimSuffix(path, "/") + "/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(uuid)
		if got := w.Header().Get("Location"); got != want || !strings.HasPrefix(uuid, "{") {
			t.Errorf("Location %q, want %q", got, want)
		}
	}
	if got := b.keys(repoVars) + "|" + b.keys(envVars); got != "REGION TOKEN NEW|NEW" {
		t.Errorf("lists: %q", got)
	}
	if got := b.effects(); got != "create acme/web/ >NEW; create acme/web/Production >NEW" {
		t.Errorf("journal: %q", got)
	}
	b.want(b.do("POST", repoVars, `{"key":"BARE","value":"v"}`), 201)
	if got := b.stored(); !strings.HasSuffix(got, `BARE="v",false`) {
		t.Errorf("secured left out: %s", got)
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.stored()
	for _, key := range []string{"REGION", "region"} {
		b.wantCode(b.do("POST", repoVars, `{"key":"`+key+`","value":"x"}`), 409, "variable-service.variable.duplicate")
		b.wantCode(b.do("PUT", repoVars+"/"+safeUUID, `{"key":"`+key+`"}`), 409, "variable-service.variable.duplicate")
	}
	if b.stored() != before || b.effects() != "" {
		t.Errorf("a refused write had an effect: %s; %s", b.stored(), b.effects())
	}
	b.want(b.do("POST", envVars, `{"key":"REGION","value":"x"}`), 201) // another scope
	b.want(b.do("PUT", repoVars+"/"+openUUID, `{"key":"Region"}`), 200)

	exact := newBench(t, switches(world.Switches{ExactCase: true}))
	exact.want(exact.do("POST", repoVars, `{"key":"region","value":"x"}`), 201)
	exact.wantCode(exact.do("POST", repoVars, `{"key":"REGION","value":"x"}`), 409, "variable-service.variable.duplicate")
}

func TestUpdateMerges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		uuid, body string
		want       string // the two variables afterwards
	}{
		"nothing":           {safeUUID, `{}`, `REGION="eu",false TOKEN="covert",true`},
		"value":             {safeUUID, `{"value":"n"}`, `REGION="eu",false TOKEN="n",true`},
		"rename":            {safeUUID, `{"key":"T2"}`, `REGION="eu",false T2="covert",true`},
		"secure":            {openUUID, `{"secured":true}`, `REGION="eu",true TOKEN="covert",true`},
		"all":               {openUUID, `{"key":"R2","value":"us","secured":true}`, `R2="us",true TOKEN="covert",true`},
		"readable, value":   {safeUUID, `{"value":"n","secured":false}`, `REGION="eu",false TOKEN="n",false`},
		"uuid in the body":  {openUUID, `{"uuid":"{x}","value":"us"}`, `REGION="us",false TOKEN="covert",true`},
		"own key once more": {openUUID, `{"key":"REGION","value":"us"}`, `REGION="us",false TOKEN="covert",true`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.want(b.do("PUT", repoVars+"/"+tt.uuid, tt.body), 200)
			if got := b.stored(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	b := newBench(t)
	b.want(b.do("PUT", repoVars+"/"+safeUUID, `{"key":"T2"}`), 200)
	if got := b.effects(); got != "update acme/web/ TOKEN>T2" {
		t.Errorf("journal: %q", got)
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ method, body, field string }{
		"empty key":           {"POST", `{"key":"","value":"v"}`, "key"},
		"missing key":         {"POST", `{"value":"v"}`, "key"},
		"digit first":         {"POST", `{"key":"1A","value":"v"}`, "key"},
		"dash first":          {"POST", `{"key":"-A","value":"v"}`, "key"},
		"blank":               {"POST", `{"key":"A B","value":"v"}`, "key"},
		"not ASCII":           {"POST", `{"key":"Ä","value":"v"}`, "key"},
		"key of another kind": {"POST", `{"key":7,"value":"v"}`, "key"},
		"empty value":         {"POST", `{"key":"A","value":""}`, "value"},
		"missing value":       {"POST", `{"key":"A"}`, "value"},
		"null value":          {"POST", `{"key":"A","value":null}`, "value"},
		"line break":          {"POST", `{"key":"A","value":"a\nb"}`, "value"},
		"carriage return":     {"POST", `{"key":"A","value":"a\rb"}`, "value"},
		"secured as text":     {"POST", `{"key":"A","value":"v","secured":"yes"}`, "secured"},
		"update, empty value": {"PUT", `{"value":""}`, "value"},
		"exposing a secret":   {"PUT", `{"secured":false}`, "value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			before, path := b.stored(), repoVars
			if tt.method == "PUT" {
				path += "/" + safeUUID
			}
			body := b.wantCode(b.do(tt.method, path, tt.body), 400, "variable-service.request.validation-error")
			if text, ok := at(body, "error", "data", "arguments", tt.field).(string); !ok || text == "" {
				t.Errorf("arguments: %v", body)
			}
			if b.stored() != before || b.effects() != "" {
				t.Error("a refused write had an effect")
			}
		})
	}
	b := newBench(t)
	for _, key := range []string{"_A", "a.b", "A-1"} {
		b.want(b.do("POST", repoVars, `{"key":"`+key+`","value":"v"}`), 201)
	}
	if body := b.want(b.do("POST", repoVars, `{"key":"A","value":"v","colour":"red"}`), 400); at(body, "error", "fields", "colour") != "extra keys not allowed" {
		t.Errorf("unknown field: %v", body)
	}
	for _, broken := range []string{``, `{`, `[]`} {
		b.want(b.do("POST", repoVars, broken), 400)
	}
}

func TestLineBreaks(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{world.LineBreaksKeep: `A="a\nb",false`, world.LineBreaksStrip: `A="ab",false`} {
		b := newBench(t, switches(world.Switches{LineBreaks: mode}))
		b.want(b.do("POST", repoVars, `{"key":"A","value":"a\nb"}`), 201)
		if got := b.stored(); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s", mode, got)
		}
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	for root, effect := range map[string]string{
		repoVars: "delete acme/web/ >TOKEN", envVars: "delete acme/web/Production >TOKEN", spaceVars: "delete acme// >TOKEN",
	} {
		b := newBench(t, func(b *world.Bitbucket) {
			ws := &b.Workspaces[0]
			ws.Variables = slices.Clone(ws.Repositories[0].Variables)
			ws.Repositories[0].Environments[0].Variables = slices.Clone(ws.Variables)
		})
		for _, elsewhere := range []string{
			strings.Replace(root, "acme", "nobody", 1), strings.Replace(root, "web", "nothing", 1),
			strings.Replace(root, "0000e1", "0000e9", 1),
		} {
			if elsewhere == root {
				continue
			}
			body := b.want(b.do("DELETE", elsewhere+"/"+safeUUID, ""), 404)
			if at(body, "error", "data", "key") == "variable-service.variable.not-found" {
				t.Errorf("%s: %v speaks of the variable", elsewhere, body)
			}
		}
		if w := b.do("DELETE", root+"/"+safeUUID, "", "Authorization", "Bearer reader"); w.Code != 403 {
			t.Errorf("%s: got %d without the scope", root, w.Code)
		}
		if w := b.do("DELETE", root+"/"+safeUUID, ""); w.Code != 204 || w.Body.Len() != 0 {
			t.Errorf("%s: got %d %q", root, w.Code, w.Body)
		}
		b.wantCode(b.do("DELETE", root+"/"+safeUUID, ""), 404, "variable-service.variable.not-found")
		if got := b.keys(root) + "|" + b.effects(); got != "REGION|"+effect {
			t.Errorf("%s: got %q", root, got)
		}
		if w := b.do("DELETE", root, ""); w.Code != 404 {
			t.Errorf("%s: got %d for the collection", root, w.Code)
		}
	}
}

func TestUnknownVariable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const nobody = "/%7B00000000-0000-4000-8000-0000000000ff%7D"
	for _, request := range []string{"GET " + repoVars, "PUT " + repoVars, "DELETE " + repoVars, "PUT " + envVars, "DELETE " + envVars} {
		method, path, _ := strings.Cut(request, " ")
		b.wantCode(b.do(method, path+nobody, `{"value":"v"}`), 404, "variable-service.variable.not-found")
	}
	// A variable of the repository is not one of the environment.
	b.wantCode(b.do("PUT", envVars+"/"+openUUID, `{"value":"v"}`), 404, "variable-service.variable.not-found")
	// One variable of an environment cannot be read.
	b.want(b.do("GET", envVars+nobody, ""), 404)
}
