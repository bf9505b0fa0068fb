package current

import (
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/resolve"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// mask stands for a value the caller may not see.
const mask = "<hidden-by-kms>"

// item has the fields that own and imported secrets share.
type item struct {
	ID                       string   `json:"id"`
	LegacyID                 string   `json:"_id"`
	Workspace                string   `json:"workspace"`
	Environment              string   `json:"environment"`
	Version                  int      `json:"version"`
	Type                     string   `json:"type"`
	SecretKey                string   `json:"secretKey"`
	SecretValue              string   `json:"secretValue"`
	SecretValueHidden        bool     `json:"secretValueHidden"`
	SecretComment            string   `json:"secretComment"`
	SecretMetadata           []string `json:"secretMetadata"`
	SkipMultilineEncoding    bool     `json:"skipMultilineEncoding"`
	SecretReminderNote       *string  `json:"secretReminderNote"`
	SecretReminderRepeatDays *int     `json:"secretReminderRepeatDays"`
}

// ownItem is a secret of the folder that was asked for.
type ownItem struct {
	item
	SecretPath      string       `json:"secretPath"`
	Tags            []answer.Tag `json:"tags"`
	IsRotatedSecret bool         `json:"isRotatedSecret"`
	RotationID      *string      `json:"rotationId"`
	CreatedAt       string       `json:"createdAt"`
	UpdatedAt       string       `json:"updatedAt"`
}

func (v view) render(s *world.Secret, value string, at resolve.Location, right resolve.Right) ownItem {
	made := answer.Epoch()
	return ownItem{
		item:       v.item(s, value, v.Project.ID, at.Env, right),
		SecretPath: at.Path, Tags: answer.Tags(v.Project, s),
		CreatedAt: made.Format(answer.Stamp), UpdatedAt: made.Add(time.Duration(s.Version-1) * time.Hour).Format(answer.Stamp),
	}
}

func (v view) item(s *world.Secret, value, workspace, env string, right resolve.Right) item {
	hidden := s.Hidden || !v.params.view || right < resolve.Read
	if hidden {
		value = mask
	}
	return item{
		ID: s.ID, LegacyID: s.ID, Workspace: workspace, Environment: env, Version: s.Version, Type: answer.Type(s),
		SecretKey: s.Key, SecretValue: value, SecretValueHidden: hidden, SecretComment: s.Comment, SecretMetadata: []string{},
		SkipMultilineEncoding: s.SkipMultilineEncoding,
	}
}
