package config

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/functions"
	"github.com/hanzoai/kmsync/config/internal/language"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// Reference returns the parts of docs/configuration.md that are made from the
// language itself, by name, as Markdown: a table of the arguments of each block
// ("sync", "sync.source"), "functions", and "not-supported".
func Reference() map[string]string {
	parts := map[string]string{"functions": functionList(), "not-supported": notSupported(language.Top(), "top level")}
	describe(parts, "", language.Top())
	return parts
}

func describe(parts map[string]string, prefix string, outer *spec.Block) {
	for i := range outer.Blocks {
		block := &outer.Blocks[i]
		if block.NotYet {
			continue
		}
		parts[prefix+block.Name] = table(block)
		describe(parts, prefix+block.Name+".", block)
	}
}

// table describes a block and its arguments.
func table(outer *spec.Block) string {
	var b strings.Builder
	b.WriteString(outer.Doc + "\n")
	if len(outer.Arguments) > 0 {
		b.WriteString("\n| argument | type | default | meaning |\n|---|---|---|---|\n")
	}
	for i := range outer.Arguments {
		a := &outer.Arguments[i]
		if !a.Later {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", a.Name, kindName(a.Kind), defaultText(a), strings.ReplaceAll(a.Doc, "|", `\|`))
		}
	}
	return b.String()
}

func kindName(kind spec.Kind) string {
	switch kind {
	case spec.Bool, spec.Condition:
		return "bool"
	case spec.Whole:
		return "whole number"
	case spec.Strings:
		return "list of strings"
	case spec.StringMap:
		return "map of strings"
	case spec.Any:
		return "any"
	case spec.ForEach:
		return "map, or set of strings"
	case spec.KMSRef, spec.ConnectionRef:
		return "reference"
	case spec.Address:
		return "address"
	case spec.Type:
		return "type"
	}
	return "string"
}

func defaultText(a *spec.Argument) string {
	switch {
	case a.Required:
		return "required"
	case a.DocDefault != "":
		return a.DocDefault
	case a.Default == cty.NilVal:
		return "none"
	case a.Default.Type() == cty.Bool:
		return fmt.Sprintf("`%t`", a.Default.True())
	case a.Default.Type() == cty.Number:
		return "`" + a.Default.AsBigFloat().Text('f', 0) + "`"
	}
	return fmt.Sprintf("`%q`", a.Default.AsString())
}

// notSupported lists what the language has and this version refuses.
func notSupported(outer *spec.Block, where string) string {
	var missing []string
	var inner strings.Builder
	for i := range outer.Arguments {
		if outer.Arguments[i].Later {
			missing = append(missing, "`"+outer.Arguments[i].Name+"`")
		}
	}
	for i := range outer.Blocks {
		block := &outer.Blocks[i]
		if block.NotYet {
			missing = append(missing, "block `"+block.Name+"`")
		}
		for _, kind := range block.Later {
			missing = append(missing, fmt.Sprintf("`%s %q`", block.Name, kind))
		}
		inner.WriteString(notSupported(block, "`"+block.Name+"`"))
	}
	if len(missing) == 0 {
		return inner.String()
	}
	return fmt.Sprintf("- %s: %s\n", where, strings.Join(missing, ", ")) + inner.String()
}

func functionList() string {
	names := sortedNames(functions.All(noFiles{}))
	return "`" + strings.Join(names, "`, `") + "`\n"
}

// noFiles is a directory without files.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
