package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The summaries of the mistakes found here. Those of values are in package rules,
// those of files in package files, those of expressions and blocks in package
// lang; HCL's parser and operators have their own.
const (
	summaryUndeclared      = "Nothing declared to refer to"
	summaryAmbiguous       = "Ambiguous choice"
	summaryNoWorkspace     = "No workspace"
	summaryTwoWorkspaces   = "Two workspaces"
	summaryScope           = "Wrong scope"
	summaryNoRepository    = "Missing required argument"
	summaryNameClash       = "Name used twice"
	summaryIllegalKeys     = "Key schema makes illegal names"
	summaryNoDefaultName   = "No name can be made from the label"
	summaryOverlap         = "Syncs overlap"
	summaryRename          = "Invalid rename"
	summaryInclude         = "Included and excluded"
	summaryTwice           = "Settings given twice"
	summaryMoved           = "Invalid move"
	summaryRemoved         = "Invalid removal"
	summaryVersion         = "Another version is required"
	summaryUndeclaredInput = "Value for an undeclared variable"
)

// sortDiagnostics orders mistakes by file, then by place.
func sortDiagnostics(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		return compareRanges(*a.Subject, *b.Subject)
	})
}

func compareRanges(a, b hcl.Range) int {
	return cmp.Or(
		strings.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Byte, b.Start.Byte),
		cmp.Compare(a.End.Byte, b.End.Byte),
	)
}

// sortedNames returns the keys of a map in order.
func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
