package kms

import (
	"net/http"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// stamp renders a time as the service does: UTC with milliseconds.
const stamp = "2006-01-02T15:04:05.000Z"

// epoch is when everything in the emulated KMS was made. A world keeps no
// times; what has been changed shows one hour more for every version.
func epoch() time.Time { return time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC) }

type projectBody struct {
	ID                  string            `json:"id"`
	LegacyID            string            `json:"_id"`
	Name                string            `json:"name"`
	Slug                string            `json:"slug"`
	Description         *string           `json:"description"`
	Type                string            `json:"type"`
	OrgID               string            `json:"orgId"`
	AutoCapitalization  bool              `json:"autoCapitalization"`
	Version             int               `json:"version"`
	UpgradeStatus       *string           `json:"upgradeStatus"`
	HasDeleteProtection bool              `json:"hasDeleteProtection"`
	CreatedAt           string            `json:"createdAt"`
	UpdatedAt           string            `json:"updatedAt"`
	Environments        []environmentBody `json:"environments"`
	DeletedEnvironments []environmentBody `json:"deletedEnvironments"`
}

type environmentBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// projectByID is GET /api/v1/projects/{projectId}: wrapped.
func projectByID(w *world.World, id *world.Identity, projectID string) (any, *problem) {
	p, refused := findProject(w, id, projectID)
	if refused != nil {
		return nil, refused
	}
	return map[string]projectBody{"project": describe(p)}, nil
}

// projectBySlug is GET /api/v1/projects/slug/{slug}: not wrapped.
func projectBySlug(w *world.World, id *world.Identity, slug string) (any, *problem) {
	p := w.KMS.Project(slug)
	if p == nil || p.Slug != slug {
		return nil, fail(http.StatusNotFound, "NotFound", "Project with slug '"+slug+"' not found")
	}
	if refused := member(id, p); refused != nil {
		return nil, refused
	}
	return describe(p), nil
}

// findProject takes the id only: a slug, an upper-case UUID and an unknown id
// are all 404.
func findProject(w *world.World, id *world.Identity, projectID string) (*world.Project, *problem) {
	p := w.KMS.Project(projectID)
	if p == nil || p.ID != projectID {
		return nil, fail(http.StatusNotFound, "NotFound", "Project with ID '"+projectID+"' not found")
	}
	return p, member(id, p)
}

func describe(p *world.Project) projectBody {
	made := epoch().Format(stamp)
	body := projectBody{
		ID: p.ID, LegacyID: p.ID, Name: p.Name, Slug: p.Slug, Type: "secret-manager",
		OrgID: world.DerivedUUID("organization"), AutoCapitalization: false, Version: 3,
		CreatedAt: made, UpdatedAt: made, Environments: []environmentBody{}, DeletedEnvironments: []environmentBody{},
	}
	for _, e := range p.Environments {
		body.Environments = append(body.Environments, environmentBody{ID: world.DerivedUUID(p.ID, e.Slug), Name: e.Name, Slug: e.Slug})
	}
	return body
}
