package kms

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	const html = "<html>canary"
	for name, c := range map[string]struct {
		status int
		body   string
		kind   providers.Kind
		code   string
		hint   string // part of it
	}{
		"folder missing":         {404, `{"reqId":"r","message":"canary","error":"SecretPathNotFound"}`, providers.KindNotFound, "SecretPathNotFound", "folder or the environment does not exist"},
		"other 404":              {404, `{"reqId":"r","message":"canary","error":"NotFound"}`, providers.KindNotFound, "NotFound", ""},
		"no route":               {404, `{"statusCode":404,"error":"Not Found","message":"Route GET:/api/v4/secrets?canary not found"}`, providers.KindUnsupported, "", "does not serve /api/v3/secrets/raw"},
		"route, but reqId":       {404, `{"reqId":"r","error":"NotFound","message":"Route GET:/canary not found"}`, providers.KindNotFound, "NotFound", ""},
		"404 page":               {404, html, providers.KindForeign, "", "does not speak the /api"},
		"404 text":               {404, "canary", providers.KindForeign, "", "does not speak the /api"},
		"403 page":               {403, html, providers.KindForeign, "", "does not speak the /api"},
		"403":                    {403, `{"error":"PermissionDenied","details":[{"canary":1}],"message":"canary"}`, providers.KindForbidden, "PermissionDenied", "lacks a right"},
		"403 custom":             {403, `{"error":"Forbidden access to /canary","message":"canary"}`, providers.KindForbidden, "", "lacks a right"},
		"403 empty":              {403, ``, providers.KindForbidden, "", "lacks a right"},
		"not a member":           {403, `{"error":"ProjectMembershipNotFound"}`, providers.KindForbidden, "ProjectMembershipNotFound", "not a member"},
		"not a member, 2024":     {403, `{"error":"Identity not in project","message":"canary"}`, providers.KindForbidden, "", "not a member"},
		"validation, 2024":       {403, `{"error":"ValidationFailure","message":[{"code":"x","message":"canary"}]}`, providers.KindInvalid, "ValidationFailure", ""},
		"no project, 2024":       {400, `{"error":"BadRequest","message":"Project not found during bot lookup."}`, providers.KindNotFound, "", "No project"},
		"no folder, 2024":        {400, `{"error":"BadRequest","message":"Folder not found"}`, providers.KindNotFound, "SecretPathNotFound", "folder or the environment"},
		"no env, 2024":           {400, `{"error":"BadRequest","message":"Environment not found"}`, providers.KindNotFound, "SecretPathNotFound", "folder or the environment"},
		"no slug, 2024":          {500, `{"error":"Failed to find project by slug","message":"Something went wrong"}`, providers.KindNotFound, "", "No project of that slug"},
		"no id, 2024":            {500, `{"error":"Failed to find project by id","message":"Something went wrong"}`, providers.KindNotFound, "", "No project"},
		"bad path, 2024":         {500, `{"error":"Find by secret path","message":"Something went wrong"}`, providers.KindNotFound, "", "secret_path"},
		"encrypted, 2024":        {400, `{"error":"bot_not_found_error","message":"Failed to find bot key"}`, providers.KindUnsupported, "", "end to end"},
		"sentence, other status": {404, `{"reqId":"r","error":"NotFound","message":"Secret not found"}`, providers.KindNotFound, "NotFound", ""},
		"step, other status":     {403, `{"error":"Failed to find project by id"}`, providers.KindForbidden, "", "lacks a right"},
		"no project, 2026":       {404, `{"reqId":"r","error":"NotFound","message":"Project with ID 'canary' not found"}`, providers.KindNotFound, "", "No project"},
		"jwt":                    {500, `{"error":"Internal Server Error","message":"jwt expired"}`, providers.KindUnauthenticated, "", "access token"},
		"used up":                {400, `{"error":"BadRequest","message":"Unable to renew because access token number of uses limit reached"}`, providers.KindUnauthenticated, "BadRequest", "access token"},
		"right, 2024":            {401, `{"error":"PermissionDenied"}`, providers.KindForbidden, "PermissionDenied", "lacks a right"},
		"422 list":               {422, `{"reqId":"r","message":[{"code":"x","message":"canary"}],"error":"ValidationFailure"}`, providers.KindInvalid, "ValidationFailure", ""},
		"400 object":             {400, `{"message":{"canary":"canary"},"error":"BadRequest"}`, providers.KindInvalid, "BadRequest", ""},
		"400 list code":          {400, `{"message":7,"error":["canary"]}`, providers.KindInvalid, "", ""},
		"400 long code":          {400, `{"error":"` + strings.Repeat("canary", 11) + `"}`, providers.KindInvalid, "", ""},
		"400 array":              {400, `["canary"]`, providers.KindInvalid, "", ""},
		"501":                    {501, `{"error":"NotImplemented"}`, providers.KindUnsupported, "", ""},
		"500":                    {500, `{"error":"InternalServerError"}`, providers.KindUnavailable, "InternalServerError", ""},
		"504 page":               {504, html, providers.KindUnavailable, "", ""},
		"408":                    {408, ``, providers.KindUnavailable, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := []reply{{status: c.status, body: c.body}}
			s := serve(t, map[string][]reply{listRoute: answer, rawRoute: answer})
			_, err := s.client(nil).List(t.Context(), dev)
			e := wantKind(t, err, c.kind)
			if e.Status != c.status || e.Code != c.code || !strings.Contains(e.Hint, c.hint) || (c.hint == "" && e.Hint != "") {
				t.Errorf("status %d, code %q, hint %q; want %d, %q, %q", e.Status, e.Code, e.Hint, c.status, c.code, c.hint)
			}
			if e.Op != "list secrets" || e.Scope != "dev:/payments" {
				t.Errorf("op %q, scope %q", e.Op, e.Scope)
			}
			noCanary(t, s.logs.String())
		})
	}
}

// echoed are texts that an answer may repeat: one that is no code by its form, and
// some that look just like a code.
var echoed = []string{"Canary Text", clientSecret, "CanaryToken", "canary.value", "canary_value"}

// An answer that repeats the client secret, the token or a value where the code
// stands does not get it shown, neither of the login nor of a read.
func TestEchoesAreNotShown(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{clientSecret, accessToken1, "canaryvalue", "canary.value"} {
		for _, body := range []string{
			`{"reqId":"r","message":"%s","error":"%s"}`, `{"reqId":"%s","error":"%s","details":{"%s":"%s"}}`,
			`{"error":"%s"}`, `{"error":["%s"]}`, `{"error":{"%s":"%s"}}`, `{"message":[{"code":"%s"}],"error":"%s","code":"%s"}`,
		} {
			text := strings.ReplaceAll(body, "%s", secret)
			for status, kind := range map[int]providers.Kind{
				400: providers.KindInvalid, 401: providers.KindUnauthenticated, 403: providers.KindForbidden,
				404: providers.KindNotFound, 422: providers.KindInvalid, 500: providers.KindUnavailable,
			} {
				if status == 404 && !strings.Contains(body, "reqId") {
					kind = providers.KindForeign // a KMS says which request it was
				}
				for _, route := range []string{loginRoute, listRoute} {
					s := serve(t, map[string][]reply{route: {{status: status, body: text}}})
					_, err := s.client(nil).List(t.Context(), dev)
					if status == 500 && strings.Contains(text, `"message"`) && secret == accessToken1 {
						kind = providers.KindUnauthenticated // it speaks of a token
					}
					if e := wantKind(t, err, kind); e.Code != "" {
						t.Errorf("%s, %d: shows the code %q", route, status, e.Code)
					}
					noCanary(t, s.logs.String())
				}
			}
		}
	}
}

// A text of the answer never gets into an error, whatever the shape around it.
func FuzzFail(f *testing.F) {
	for _, seed := range []string{
		`{"reqId":"%s","message":"%s","error":"%s"}`, `{"message":[{"message":"%s"}],"error":{"%s":1}}`,
		`{"message":"Route GET:%s not found","error":"%s"}`, `["%s"]`, `"%s"`, `<html>%s`, `%s`, "null", "\xff\x00",
	} {
		for _, status := range []int{400, 401, 403, 404, 422, 429, 500} {
			for _, secret := range echoed {
				f.Add(status, strings.ReplaceAll(seed, "%s", secret))
			}
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 400 || status > 999 {
			return
		}
		for _, op := range []string{opList, opLogin, opProject, opFolders} {
			e := fail(&httpx.Request{Op: op, Template: map[bool]string{true: loginPath(kindOIDC), false: "/x"}[op == opLogin]}, status, http.Header{}, []byte(body))
			if e.Kind == "" {
				t.Error("no kind")
			}
			for _, secret := range echoed {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("quotes the body: %v", e)
				}
			}
		}
	})
}

// Hostile lists never panic; what is accepted is of the folder that was asked for.
func FuzzList(f *testing.F) {
	f.Add(`{"secrets":[{"id":"00000000-0000-4000-8000-000000000001","environment":"dev","secretPath":"/payments","type":"shared","secretKey":"A","secretValue":"Canary"}],"imports":[]}`)
	f.Add(`{"secrets":[null,{}],"imports":[null,{"secrets":null},{"secrets":[null]}]}`)
	f.Add(`{"secrets":[{"secretPath":null,"secretValue":null,"version":-1}],"imports":null}`)
	f.Add(`{"secrets":[{"id":"00000000-0000-4000-8000-000000000001","environment":"dev","secretPath":"/payments//x/","type":"shared","secretKey":"A"}],"imports":[{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		var got answer
		if json.Unmarshal([]byte(body), &got) != nil || got.Secrets == nil {
			return
		}
		for _, deep := range []bool{false, true} {
			out, err := read(legacy, dev, deep, got)
			if err != nil {
				wantKind(t, err, providers.KindInvalid)
				continue
			}
			for _, folder := range out.folders {
				if folder.Folder != dev && (!deep || !strings.HasPrefix(folder.Folder.Path, "/payments/")) {
					t.Errorf("deep %v: secrets of %s", deep, folder.Folder)
				}
				for i, s := range folder.Secrets {
					if s.Name == "" || (i > 0 && s.Name <= folder.Secrets[i-1].Name) {
						t.Errorf("secret %d is %q", i, s.Name)
					}
				}
			}
		}
	})
}
