// Package config turns the files of a directory into typed values, each with the
// source range it came from.
//
// [Load] is where to start. It reads the files of the directory and nothing else:
// no network, no environment, no credentials. Every mistake of a directory is
// reported in one run, as [hcl.Diagnostics] with a constant summary and a detail
// that ends with what to do. The language is documented in docs/configuration.md.
package config

import (
	"time"

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
	Files map[string]*hcl.File
	// Name is kmsync.name, "" where there is none.
	Name Located[string]
	// RequiredVersion is a constraint that the version of kmsync fulfils.
	RequiredVersion Located[string]
	// LedgerPath is the folder of the local ledger, relative to the directory.
	LedgerPath  Located[string]
	Deletes     Deletes
	KMS         map[string]*KMS        // by label
	Connections map[string]*Connection // bitbucket connections, by label
	Syncs       []*Sync                // sorted by address
	Moved       []*Moved
	Removed     []*Removed
}

// Deletes is how many variables one run may delete without a flag that allows more:
// a deletes block. Without the block, or the argument, it holds the default and no range.
type Deletes struct {
	MaxCount   Located[int] // in all
	MaxPercent Located[int] // of what is owned in a destination
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

// Sync moves the secrets of its sources to a destination: a sync block, or one
// element of a sync block with for_each.
type Sync struct {
	Address     string // sync.payments-dev, sync.service["billing"]
	Name        Located[string]
	Description Located[string]
	Enabled     Located[bool]
	Sources     []*Source // at least one
	Destination Destination
	Options     Options
	Range       hcl.Range
}

// Source is a folder of a KMS: a source block.
type Source struct {
	KMS              string // label of the kms block
	Environment      Located[string]
	SecretPath       Located[string] // absolute, "/" or without a slash at the end
	Recursive        Located[bool]   // with all folders below
	IncludeImports   Located[bool]
	ExpandReferences Located[bool]
	Include          []Located[string] // globs over secret names; none: everything
	Exclude          []Located[string] // globs over secret names; they win
	// Rename holds the names to use instead of secrets' own, by secret name.
	Rename   map[string]Located[string]
	Override Located[bool]
	Range    hcl.Range
}

// Destination is where variables go: a destination "bitbucket" block.
type Destination struct {
	Connection string          // label of the connection block
	Workspace  Located[string] // slug, never empty
	Repository Located[string] // slug; "" for the workspace's own variables
	// WorkspaceScope says that the variables are the workspace's own.
	WorkspaceScope Located[bool]
	// DeploymentEnvironment is a name or slug, whose case does not matter if nothing
	// else matches, or a {uuid}; "" for the repository's own variables.
	DeploymentEnvironment Located[string]
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
	Unsecured             []Located[string] // globs over destination keys
	Encoding              []Encoding        // sorted by glob
	Protect               []Located[string] // globs over destination keys
	MaxAge                Located[time.Duration]
	Overlap               Located[time.Duration]
	AllowEmpty            Located[bool]
	AllowUnprovenImports  Located[bool]
	Range                 hcl.Range
}

// Encoding says how the values of some keys are written: an entry of encoding.
type Encoding struct {
	Glob string          // over destination keys
	As   Located[string] // "base64", with the range of the entry
}

// Moved says that a sync was renamed: a moved block. Both are addresses.
type Moved struct {
	From, To Located[string]
	Range    hcl.Range
}

// Removed says what to do with the keys that a sync left behind: a removed block.
type Removed struct {
	From Located[string] // address of the sync
	Keep Located[bool]
	// Workspace, Repository and Environment name one destination; all empty: every
	// one that the sync left. Repository is empty for a workspace's own variables.
	Workspace, Repository, Environment string
	Destination                        Located[string] // as written
	Connection                         string          // label of the connection block
	Range                              hcl.Range
}

// IsProtected reports whether one of the protect globs matches a destination
// key, and which, with its range.
func (o Options) IsProtected(key string) (Located[string], bool) {
	return matchAny(o.Protect, key)
}

// IsUnsecured reports whether one of the unsecured globs matches a destination key,
// and which, with its range.
func (o Options) IsUnsecured(key string) (Located[string], bool) {
	return matchAny(o.Unsecured, key)
}

// EncodingOf returns how the value of a destination key is written, with the range of
// the entry that says so. Without one the value is written as it is.
func (o Options) EncodingOf(key string) (Located[string], bool) {
	for _, e := range o.Encoding {
		if matchGlob(e.Glob, key) {
			return e.As, true
		}
	}
	return Located[string]{}, false
}

// Wants reports whether a source takes the secret of that name.
func (s *Source) Wants(name string) bool {
	if _, excluded := matchAny(s.Exclude, name); excluded {
		return false
	}
	if len(s.Include) == 0 {
		return true
	}
	_, included := matchAny(s.Include, name)
	return included
}

// Required returns the names that the source must have, with the places that say
// so: names without wildcard in include, and those of rename.
func (s *Source) Required() []Located[string] {
	var required []Located[string]
	seen := map[string]bool{}
	add := func(name string, rng hcl.Range) {
		if !seen[name] {
			seen[name] = true
			required = append(required, Located[string]{name, rng})
		}
	}
	for _, glob := range s.Include {
		if !isWild(glob.Value) && s.Wants(glob.Value) {
			add(glob.Value, glob.Range)
		}
	}
	for _, name := range sortedNames(s.Rename) {
		add(name, s.Rename[name].Range)
	}
	return required
}

// NameOf returns the name that a secret has before the key schema.
func (s *Source) NameOf(secretName string) string {
	if name, ok := s.Rename[secretName]; ok {
		return name.Value
	}
	return secretName
}

func matchAny(globs []Located[string], name string) (Located[string], bool) {
	for _, glob := range globs {
		if matchGlob(glob.Value, name) {
			return glob, true
		}
	}
	return Located[string]{}, false
}
