// Package config turns a directory of *.sync.hcl files into typed values, each
// with the source range it came from.
//
// [Load] is where to start. It reads the files and nothing else: no network, no
// environment, no credentials. Every mistake of a directory is reported in one
// run, as [hcl.Diagnostics] with a constant summary and a detail that ends with
// what to do. The language is documented in docs/configuration.md.
package config

import (
	"github.com/hashicorp/hcl/v2"
)

// Located is a value with the place it was written at. A zero Range means that
// nothing was written and Value is the default.
type Located[T any] struct {
	Value T
	Range hcl.Range
}

// IsSet reports whether the value was written in a file.
func (l Located[T]) IsSet() bool { return l.Range.Filename != "" }

// Config is everything one directory declares.
type Config struct {
	// Files holds the sources by name, as diagnostics need them for snippets.
	Files       map[string]*hcl.File
	KMS         map[string]*KMS        // by label
	Connections map[string]*Connection // bitbucket connections, by label
	Syncs       []*Sync                // sorted by address
}

// KMS is one project of a KMS: a kms block.
type KMS struct {
	Label             string
	Address           Located[string] // base URL as written; "" for the default
	Project           Located[string] // id or slug
	CredentialsPrefix Located[string] // "KMS" by default
	Range             hcl.Range       // of the block's header
}

// Connection is one account at Bitbucket: a connection "bitbucket" block.
type Connection struct {
	Label             string
	Address           Located[string] // base URL as written; "" for the default
	Workspace         Located[string] // default of its destinations; may be ""
	CredentialsPrefix Located[string] // "BITBUCKET" by default
	Range             hcl.Range
}

// Sync moves the secrets of a source to a destination: a sync block.
type Sync struct {
	Address     string // sync.payments-dev
	Name        Located[string]
	Description Located[string]
	Enabled     Located[bool]
	Sources     []*Source // exactly one, for now
	Destination Destination
	Options     Options
	Range       hcl.Range
}

// Source is a folder of a KMS: a source block.
type Source struct {
	KMS              string // label of the kms block
	Environment      Located[string]
	SecretPath       Located[string] // absolute, "/" or without a slash at the end
	IncludeImports   Located[bool]
	ExpandReferences Located[bool]
	Range            hcl.Range
}

// Destination is where variables go: a destination "bitbucket" block.
type Destination struct {
	Connection            string          // label of the connection block
	Workspace             Located[string] // slug, never empty
	Repository            Located[string] // slug
	DeploymentEnvironment Located[string] // exact name or {uuid}; "" for the repository's variables
	Range                 hcl.Range
}

// Options says how keys are named, written and kept: an options block. Without
// the block every field has its default and no range.
type Options struct {
	// OverwriteDestination is initial_sync_behavior = "overwrite-destination".
	OverwriteDestination  Located[bool]
	KeySchema             Located[KeySchema]
	AutoSync              Located[bool] // true by default
	DisableSecretDeletion Located[bool]
	Protect               []Located[string] // globs over destination keys
	AllowEmpty            Located[bool]
	Range                 hcl.Range
}

// IsProtected reports whether one of the protect globs matches a destination
// key, and which, with its range.
func (o Options) IsProtected(key string) (Located[string], bool) {
	for _, glob := range o.Protect {
		if matchGlob(glob.Value, key) {
			return glob, true
		}
	}
	return Located[string]{}, false
}
