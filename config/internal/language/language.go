// Package language is the configuration language as data: which blocks and arguments
// there are, what they take and what they mean. How values must look is in package
// rules; how blocks are read and evaluated is in package lang.
package language

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/rules"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// bitbucketType is the one type of connections and destinations.
const bitbucketType = "bitbucket"

// The guard of deletes without a deletes block.
const (
	DefaultMaxCount   = 20
	DefaultMaxPercent = 30
)

// Top is what a file may hold: decoding, suggestions, the reference in
// docs/configuration.md and the list of what is not supported yet are all made
// from it.
func Top() *spec.Block {
	return &spec.Block{Blocks: []spec.Block{
		kmsyncSpec(), variableSpec(), localsSpec(), kmsSpec(), connectionSpec(), syncSpec(), movedSpec(), removedSpec(),
		{Name: "import", NotYet: true},
	}}
}

func kmsyncSpec() spec.Block {
	return spec.Block{
		Name: "kmsync", Header: "kmsync {", Max: 1, Nameless: true,
		Doc: "Settings of the configuration as a whole.",
		Arguments: []spec.Argument{
			{Name: "required_version", Check: rules.VersionConstraint, Doc: "Which versions of kmsync may run, as in `\"~> 1.2\"`; development builds satisfy any."},
			{Name: "name", Check: rules.Name, Doc: "Slug that says who owns what is written, where several configurations write to one place."},
		},
		Blocks: []spec.Block{
			{
				Name: "ledger", Labels: []string{"type"}, Types: []string{"local"}, Later: []string{"kms", "postgres"},
				Header: `ledger "local" {`, Max: 1, Doc: "Where kmsync remembers what it wrote.",
				Arguments: []spec.Argument{
					{Name: "path", Default: cty.StringVal(".kmsync"), Check: rules.LedgerPath, Doc: "Folder below the directory of the configuration."},
				},
			},
			{
				Name: "deletes", Header: "deletes {", Max: 1, Doc: "How many variables one run may delete without [a flag](decisions.md#deletes) that allows more.",
				Arguments: []spec.Argument{
					{Name: "max_count", Kind: spec.Whole, Default: cty.NumberIntVal(DefaultMaxCount), Check: rules.MaxCount, Doc: "In all. A run with more deletes holds all of them; 0 holds every one."},
					{Name: "max_percent", Kind: spec.Whole, Default: cty.NumberIntVal(DefaultMaxPercent), Check: rules.MaxPercent, Doc: "Of what is owned in a destination, where more than 5 are to be deleted there; above it those of that destination are held."},
				},
			},
		},
	}
}

func variableSpec() spec.Block {
	return spec.Block{
		Name: "variable", Labels: []string{"name"}, Header: `variable "NAME" {`,
		Example: "variable \"region\" {\n  type = string\n}",
		Doc:     "An input: its value comes from outside.",
		Arguments: []spec.Argument{
			{Name: "type", Kind: spec.Type, DocDefault: "`any`", Doc: "Type constraint, as in Terraform: `string`, `list(string)`, `map(object({ repository = string }))`."},
			{Name: "default", Kind: spec.Any, Hidden: true, DocDefault: "none: a value is needed", Doc: "Value where none is given."},
			{Name: "description", Hidden: true, Doc: "What it is for."},
			{Name: "sensitive", Kind: spec.Bool, Default: cty.False, Doc: "Never shown; refused in arguments that plans show."},
		},
		Blocks: []spec.Block{{
			Name: "validation", Header: "validation {", Doc: "What a value must fulfil.",
			Arguments: []spec.Argument{
				{Name: "condition", Kind: spec.Condition, Required: true, Hidden: true, Doc: "Expression about `var.NAME` that is true for good values."},
				{Name: "error_message", Kind: spec.Message, Required: true, Hidden: true, Doc: "Sentence that says what is wrong with the others."},
			},
		}},
	}
}

func localsSpec() spec.Block {
	return spec.Block{Name: "locals", Header: "locals {", Free: true, Doc: "Named expressions: `local.NAME`."}
}

func kmsSpec() spec.Block {
	return spec.Block{
		Name: "kms", Labels: []string{"name"}, Header: `kms "NAME" {`,
		Example: "kms \"main\" {\n  project = \"PROJECT\" # id or slug\n}",
		Doc:     "One project of a KMS.",
		Arguments: []spec.Argument{
			{Name: "address", Check: rules.KMSAddress, DocDefault: "`$KMS_ADDRESS`, else `https://app.kms.hanzo.ai`", Doc: "Base URL, with or without `/api`; another host than the default must be [allowed](#addresses)."},
			{Name: "project", Required: true, Check: rules.Project, Doc: "Id or slug of the project."},
			{Name: "credentials_prefix", Default: cty.StringVal("KMS"), Check: rules.Prefix, Doc: "Beginning of the names of the environment variables that hold the credentials; another than the default needs `$PREFIX_ADDRESS`."},
		},
	}
}

func connectionSpec() spec.Block {
	return spec.Block{
		Name: "connection", Labels: []string{"type", "name"}, Types: []string{bitbucketType}, Header: `connection "bitbucket" "NAME" {`,
		Example: "connection \"bitbucket\" \"main\" {\n  workspace = \"WORKSPACE\"\n}",
		Doc:     "One account at Bitbucket Cloud.",
		Arguments: append([]spec.Argument{
			{Name: "address", Check: rules.BitbucketAddress, DocDefault: "`$BITBUCKET_ADDRESS`, else `https://api.bitbucket.org`", Doc: "Base URL, without `/2.0`."},
			{Name: "workspace", Check: rules.RepositorySlug, DocDefault: "none", Doc: "Slug of the workspace of those destinations that name none."},
			{Name: "credentials_prefix", Default: cty.StringVal("BITBUCKET"), Check: rules.Prefix, Doc: "As above."},
		}, later("kms_connection", "manage")...),
	}
}

func syncSpec() spec.Block {
	return spec.Block{
		Name: "sync", Labels: []string{"name"}, Header: `sync "NAME" {`,
		Doc: "Moves the secrets of one or more folders to a destination.",
		Arguments: []spec.Argument{
			{Name: "for_each", Kind: spec.ForEach, DocDefault: "none: one sync", Doc: "Map, or set of strings: one sync for each element, `sync.NAME[\"KEY\"]`, with `each.key` and `each.value` in it."},
			{Name: "name", FromLabel: rules.Slugify, Check: rules.Name, DocDefault: "the label and key, as a slug", Doc: "Slug: lower-case letters and digits with single hyphens; unique in the configuration."},
			{Name: "description", Hidden: true, Check: rules.Description, DocDefault: "none", Doc: "At most 256 characters."},
			{Name: "enabled", Kind: spec.Bool, Default: cty.True, Doc: "`false`: the sync is planned as disabled, its source is not read, and its keys stay as they are and stay its own."},
			{Name: "mode", Default: cty.StringVal("direct"), Check: rules.Mode, Doc: "Only `\"direct\"` in this version: kmsync moves the secrets itself."},
		},
		Blocks: []spec.Block{sourceSpec(), destinationSpec(), optionsSpec()},
	}
}

func sourceSpec() spec.Block {
	return spec.Block{
		Name: "source", Header: "source {", Min: 1,
		Doc: "A folder of a KMS that secrets are read from. Of several, a later one may replace keys of an earlier one only with `override = true`.",
		Arguments: []spec.Argument{
			{Name: "kms", Kind: spec.KMSRef, DocDefault: "the only `kms` block", Doc: "`kms.NAME`, without quotes."},
			{Name: "environment", Required: true, Check: rules.Environment, Doc: "Slug of the environment."},
			{Name: "secret_path", Default: cty.StringVal("/"), Check: rules.Path, Doc: "Absolute path of the folder."},
			{Name: "recursive", Kind: spec.Bool, Default: cty.False, Doc: "`true`: with the secrets of all folders below. Two of one name are refused."},
			{Name: "include_imports", Kind: spec.Bool, Default: cty.True, Doc: "`true`: with the secrets of the folders that it imports. Own secrets win over imported ones, later imports over earlier."},
			{Name: "expand_references", Kind: spec.Bool, Default: cty.True, Doc: "`true`: `${…}` of letters, digits and `-_.@` is replaced by the secret that it names, looked for from the folder where the value lives. `false`: the value is written as it stands."},
			{Name: "include", Kind: spec.Strings, Check: rules.Glob, DocDefault: "everything", Doc: "Globs of secrets that are wanted. A name without wildcard is *required*: where it is missing it is refused, and nothing is deleted for it."},
			{Name: "exclude", Kind: spec.Strings, Check: rules.Glob, DocDefault: "nothing", Doc: "Globs of secrets that are not wanted; they win over `include`."},
			{Name: "rename", Kind: spec.StringMap, Check: rules.SecretName, DocDefault: "none", Doc: "Map from names of secrets to the names to use instead, before `key_schema`. A name here is required too."},
			{Name: "override", Kind: spec.Bool, Default: cty.False, Doc: "Its keys replace those of the source blocks before it."},
		},
	}
}

func destinationSpec() spec.Block {
	return spec.Block{
		Name: "destination", Labels: []string{"type"}, Types: []string{bitbucketType}, Header: `destination "bitbucket" {`, Min: 1, Max: 1,
		Doc: "Where the pipeline variables are kept.",
		Arguments: []spec.Argument{
			{Name: "connection", Kind: spec.ConnectionRef, DocDefault: "the only `connection` block", Doc: "`connection.bitbucket.NAME`, without quotes."},
			{Name: "workspace", Check: rules.RepositorySlug, DocDefault: "that of `repository`, else of the connection", Doc: "Slug; one of the three must name it."},
			{Name: "repository", Check: rules.Repository, DocDefault: "required with `scope = \"repository\"`", Doc: "Slug, or `WORKSPACE/REPOSITORY`."},
			{Name: "scope", Default: cty.StringVal("repository"), Check: rules.Scope, Doc: "`\"workspace\"`: the workspace's own variables, which the pipelines of every repository can read; then no `repository` and no `deployment_environment`."},
			{Name: "deployment_environment", Check: rules.Deployment, DocDefault: "none: the repository's own variables", Doc: "Its exact name, its slug, its name in other case, or its `{uuid}`. In braces stands a UUID and nothing else. A name that two environments have is an error."},
		},
	}
}

func optionsSpec() spec.Block {
	return spec.Block{
		Name: "options", Header: "options {", Max: 1,
		Doc: "How keys are named, written and kept.",
		Arguments: []spec.Argument{
			{Name: "initial_sync_behavior", Check: rules.Behavior, DocDefault: "none", Doc: "Only `\"overwrite-destination\"`: variables in range that the KMS does not have are deleted, at every apply. The first time in a destination [needs a consent](decisions.md#deletes)."},
			{Name: "key_schema", Check: rules.KeySchema, DocDefault: "none: names stay as they are", Doc: "At most 255 characters: `{{secretKey}}` exactly once, `{{environment}}` as often as wanted, else letters, digits, `_`, `-` and `/`. The result must be a name that Bitbucket takes, and `-` and `/` never make one."},
			{Name: "auto_sync", Kind: spec.Bool, Default: cty.True, Doc: "Whether `watch`, once there is one, applies this sync by itself; nothing else looks at it."},
			{Name: "disable_secret_deletion", Kind: spec.Bool, Default: cty.False, Doc: "Never delete at the destination."},
			{Name: "unsecured", Kind: spec.Strings, Check: rules.Glob, DocDefault: "`[]`", Doc: "Globs of variables that are written readable: everybody who can see the settings reads them, and so does kmsync. All others are secured."},
			{Name: "encoding", Kind: spec.StringMap, Check: rules.Encoding, DocDefault: "none: values are sent as they are", Doc: "Map from globs of variables to `\"base64\"`, for values that a variable cannot carry, as those with line breaks: standard alphabet, padded, one line. The pipeline decodes it."},
			{Name: "protect", Kind: spec.Strings, Check: rules.Glob, DocDefault: "`[]`", Doc: "Globs of variables that are never written and never deleted, by any sync of the destination; `*` and `?` are special."},
			{Name: "max_age", Check: rules.Duration, DocDefault: "none", Doc: "A secured variable last written longer ago than this is written again, as in `\"720h\"`."},
			{Name: "overlap", Check: rules.Duration, DocDefault: "none", Doc: "How long a renamed key keeps its old name beside the new one, as in `\"72h\"`."},
			{Name: "allow_empty", Kind: spec.Bool, Default: cty.False, Doc: "An empty folder is meant; without it, emptiness is a doubt."},
			{Name: "allow_unproven_imports", Kind: spec.Bool, Default: cty.False, Doc: "Delete although it is not proven that every import of the sources was seen."},
		},
	}
}

func movedSpec() spec.Block {
	return spec.Block{
		Name: "moved", Header: "moved {", Nameless: true,
		Doc: "A sync was renamed: what it wrote belongs to the new address, and nothing is written.",
		Arguments: []spec.Argument{
			{Name: "from", Kind: spec.Address, Required: true, Doc: "Old address: `sync.NAME` or `sync.NAME[\"KEY\"]`."},
			{Name: "to", Kind: spec.Address, Required: true, Doc: "New address, of a sync that is declared."},
		},
	}
}

func removedSpec() spec.Block {
	return spec.Block{
		Name: "removed", Header: "removed {", Nameless: true,
		Doc: "What to do with the keys that a sync left behind.",
		Arguments: []spec.Argument{
			{Name: "from", Kind: spec.Address, Required: true, Doc: "Address of the sync that left. One that is still declared needs `destination`."},
			{Name: "keep", Kind: spec.Bool, Required: true, Doc: "`true`: the variables stay and are no longer kmsync's. `false`: they are deleted."},
			{Name: "destination", Check: rules.DestinationName, DocDefault: "all that it left", Doc: "One destination: `\"acme/billing\"`, `\"acme/billing/Production\"`, or `\"acme\"` for the workspace's variables."},
			{Name: "connection", Kind: spec.ConnectionRef, DocDefault: "the only `connection` block", Doc: "`connection.bitbucket.NAME`: the account that reads the destination."},
		},
	}
}

// later lists arguments of the language that are not built yet.
func later(names ...string) []spec.Argument {
	specs := make([]spec.Argument, len(names))
	for i, name := range names {
		specs[i] = spec.Argument{Name: name, Later: true}
	}
	return specs
}
