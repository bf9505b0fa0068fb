package current

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
)

// params are the query of a read, defaults applied. Keys the service does not
// know are ignored, as it does itself: a misspelt switch has no effect.
type params struct {
	project   string // its id
	slug      string // of the project, v3 only
	at        resolve.Location
	imports   bool
	expand    bool
	view      bool
	recursive bool
	personal  bool
	version   string
	kind      string
	tags      []string
}

// readParams reads the query as servers of 2026 do. v4 expands and includes
// imports unless told otherwise; v3, which is older and still served, spells two
// switches differently, does neither, and has no switch for personal secrets.
func readParams(values url.Values, v3 bool) (params, *answer.Problem) {
	q := &answer.Query{Values: values}
	p := params{
		version: q.One("version"), kind: q.One("type"),
		at:   resolve.Location{Env: q.One("environment"), Path: q.One("secretPath")},
		view: q.Flag("viewSecretValue", true), expand: q.Flag("expandSecretReferences", !v3), recursive: q.Flag("recursive", false),
	}
	if v3 {
		p.project, p.slug, p.imports, p.personal = q.One("workspaceId"), q.One("workspaceSlug"), q.Flag("include_imports", false), true
	} else {
		p.project, p.imports, p.personal = q.One("projectId"), q.Flag("includeImports", true), q.Flag("includePersonalOverrides", false)
	}
	if text := q.One("tagSlugs"); text != "" {
		p.tags = strings.Split(text, ",")
	}
	if q.Issues != nil {
		return p, invalid(q.Issues...)
	}
	if values.Get("metadataFilter") != "" {
		return p, answer.Fail(http.StatusNotImplemented, "NotImplemented", "filters by metadata are not emulated yet")
	}
	if p.project == "" && p.slug == "" || p.at.Env == "" {
		return p, answer.Fail(http.StatusBadRequest, "BadRequest", "Missing project id or environment")
	}
	var refused *answer.Problem
	p.at.Path, refused = cleanPath(p.at.Path)
	return p, refused
}

// cleanPath brings "app", "//app", "/app/" and "" to the form the world uses.
// Other characters than letters, digits, "_" and "-" are refused.
func cleanPath(path string) (string, *answer.Problem) {
	if !answer.PlainPath(path) {
		return "", answer.Fail(http.StatusBadRequest, "BadRequest", "Invalid secret path. Only alphanumeric characters, dashes, and underscores are allowed")
	}
	fields := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return "/" + strings.Join(fields, "/"), nil
}
