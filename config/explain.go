package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// explain gives HCL's complaint about the shape of a body a constant summary and
// a remedy.
func (s *blockSpec) explain(diag *hcl.Diagnostic) *hcl.Diagnostic {
	for _, summary := range []string{summaryMissingLabel, summaryExtraLabel} {
		kind, _, _ := strings.Cut(summary, " ")
		if !strings.HasPrefix(diag.Summary, kind+" ") {
			continue
		}
		i := strings.LastIndex(diag.Summary, " for ")
		if i < 0 {
			continue
		}
		if bs := s.block(diag.Summary[i+len(" for "):]); bs != nil {
			return s.explainLabels(summary, bs, diag)
		}
	}
	if (diag.Summary == summaryArgument || diag.Summary == summaryBlockType) && !strings.Contains(diag.Detail, "Did you mean") {
		diag.Detail += " " + s.expected()
	}
	return diag
}

// explainLabels replaces HCL's words about the labels of a block.
func (s *blockSpec) explainLabels(summary string, bs *blockSpec, diag *hcl.Diagnostic) *hcl.Diagnostic {
	if bs.later {
		return errorAt(*diag.Subject, summaryNotSupported, fmt.Sprintf("Blocks of type %s are not supported yet. Remove the block.", bs.name))
	}
	detail := fmt.Sprintf("The header of %s block takes %s.", article(bs.name), countLabels(bs.labels))
	return errorAt(*diag.Subject, summary, detail+" Write: "+bs.header)
}

func countLabels(labels []string) string {
	if len(labels) == 0 {
		return "no label"
	}
	return "as labels: " + strings.Join(labels, ", ")
}

// expected lists what a body may hold.
func (s *blockSpec) expected() string {
	var arguments, blocks []string
	for i := range s.attributes {
		if !s.attributes[i].later {
			arguments = append(arguments, s.attributes[i].name)
		}
	}
	for i := range s.blocks {
		if !s.blocks[i].later {
			blocks = append(blocks, s.blocks[i].name)
		}
	}
	where := "A file"
	if s.name != "" {
		where = fmt.Sprintf("The block %s", s.name)
	}
	switch {
	case len(arguments) == 0:
		return fmt.Sprintf("%s takes blocks of type %s.", where, strings.Join(blocks, ", "))
	case len(blocks) == 0:
		return fmt.Sprintf("%s takes %s.", where, strings.Join(arguments, ", "))
	}
	return fmt.Sprintf("%s takes %s, and blocks of type %s.", where, strings.Join(arguments, ", "), strings.Join(blocks, ", "))
}

// article puts a or an before the name of a block.
func article(name string) string {
	if strings.ContainsAny(name[:1], "aeiou") {
		return "an " + name
	}
	return "a " + name
}
