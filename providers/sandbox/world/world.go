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

// KMS is the state of the key management service.
type KMS struct {
	Identities []Identity `json:"identities"`
	Projects   []Project  `json:"projects"`
}

// Identity is a machine identity: its universal-auth pair, optionally a
// ready-made access token, and what it may read.
type Identity struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Token        string `json:"token,omitzero"`
	// Projects lists the slugs of the projects it is a member of. Absent: all.
	Projects []string `json:"projects,omitzero"`
	// Access lists what it may read. Absent: everything; an empty list: nothing.
	Access []Access `json:"access,omitzero"`
}

// Access is one read right.
type Access struct {
	// Environment is a glob over environment slugs; empty means every one.
	Environment string `json:"environment,omitzero"`
	// Path is a folder, a glob over folders, or "/a/**" for a folder and all
	// below it; empty means every folder.
	Path string `json:"path,omitzero"`
	// Names narrows the right to secrets whose names match one of these globs.
	// The service leaves out the rest without a word.
	Names []string `json:"names,omitzero"`
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
