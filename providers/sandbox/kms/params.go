package kms

import (
	"net/http"
	"net/url"
	"strings"
)

// location is a folder of a project.
type location struct{ env, path string }

// params are the query of a read, defaults applied. Keys the service does not
// know are ignored, as it does itself: a misspelt switch has no effect.
type params struct {
	projectID string
	at        location
	imports   bool
	expand    bool
	view      bool
	recursive bool
	personal  bool
	version   string
	kind      string
}

// readParams reads the query. v4 expands and includes imports unless told
// otherwise.
func readParams(q url.Values) (params, *problem) {
	var issues []issue
	one := func(name string) string {
		if len(q[name]) > 1 {
			issues = append(issues, issue{Code: "invalid_type", Path: []string{name}, Message: "Expected string, received array"})
		}
		return q.Get(name)
	}
	flag := func(name string, unset bool) bool {
		v := one(name)
		if _, given := q[name]; given && v != "true" && v != "false" {
			issues = append(issues, issue{Code: "invalid_enum_value", Path: []string{name}, Message: "Invalid enum value. Expected 'true' | 'false'"})
		}
		return v == "true" || v == "" && unset
	}
	p := params{
		projectID: one("projectId"), version: one("version"), kind: one("type"),
		at:      location{env: one("environment"), path: one("secretPath")},
		imports: flag("includeImports", true), expand: flag("expandSecretReferences", true), view: flag("viewSecretValue", true),
		recursive: flag("recursive", false), personal: flag("includePersonalOverrides", false),
	}
	if issues != nil {
		return p, invalid(issues...)
	}
	if q.Get("tagSlugs") != "" || q.Get("metadataFilter") != "" {
		return p, fail(http.StatusNotImplemented, "NotImplemented", "filters by tag and metadata are not emulated yet")
	}
	if p.projectID == "" || p.at.env == "" {
		return p, fail(http.StatusBadRequest, "BadRequest", "Missing project id or environment")
	}
	var refused *problem
	p.at.path, refused = cleanPath(p.at.path)
	return p, refused
}

// cleanPath brings "app", "//app", "/app/" and "" to the form the world uses.
// Other characters than letters, digits, "_" and "-" are refused.
func cleanPath(path string) (string, *problem) {
	for _, r := range path {
		word := r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !word && r != '/' {
			return "", fail(http.StatusBadRequest, "BadRequest", "Invalid secret path. Only alphanumeric characters, dashes, and underscores are allowed")
		}
	}
	fields := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return "/" + strings.Join(fields, "/"), nil
}
