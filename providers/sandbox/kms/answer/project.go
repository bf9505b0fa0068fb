package answer

import (
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Stamp renders a time as the service does: UTC with milliseconds.
const Stamp = "2006-01-02T15:04:05.000Z"

// Epoch is when everything in the emulated KMS was made. A world keeps no
// times; what has been changed shows one hour more for every version.
func Epoch() time.Time { return time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC) }

// Project is a project with its environments.
type Project struct {
	ID                  string        `json:"id"`
	LegacyID            string        `json:"_id"`
	Name                string        `json:"name"`
	Slug                string        `json:"slug"`
	Description         *string       `json:"description"`
	Type                string        `json:"type"`
	OrgID               string        `json:"orgId"`
	AutoCapitalization  bool          `json:"autoCapitalization"`
	Version             int           `json:"version"`
	UpgradeStatus       *string       `json:"upgradeStatus"`
	HasDeleteProtection bool          `json:"hasDeleteProtection"`
	CreatedAt           string        `json:"createdAt"`
	UpdatedAt           string        `json:"updatedAt"`
	Environments        []Environment `json:"environments"`
	DeletedEnvironments []Environment `json:"deletedEnvironments"`
}

// Environment is an environment in a project or in an import.
type Environment struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// EnvironmentID returns the identifier of an environment.
func EnvironmentID(p *world.Project, slug string) string { return world.DerivedUUID(p.ID, slug) }

// Describe renders a project as a server of 2026 does.
func Describe(p *world.Project) Project {
	made := Epoch().Format(Stamp)
	body := Project{
		ID: p.ID, LegacyID: p.ID, Name: p.Name, Slug: p.Slug, Type: "secret-manager",
		OrgID: world.DerivedUUID("organization"), AutoCapitalization: false, Version: 3,
		CreatedAt: made, UpdatedAt: made, Environments: []Environment{}, DeletedEnvironments: []Environment{},
	}
	for _, e := range p.Environments {
		body.Environments = append(body.Environments, Environment{ID: EnvironmentID(p, e.Slug), Name: e.Name, Slug: e.Slug})
	}
	return body
}

// Tag is a tag of a secret.
type Tag struct {
	ID    string `json:"id"`
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Color string `json:"color"`
}

// Tags renders the tags of a secret.
func Tags(p *world.Project, s *world.Secret) []Tag {
	out := []Tag{}
	for _, slug := range s.Tags {
		out = append(out, Tag{ID: world.DerivedUUID(p.ID, "tag", slug), Slug: slug, Name: slug, Color: "#ffffff"})
	}
	return out
}

// Type returns the kind of a secret.
func Type(s *world.Secret) string {
	if s.Type == "" {
		return world.TypeShared
	}
	return s.Type
}
