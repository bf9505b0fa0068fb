package kms_test

import (
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/kms"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"GET /api/v4/secrets":                         "/api/v4/secrets",
		"GET /api/v4/secrets/":                        "/api/v4/secrets",
		"GET /api/v4/secrets/a%2Fb":                   "/api/v4/secrets/{secretName}",
		"GET /api/v1/projects/x":                      "/api/v1/projects/{projectId}",
		"GET /api/v1/projects/slug/x":                 "/api/v1/projects/slug/{slug}",
		"GET /api/v1/projects/x/environments":         "/api/v1/projects/{rest}",
		"POST /api/v1/auth/universal-auth/login":      "/api/v1/auth/universal-auth/login",
		"GET /api/v3/secrets/raw/a%2Fb":               "/api/v3/secrets/raw/{secretName}",
		"GET /api/v1/projects/x/environments/slug/y":  "/api/v1/projects/{projectId}/environments/slug/{envSlug}",
		"GET /api/v2/secret-imports":                  "/api/v2/secret-imports",
		"POST /api/v4/secrets/X":                      "/api/v4/secrets/{rest}",
		"GET /api/v9/secrets":                         "/api/{unknown}",
		"GET /api/v4/secrets/%zz":                     "/api/{unknown}",
		"POST /api/v1/auth/universal-auth/login/more": "/api/v1/auth/{rest}",
	}
	for request, want := range tests {
		method, path, _ := strings.Cut(request, " ")
		if got := kms.Template(method, path); got != want {
			t.Errorf("%s: got %s, want %s", request, got, want)
		}
	}
}
