package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/rules"
)

// The summaries of the mistakes found here. Those of values are in package rules,
// those of files in package files; HCL's parser and operators have their own.
const (
	summaryNotSupported  = rules.NotSupported
	summaryArgument      = "Unsupported argument"
	summaryBlockType     = "Unsupported block type"
	summaryMissingLabel  = "Missing label"
	summaryExtraLabel    = "Extraneous label"
	summaryLabel         = "Invalid label"
	summaryType          = "Unknown type of service"
	summaryDuplicate     = "Duplicate block"
	summaryMissing       = "Missing required argument"
	summaryMissingBlock  = "Missing required block"
	summaryUnknown       = "Unknown reference"
	summaryIncomplete    = "Incomplete reference"
	summaryNoValue       = "Reference to nothing"
	summaryCycle         = "Reference cycle"
	summaryNotReference  = "Reference expected"
	summaryWrongType     = "Wrong type"
	summaryNull          = "Null value"
	summaryTooLong       = "Value too long"
	summaryUndeclared    = "Nothing declared to refer to"
	summaryAmbiguous     = "Ambiguous choice"
	summaryNoWorkspace   = "No workspace"
	summaryNameClash     = "Name used twice"
	summaryIllegalKeys   = "Key schema makes illegal names"
	summaryNoDefaultName = "No name can be made from the label"
)

// errorAt returns an error; the detail says what to do last.
func errorAt(subject hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}

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
