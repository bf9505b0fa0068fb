package spec

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

const (
	summaryMissingLabel = "Missing label"
	summaryExtraLabel   = "Extraneous label"
)

// SummaryLoops is about loops that cost too much.
const SummaryLoops = "Too many loops"

// ErrorAt returns an error; the detail says what to do last.
func ErrorAt(subject hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}

// Place writes where something is, as people do: main.sync.hcl:14.
func Place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// Article puts a or an before the name of a block.
func Article(name string) string {
	if strings.ContainsAny(name[:1], "aeiou") {
		return "an " + name
	}
	return "a " + name
}

// blockExtra says in which block of a for_each something is wrong.
type blockExtra string

// InBlock notes that a diagnostic is about the block of that address, one of
// those that a for_each made. With "" it changes nothing.
func InBlock(diag *hcl.Diagnostic, address string) *hcl.Diagnostic {
	if address != "" && diag.Extra == nil {
		diag.Extra = blockExtra(address)
	}
	return diag
}

// Merge makes one diagnostic of those that several blocks of a for_each have for
// one reason, and names the blocks.
func Merge(diags hcl.Diagnostics) hcl.Diagnostics {
	type reason struct {
		subject hcl.Range
		summary string
	}
	type group struct {
		diag   *hcl.Diagnostic
		blocks []string
	}
	var merged hcl.Diagnostics
	groups := map[reason]*group{}
	for _, diag := range diags {
		address, ok := diag.Extra.(blockExtra)
		if !ok || diag.Subject == nil {
			merged = append(merged, diag)
			continue
		}
		id := reason{*diag.Subject, diag.Summary}
		if g := groups[id]; g != nil {
			g.blocks = append(g.blocks, string(address))
			continue
		}
		groups[id] = &group{diag, []string{string(address)}}
		merged = append(merged, diag)
	}
	for _, g := range groups {
		where := g.blocks[0]
		if more := len(g.blocks) - 1; more > 0 {
			where += fmt.Sprintf(" and %d more", more)
		}
		g.diag.Detail = fmt.Sprintf("In %s: %s", where, g.diag.Detail)
		g.diag.Extra = nil
	}
	return merged
}

// ExplainExpression ends HCL's words about an expression with what to do, and
// takes out what might show a sensitive value.
func ExplainExpression(diag *hcl.Diagnostic, secret bool) {
	diag.Expression, diag.EvalContext = nil, nil // nothing of the values is to be shown
	if secret {
		diag.Detail = "The expression cannot be evaluated. Why is not said, since it uses a sensitive value. Correct it, or try it with sensitive = false."
		return
	}
	if strings.Contains(diag.Detail, "Did you mean") || diag.Summary == SummaryLoops {
		return
	}
	remedy := "Correct the expression."
	switch diag.Summary {
	case "Call to unknown function":
		remedy = "The functions are listed in docs/configuration.md."
	case "Error in function call", "Invalid function argument":
		remedy = "Correct the argument."
	case "Not enough function arguments", "Too many function arguments":
		remedy = "Correct the number of arguments."
	case "Unsupported attribute", "Invalid index", "Missing map element":
		remedy = "Correct the name, or write try(..., DEFAULT)."
	}
	diag.Detail = strings.TrimSpace(diag.Detail) + " " + remedy
}

// Once leaves out diagnostics that say the same of the same place as one before.
func Once(diags hcl.Diagnostics) hcl.Diagnostics {
	type words struct {
		subject         hcl.Range
		summary, detail string
	}
	seen := map[words]bool{}
	var once hcl.Diagnostics
	for _, diag := range diags {
		if diag.Subject != nil {
			said := words{*diag.Subject, diag.Summary, diag.Detail}
			if seen[said] {
				continue
			}
			seen[said] = true
		}
		once = append(once, diag)
	}
	return once
}
