// Package world holds the state of the emulated services: one JSON document
// that a person can read, edit with any editor and change with sed.
//
// A World has the KMS (identities, projects, folders, secrets), Bitbucket
// (tokens, workspaces, repositories, variables, environments), and how both
// misbehave (switches, faults, latency). It stands alone: nothing here knows
// HTTP, and nothing of kmsync's own clients is used, so that the emulator and
// the clients cannot share a mistake. Its strings hold made-up secrets.
package world

// World is the whole state. The zero value is a world in which nothing exists.
type World struct {
	KMS       KMS       `json:"kms"`
	Bitbucket Bitbucket `json:"bitbucket"`
	// Faults are planned failures, tried in order; the first that is due acts.
	Faults []Fault `json:"faults"`
	// Latency delays every answer, all requests at once ("20ms").
	Latency Duration `json:"latency"`
}

// Project is a KMS project.
type Project struct {
	ID           string        `json:"id"`
	Slug         string        `json:"slug"`
	Name         string        `json:"name"`
	Environments []Environment `json:"environments"`
}

// Environment is an environment of a KMS project. Its root folder "/" always
// exists, whether or not it is listed.
type Environment struct {
	Slug    string   `json:"slug"`
	Name    string   `json:"name"`
	Folders []Folder `json:"folders"`
}

// Folder is a folder of secrets, named by its whole path ("/web/api"). The
// folders above it exist by that.
type Folder struct {
	Path    string   `json:"path"`
	Secrets []Secret `json:"secrets"`
	Imports []Import `json:"imports,omitzero"`
}

// Secret is one secret as stored, references not expanded.
type Secret struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// Version starts at 1. A value that changes while the emulator runs raises
	// it; between two runs the file's number counts as it stands.
	Version int    `json:"version"`
	ID      string `json:"id"`
	// Hidden makes the service answer a mask instead of the value.
	Hidden bool `json:"hidden,omitzero"`
	// Type is "shared" (or empty) or "personal".
	Type string `json:"type,omitzero"`
	// Comment is the note beside the secret.
	Comment string `json:"comment,omitzero"`
	// Tags are the slugs of its tags.
	Tags []string `json:"tags,omitzero"`
	// SkipMultilineEncoding has the service turn line breaks into backslash-n and
	// put quotes around the value, where it expands references.
	SkipMultilineEncoding bool `json:"skip_multiline_encoding,omitzero"`
}

// Import makes the secrets of another folder of the project visible in a
// folder. Later imports win over earlier ones, own secrets over all.
type Import struct {
	Environment string `json:"environment"`
	Path        string `json:"path"`
}

// Types of a Secret.
const (
	TypeShared   = "shared"
	TypePersonal = "personal"
)
