package config

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/rules"
)

// valueKind is what an argument takes.
type valueKind int

const (
	kindString valueKind = iota
	kindBool
	kindStrings    // a list of strings
	kindKMS        // a reference to a kms block
	kindConnection // a reference to a connection block
)

// attributeSpec describes one argument of a block.
type attributeSpec struct {
	name     string
	kind     valueKind
	required bool
	later    bool // of the language, and not built yet: refused
	def      cty.Value
	// fromLabel makes the default from the label of the block; used where def is not set.
	fromLabel func(label string) string
	check     func(value string) *rules.Problem // of a string, or of each string of a list
	doc       string                            // what it means, for the documentation
}

// blockSpec describes one type of block, or, without a name, a file.
type blockSpec struct {
	name       string
	labels     []string // what the labels are called; "type" must be "bitbucket"
	header     string   // how the first line is written
	example    string   // a whole block, for who has none
	min, max   int      // how many the block around it holds; max 0: any number
	manyLater  bool     // more than max is of the language, and not built yet
	later      bool
	attributes []attributeSpec
	blocks     []blockSpec
	doc        string
}

// bitbucketType is the one type of connections and destinations.
const bitbucketType = "bitbucket"

// language is the configuration language: decoding, suggestions and the list of
// what is not supported yet are all made from it.
func language() *blockSpec {
	blocks := []blockSpec{kmsSpec(), connectionSpec(), syncSpec()}
	for _, name := range []string{"kmsync", "variable", "locals", "moved", "removed", "import"} {
		blocks = append(blocks, blockSpec{name: name, later: true})
	}
	return &blockSpec{blocks: blocks}
}

func kmsSpec() blockSpec {
	return blockSpec{
		name: "kms", labels: []string{"name"}, header: `kms "NAME" {`,
		example: "kms \"main\" {\n  project = \"PROJECT\" # id or slug\n}",
		doc:     "One project of a KMS.",
		attributes: []attributeSpec{
			{name: "address", check: rules.KMSAddress, doc: "Base URL, with or without /api; $KMS_ADDRESS by default, else https://app.kms.hanzo.ai."},
			{name: "project", required: true, check: rules.Project, doc: "Id or slug of the project."},
			{name: "credentials_prefix", def: cty.StringVal("KMS"), check: rules.Prefix, doc: "Prefix of the environment variables that hold the credentials."},
		},
	}
}

func connectionSpec() blockSpec {
	return blockSpec{
		name: "connection", labels: []string{"type", "name"}, header: `connection "bitbucket" "NAME" {`,
		example: "connection \"bitbucket\" \"main\" {\n  workspace = \"WORKSPACE\"\n}",
		doc:     "One account at Bitbucket Cloud.",
		attributes: append([]attributeSpec{
			{name: "address", check: rules.BitbucketAddress, doc: "Base URL; $BITBUCKET_ADDRESS by default, else https://api.bitbucket.org."},
			{name: "workspace", check: rules.RepositorySlug, doc: "Default workspace of its destinations."},
			{name: "credentials_prefix", def: cty.StringVal("BITBUCKET"), check: rules.Prefix, doc: "Prefix of the environment variables that hold the credentials."},
		}, later("kms_connection", "manage")...),
	}
}

func syncSpec() blockSpec {
	return blockSpec{
		name: "sync", labels: []string{"name"}, header: `sync "NAME" {`,
		doc: "Moves the secrets of a source to a destination.",
		attributes: append([]attributeSpec{
			{name: "name", fromLabel: rules.Slugify, check: rules.Name, doc: "Slug, unique in the configuration; the label, slugified, by default."},
			{name: "description", check: rules.Description, doc: "At most 256 characters."},
			{name: "enabled", kind: kindBool, def: cty.True, doc: "false: its source is not read and its keys stay as they are."},
		}, later("mode", "for_each")...),
		blocks: []blockSpec{sourceSpec(), destinationSpec(), optionsSpec()},
	}
}

func sourceSpec() blockSpec {
	return blockSpec{
		name: "source", header: "source {", min: 1, max: 1, manyLater: true,
		doc: "The folder of a KMS that secrets are read from.",
		attributes: append([]attributeSpec{
			{name: "kms", kind: kindKMS, doc: "Which kms block; may be left out when one is declared."},
			{name: "environment", required: true, check: rules.Environment, doc: "Slug of the environment."},
			{name: "secret_path", def: cty.StringVal("/"), check: rules.Path, doc: "Absolute path of the folder."},
			{name: "include_imports", kind: kindBool, def: cty.True, doc: "Whether secrets that the folder imports are part of it."},
			{name: "expand_references", kind: kindBool, def: cty.True, doc: "Whether ${...} in values is resolved."},
		}, later("recursive", "include", "exclude", "rename", "override")...),
	}
}

func destinationSpec() blockSpec {
	return blockSpec{
		name: "destination", labels: []string{"type"}, header: `destination "bitbucket" {`, min: 1, max: 1,
		doc: "Where the pipeline variables are kept.",
		attributes: append([]attributeSpec{
			{name: "connection", kind: kindConnection, doc: "Which connection block; may be left out when one is declared."},
			{name: "workspace", check: rules.RepositorySlug, doc: "Slug; the connection's by default."},
			{name: "repository", required: true, check: rules.Repository, doc: "Slug of the repository."},
			{name: "deployment_environment", check: rules.Deployment, doc: "Exact name, or {uuid}; without it, the repository's own variables."},
		}, later("scope")...),
	}
}

func optionsSpec() blockSpec {
	return blockSpec{
		name: "options", header: "options {", max: 1,
		doc: "How keys are named, written and kept.",
		attributes: append([]attributeSpec{
			{name: "initial_sync_behavior", check: rules.Behavior, doc: `Only "overwrite-destination": variables that the KMS does not have are deleted.`},
			{name: "key_schema", check: rules.KeySchema, doc: "Template of the variables' names: {{secretKey}} once, {{environment}}, letters, digits, _, and where the destination takes them - and /, which Bitbucket does not."},
			{name: "auto_sync", kind: kindBool, def: cty.True, doc: "Whether watch applies this sync by itself."},
			{name: "disable_secret_deletion", kind: kindBool, def: cty.False, doc: "Never delete at the destination."},
			{name: "protect", kind: kindStrings, check: rules.Glob, doc: "Globs (* and ?) of variables that are never written and never deleted."},
			{name: "allow_empty", kind: kindBool, def: cty.False, doc: "An empty source is meant."},
		}, later("unsecured", "encoding", "max_age", "overlap", "allow_unproven_imports")...),
	}
}

// later lists arguments of the language that are not built yet.
func later(names ...string) []attributeSpec {
	specs := make([]attributeSpec, len(names))
	for i, name := range names {
		specs[i] = attributeSpec{name: name, later: true}
	}
	return specs
}

// attribute returns the argument of that name, or nil.
func (s *blockSpec) attribute(name string) *attributeSpec {
	for i := range s.attributes {
		if s.attributes[i].name == name {
			return &s.attributes[i]
		}
	}
	return nil
}

// block returns the type of block of that name, or nil.
func (s *blockSpec) block(name string) *blockSpec {
	for i := range s.blocks {
		if s.blocks[i].name == name {
			return &s.blocks[i]
		}
	}
	return nil
}
