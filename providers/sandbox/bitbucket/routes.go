package bitbucket

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
	rawBraces
	user
	getWorkspace
	getRepository
	listEnvironments
	getEnvironment
	listVariables
	getVariable
	createVariable
	updateVariable
	deleteVariable
)

type kind int

func (k kind) writes() bool { return k >= createVariable }

// scope returns what the route needs, classic and granular name.
func (k kind) scope() [2]string {
	switch {
	case k == getWorkspace:
		return [2]string{"", "read:workspace:bitbucket"}
	case k == getRepository:
		return [2]string{"repository", "read:repository:bitbucket"}
	case k.writes():
		return [2]string{"pipeline:variable", "admin:pipeline:bitbucket"}
	default:
		return [2]string{"pipeline", "read:pipeline:bitbucket"}
	}
}

// route is where a request leads. The selectors are decoded.
type route struct {
	kind        kind
	template    string
	workspace   string
	repository  string // empty for what belongs to the workspace
	environment string // empty for variables of the repository
	variable    string
}

// Templates of the routes, which counters use as keys.
const (
	repositoryPath   = "/2.0/repositories/{workspace}/{repo}"
	variablesPath    = repositoryPath + "/pipelines_config/variables"
	environmentsPath = repositoryPath + "/environments"
	deploymentPath   = repositoryPath + "/deployments_config/environments/{environment_uuid}/variables"

	workspacePath          = "/2.0/workspaces/{workspace}"
	workspaceVariablesPath = workspacePath + "/pipelines-config/variables"
	unknownPath            = "/2.0/{unknown}"
)

// Template returns the path of a request with names in braces, for counters.
// requestURI is the path as it was sent; a query is ignored.
func Template(method, requestURI string) string {
	return match(method, withoutQuery(requestURI)).template
}

// rawPath is the path as it was sent: net/http's own fields do not tell an
// escaped brace from a bare one.
func rawPath(r *http.Request) string { return withoutQuery(r.RequestURI) }

func withoutQuery(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	if _, rest, absolute := strings.Cut(path, "://"); absolute && !strings.HasPrefix(path, "/") {
		_, rest, _ = strings.Cut(rest, "/")
		path = "/" + rest
	}
	return path
}

// match finds the route; one slash at the end is accepted everywhere but on the
// variables of a workspace.
func match(method, path string) route {
	bare := strings.ContainsAny(path, "{}")
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil || decoded == "" {
			return route{template: unknownPath}
		}
		segments[i] = decoded
	}
	rt := find(method, segments[1:])
	if strings.HasSuffix(path, "/") && strings.HasPrefix(rt.template, workspaceVariablesPath) {
		return route{template: unknownPath}
	}
	if bare {
		rt.kind = rawBraces
	}
	return rt
}

// find takes the segments behind "2.0".
func find(method string, s []string) route {
	if len(s) == 1 && s[0] == "user" && method == http.MethodGet {
		return route{kind: user, template: "/2.0/user"}
	}
	if len(s) >= 2 && s[0] == "workspaces" {
		return findInWorkspace(method, s)
	}
	if len(s) < 3 || s[0] != "repositories" {
		return elsewhere(s)
	}
	rt := route{workspace: s[1], repository: s[2], template: repositoryPath}
	rest := strings.Join(s[3:], "/")
	switch {
	case len(s) == 3:
		rt.kind = byMethod(method, getRepository, notEmulated)
	case rest == "environments":
		rt.kind, rt.template = byMethod(method, listEnvironments, notEmulated), environmentsPath
	case len(s) == 5 && s[3] == "environments":
		rt.kind, rt.template, rt.environment = byMethod(method, getEnvironment, notEmulated), environmentsPath+"/{environment_uuid}", s[4]
	case strings.HasPrefix(rest, "pipelines_config/variables") && s[4] == "variables" && len(s) <= 6:
		rt.template = variablesPath
		rt.variables(method, s[5:], getVariable)
	case len(s) >= 7 && len(s) <= 8 && s[3] == "deployments_config" && s[4] == "environments" && s[6] == "variables":
		rt.template, rt.environment = deploymentPath, s[5]
		rt.variables(method, s[7:], unknown) // there is no GET of one of these
	default:
		return elsewhere(s)
	}
	return rt
}

// findInWorkspace takes the segments of a workspace. Its variables are found below
// pipelines-config, with a hyphen.
func findInWorkspace(method string, s []string) route {
	rt := route{workspace: s[1], template: workspacePath}
	switch {
	case len(s) == 2:
		rt.kind = byMethod(method, getWorkspace, unknown)
	case len(s) >= 4 && len(s) <= 5 && s[2] == "pipelines-config" && s[3] == "variables":
		rt.template = workspaceVariablesPath
		rt.variables(method, s[4:], getVariable)
	case s[2] == "pipelines_config":
		return route{template: unknownPath}
	default:
		return elsewhere(s)
	}
	return rt
}

func byMethod(method string, get, other kind) kind {
	if method == http.MethodGet || method == http.MethodHead {
		return get
	}
	return other
}

// variables sets the kind for a collection of variables or one of them.
func (rt *route) variables(method string, uuid []string, one kind) {
	if len(uuid) == 1 {
		rt.template += "/{variable_uuid}"
		rt.variable = uuid[0]
		rt.kind = byMethod(method, one, unknown)
		switch method {
		case http.MethodPut:
			rt.kind = updateVariable
		case http.MethodDelete:
			rt.kind = deleteVariable
		}
		return
	}
	rt.kind = byMethod(method, listVariables, unknown)
	if method == http.MethodPost {
		rt.kind = createVariable
	}
}

// elsewhere tells routes that the service has from those it has not.
func elsewhere(s []string) route {
	families := []string{"repositories", "workspaces", "user", "hook_events"}
	if len(s) == 0 || !slices.Contains(families, s[0]) {
		return route{template: unknownPath}
	}
	parts := []string{
		"commit", "deployments", "environments", "hooks", "pipelines", "pipelines_config", "pullrequests",
	}
	if s[0] == "repositories" && len(s) > 3 && !slices.Contains(parts, s[3]) {
		return route{template: unknownPath}
	}
	return route{kind: notEmulated, template: "/2.0/" + s[0] + "/{rest}"}
}
