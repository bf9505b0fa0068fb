package config

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/files"
	"github.com/hanzoai/kmsync/config/internal/lang"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// Input gives values to variables: one by name, or those of a file.
type Input struct {
	// Name and Text are one value. It is text for a variable of the type string,
	// number, bool or any, and else an expression.
	Name, Text string
	// File is a *.syncvars file in place of them: its path for people, and what it
	// holds.
	File    string
	Content []byte
	From    string // where it comes from, for people: --var
}

// gatherInputs returns the value of each variable that was given one. The later of
// two counts.
func (b *builder) gatherInputs(fsys fs.FS) map[string]lang.Input {
	given := map[string]lang.Input{}
	found, diags := files.ReadInputs(fsys)
	b.report(diags...)
	for _, file := range found {
		b.takeFile(given, file)
	}
	for _, input := range b.opt.Inputs {
		if input.File == "" {
			given[input.Name] = lang.Input{Text: input.Text, From: input.From}
			continue
		}
		file, diags := files.Parse(input.File, input.Content)
		b.report(diags...)
		b.takeFile(given, file)
	}
	return given
}

func (b *builder) takeFile(given map[string]lang.Input, file files.File) {
	if file.Parsed == nil {
		return
	}
	b.config.Files[file.Name] = file.Parsed
	if file.Broken {
		return
	}
	values, diags := file.Parsed.Body.JustAttributes()
	for _, diag := range diags {
		diag.Detail += " A file of inputs holds lines of the form NAME = VALUE only."
	}
	b.report(diags...)
	for name, attr := range values {
		given[name] = lang.Input{Expr: attr.Expr, From: file.Name}
	}
}

// checkDeclared reports inputs for variables that are not declared: an error for
// one that was typed, a warning for one of a file, which several configurations
// may share.
func (b *builder) checkDeclared(given map[string]lang.Input, declared []string) {
	if b.lost["variable"] {
		return
	}
	for _, name := range sortedNames(given) {
		input := given[name]
		if slices.Contains(declared, name) {
			continue
		}
		remedy := spec.DidYouMean(name, slices.Clone(declared), "%s")
		if remedy == "" {
			remedy = fmt.Sprintf(" Declare variable %q, or remove the value.", name)
		}
		detail := fmt.Sprintf("No variable %q is declared, and %s gives it a value.%s", name, input.From, remedy)
		if input.Expr == nil {
			b.report(spec.ErrorAt(commandLine, summaryUndeclaredInput, detail))
			continue
		}
		b.report(&hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: summaryUndeclaredInput, Detail: detail, Subject: input.Expr.Range().Ptr(),
		})
	}
}

// commandLine is the place of what was typed.
var commandLine = hcl.Range{Filename: "(command line)", Start: hcl.InitialPos, End: hcl.InitialPos}

// EnvironmentPrefix begins the names of environment variables that give values to
// variables.
const EnvironmentPrefix = "KMSYNC_VAR_"
