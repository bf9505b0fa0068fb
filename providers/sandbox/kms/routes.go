package kms

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// The kinds of route.
const (
	unknown kind = iota
	notEmulated
	login
	oidcLogin
	renew
	revoke
	listSecrets
	getSecret
	listSecretsV3
	getSecretV3
	listFolders
	listFoldersV1
	listImports
	listImportsV1
	getProject
	getProjectBySlug
	getEnvironment
	getWorkspace
	getWorkspaceBySlug
)

type kind int

// route is where a request leads: its kind, the template that counters use,
// and the decoded variable segments.
type route struct {
	kind     kind
	template string
	args     []string
}

// maxName is the longest secret name a URL may carry, in characters; a longer
// one is an unknown route (seen on both generations: 404).
const maxName = 100

// table holds the routes that are emulated. A generation serves some of them.
var table = [...]struct {
	kind             kind
	method, template string
}{
	{login, http.MethodPost, "/api/v1/auth/universal-auth/login"},
	{oidcLogin, http.MethodPost, "/api/v1/auth/oidc-auth/login"},
	{renew, http.MethodPost, "/api/v1/auth/token/renew"},
	{revoke, http.MethodPost, "/api/v1/auth/token/revoke"},
	{listSecrets, http.MethodGet, "/api/v4/secrets"},
	{getSecret, http.MethodGet, "/api/v4/secrets/{secretName}"},
	{listSecretsV3, http.MethodGet, "/api/v3/secrets/raw"},
	{getSecretV3, http.MethodGet, "/api/v3/secrets/raw/{secretName}"},
	{listFolders, http.MethodGet, "/api/v2/folders"},
	{listFoldersV1, http.MethodGet, "/api/v1/folders"},
	{listImports, http.MethodGet, "/api/v2/secret-imports"},
	{listImportsV1, http.MethodGet, "/api/v1/secret-imports"},
	{getProjectBySlug, http.MethodGet, "/api/v1/projects/slug/{slug}"},
	{getProject, http.MethodGet, "/api/v1/projects/{projectId}"},
	{getEnvironment, http.MethodGet, "/api/v1/projects/{projectId}/environments/slug/{envSlug}"},
	{getWorkspace, http.MethodGet, "/api/v1/workspace/{projectId}"},
	{getWorkspaceBySlug, http.MethodGet, "/api/v2/workspace/{slug}"},
}

// Template returns the path of a request with names in braces, for counters:
// "/api/v4/secrets/{secretName}". escapedPath is the path as it was sent.
func Template(method, escapedPath string) string { return match(method, escapedPath).template }

// match finds the route, whichever generation serves it. One slash at the end is
// ignored; a doubled one makes the route unknown.
func match(method, escapedPath string) route {
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escapedPath, "/"), "/"), "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil || decoded == "" {
			return route{template: "/api/{unknown}"}
		}
		segments[i] = decoded
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, row := range table {
		if args, ok := fits(row.template, segments); ok && method == row.method {
			return route{row.kind, row.template, args}
		}
	}
	if known(method, segments) {
		return route{kind: notEmulated, template: "/" + strings.Join(segments[:3], "/") + "/{rest}"}
	}
	return route{template: "/api/{unknown}"}
}

// fits compares decoded segments with a template and returns what its braces
// stand for.
func fits(template string, segments []string) (args []string, ok bool) {
	pattern := strings.Split(template[1:], "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	for i, p := range pattern {
		switch {
		case p == "{secretName}" && utf8.RuneCountInString(segments[i]) > maxName, p == "{projectId}" && segments[i] == "slug":
			return nil, false
		case strings.HasPrefix(p, "{"):
			args = append(args, segments[i])
		case p != segments[i]:
			return nil, false
		}
	}
	return args, true
}

// known tells whether the service has routes there that are not emulated.
// GET of the logins and of a name that is too long are unknown to it as well.
func known(method string, segments []string) bool {
	if len(segments) < 3 {
		return false
	}
	families := []string{
		"v1/auth", "v1/app-connections", "v1/dashboard", "v1/events", "v1/folders", "v1/projects", "v1/secret-imports",
		"v1/secret-syncs", "v1/webhooks", "v1/workspace", "v2/folders", "v2/secret-imports", "v2/workspace", "v3/secrets",
	}
	if segments[1] == "v4" && segments[2] == "secrets" || len(segments) > 3 && segments[1] == "v3" && segments[3] == "raw" {
		return method != http.MethodGet
	}
	for _, row := range table {
		if _, ok := fits(row.template, segments); ok && row.method == http.MethodPost {
			return false
		}
	}
	return slices.Contains(families, segments[1]+"/"+segments[2])
}
