package config

import (
	"io/fs"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/files"
	"github.com/hanzoai/kmsync/config/internal/functions"
	"github.com/hanzoai/kmsync/config/internal/lang"
	"github.com/hanzoai/kmsync/config/internal/language"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// LoadOptions is what a configuration needs from outside of its files.
type LoadOptions struct {
	// Environment returns the value that the environment gives a variable, "" for
	// none; nil: it gives none. Values of *.auto.syncvars files count more.
	Environment func(variable string) string
	// Inputs count more than both, and each more than those before it.
	Inputs []Input
	// NeedInputs says that a variable without a value is a mistake. Without it the
	// value is unknown, and what depends on it is not checked.
	NeedInputs bool
	// Version is that of this kmsync; one that is not a version fulfils every
	// required_version.
	Version string
}

// Load reads the *.sync.hcl and *.sync.json files of a directory as one
// configuration. Order and names of the files carry no meaning; sub-directories
// and hidden files are not read. A link may not lead out of the directory.
//
// The diagnostics hold every mistake, sorted by file and place; file names in
// them are relative to dir. The Config is never nil and its Files are always
// there for snippets; the rest of it is to be used only without errors.
func Load(dir string, opt LoadOptions) (*Config, hcl.Diagnostics) {
	fsys, done, diag := files.Open(dir)
	if diag != nil {
		return &Config{Files: map[string]*hcl.File{}, LedgerPath: Located[string]{Value: defaultLedgerPath}}, hcl.Diagnostics{diag}
	}
	defer done()
	return load(fsys, dir, opt)
}

// builder makes the typed configuration of evaluated blocks.
type builder struct {
	config *Config
	blocks map[string][]*lang.Block
	lost   map[string]bool // types of blocks of which some could not be read
	opt    LoadOptions
	diags  hcl.Diagnostics
	within string // address of the block of a for_each that is being built
}

func load(fsys fs.FS, dir string, opt LoadOptions) (*Config, hcl.Diagnostics) {
	c := &Config{Files: map[string]*hcl.File{}, KMS: map[string]*KMS{}, Connections: map[string]*Connection{}}
	b := &builder{config: c, opt: opt}
	bodies, broken := b.readFiles(fsys, dir)
	inputs := b.gatherInputs(fsys)
	result, diags := lang.Load(bodies, lang.Options{
		Language: language.Top(), Functions: functions.All(fsys), Inputs: inputs, Fallback: b.fromEnvironment,
		NeedInputs: opt.NeedInputs, Broken: broken,
	})
	b.diags = append(b.diags, diags...)
	b.blocks, b.lost = result.Blocks, result.Lost
	b.checkDeclared(inputs, result.Variables)
	b.build()
	merged := spec.Once(spec.Merge(b.diags))
	sortDiagnostics(merged)
	return c, merged
}

// fromEnvironment returns what the environment gives a variable.
func (b *builder) fromEnvironment(variable string) (lang.Input, bool) {
	if b.opt.Environment == nil {
		return lang.Input{}, false
	}
	text := b.opt.Environment(variable)
	return lang.Input{Text: text, From: "$" + EnvironmentPrefix + variable}, text != ""
}

func (b *builder) report(diags ...*hcl.Diagnostic) {
	for _, diag := range diags {
		b.diags = append(b.diags, spec.InBlock(diag, b.within))
	}
}

// readFiles parses the files of the directory and returns those without syntax
// errors. What a broken one declares is not known: references to what is not
// declared elsewhere are not called mistakes then.
func (b *builder) readFiles(fsys fs.FS, dir string) (bodies []hcl.Body, broken bool) {
	found, diags := files.Read(fsys, dir)
	b.report(diags...)
	for _, file := range found {
		if file.Parsed != nil {
			b.config.Files[file.Name] = file.Parsed
		}
		if file.Broken {
			broken = true
			continue
		}
		bodies = append(bodies, file.Parsed.Body)
	}
	return bodies, broken
}
