package kms

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The kinds of route.
const (
	unknown kind = iota
	notEmulated
	login
	listSecrets
	getSecret
	getProject
	getProjectBySlug
)

type kind int

// route is where a request leads: its kind, the template that counters use,
// and the decoded variable segment.
type route struct {
	kind     kind
	template string
	arg      string
}

// maxName is the longest secret name a URL may carry; a longer one is an
// unknown route (seen: 404).
const maxName = 100

// Template returns the path of a request with names in braces, for counters:
// "/api/v4/secrets/{secretName}". escapedPath is the path as it was sent.
func Template(method, escapedPath string) string { return match(method, escapedPath).template }

// match finds the route. One slash at the end is ignored; a doubled one makes
// the route unknown.
func match(method, escapedPath string) route {
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escapedPath, "/"), "/"), "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil || decoded == "" {
			return route{template: "/api/{unknown}"}
		}
		segments[i] = decoded
	}
	last := segments[len(segments)-1]
	fixed := strings.Join(segments, "/")
	parent := strings.Join(segments[:len(segments)-1], "/")
	get := method == http.MethodGet || method == http.MethodHead
	switch {
	case method == http.MethodPost && fixed == "api/v1/auth/universal-auth/login":
		return route{kind: login, template: "/" + fixed}
	case get && fixed == "api/v4/secrets":
		return route{kind: listSecrets, template: "/" + fixed}
	case get && parent == "api/v4/secrets" && len(last) <= maxName && len(segments) == 4:
		return route{getSecret, "/api/v4/secrets/{secretName}", last}
	case get && parent == "api/v1/projects" && last != "slug" && len(segments) == 4:
		return route{getProject, "/api/v1/projects/{projectId}", last}
	case get && parent == "api/v1/projects/slug" && len(segments) == 5:
		return route{getProjectBySlug, "/api/v1/projects/slug/{slug}", last}
	case known(method, segments):
		return route{kind: notEmulated, template: "/" + strings.Join(segments[:3], "/") + "/{rest}"}
	}
	return route{template: "/api/{unknown}"}
}

// known tells whether the service has routes there that are not emulated.
// GET of the login and of a name that is too long are unknown to it as well.
func known(method string, segments []string) bool {
	if len(segments) < 3 {
		return false
	}
	families := []string{
		"v1/auth", "v1/app-connections", "v1/dashboard", "v1/events", "v1/folders", "v1/projects", "v1/secret-imports",
		"v1/secret-syncs", "v1/webhooks", "v1/workspace", "v2/folders", "v2/secret-imports", "v2/workspace", "v3/secrets",
	}
	if segments[1] == "v4" && segments[2] == "secrets" {
		return method != http.MethodGet && method != http.MethodHead
	}
	isLogin := strings.Join(segments, "/") == "api/v1/auth/universal-auth/login"
	return !isLogin && slices.Contains(families, segments[1]+"/"+segments[2])
}
