package spec

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/rules"
)

// Explain gives HCL's complaint about the shape of a body a constant summary and
// a remedy.
func (s *Block) Explain(diag *hcl.Diagnostic) *hcl.Diagnostic {
	for _, summary := range []string{summaryMissingLabel, summaryExtraLabel} {
		kind, _, _ := strings.Cut(summary, " ")
		if !strings.HasPrefix(diag.Summary, kind+" ") {
			continue
		}
		i := strings.LastIndex(diag.Summary, " for ")
		if i < 0 {
			continue
		}
		if bs := s.Inner(diag.Summary[i+len(" for "):]); bs != nil {
			return s.explainLabels(summary, bs, diag)
		}
	}
	switch diag.Summary {
	case "Unsupported argument", "Unsupported block type", "Extraneous JSON object property":
		if !strings.Contains(diag.Detail, "Did you mean") {
			diag.Detail += " " + s.expected()
		}
	case "Missing block label": // in JSON
		diag.Detail += ` Write {"LABEL": {...}}.`
	case "Incorrect JSON value type":
		diag.Detail += " Write {...}."
	case "Duplicate argument":
		diag.Detail += " Remove one of them."
	}
	return diag
}

// explainLabels replaces HCL's words about the labels of a block.
func (s *Block) explainLabels(summary string, bs *Block, diag *hcl.Diagnostic) *hcl.Diagnostic {
	if bs.NotYet {
		return ErrorAt(*diag.Subject, rules.NotSupported, fmt.Sprintf("Blocks of type %s are not supported yet. Remove the block.", bs.Name))
	}
	detail := fmt.Sprintf("The header of %s block takes %s.", Article(bs.Name), countLabels(bs.Labels))
	return ErrorAt(*diag.Subject, summary, detail+" Write: "+bs.Header)
}

func countLabels(labels []string) string {
	if len(labels) == 0 {
		return "no label"
	}
	return "as labels: " + strings.Join(labels, ", ")
}

// expected lists what a body may hold.
func (s *Block) expected() string {
	var arguments, blocks []string
	for i := range s.Arguments {
		if !s.Arguments[i].Later {
			arguments = append(arguments, s.Arguments[i].Name)
		}
	}
	for i := range s.Blocks {
		if !s.Blocks[i].NotYet {
			blocks = append(blocks, s.Blocks[i].Name)
		}
	}
	where := "A file"
	if s.Name != "" {
		where = fmt.Sprintf("The block %s", s.Name)
	}
	switch {
	case len(arguments) == 0:
		return fmt.Sprintf("%s takes blocks of type %s.", where, strings.Join(blocks, ", "))
	case len(blocks) == 0:
		return fmt.Sprintf("%s takes %s.", where, strings.Join(arguments, ", "))
	}
	return fmt.Sprintf("%s takes %s, and blocks of type %s.", where, strings.Join(arguments, ", "), strings.Join(blocks, ", "))
}
