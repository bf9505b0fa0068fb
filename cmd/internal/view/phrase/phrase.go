// Package phrase holds the words for what a plan says about one key, so that text,
// stderr and whatever else is read use the same: one table of phrases, one for
// each reason, rule and action of the planner. It drives nothing, and what it
// returns is not safe for a terminal before the page of package view has had it.
package phrase

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// Why says in one clause why a change is made, held or refused: the reason of a
// change that happens; the reason, the rule and its remedy for a delete that is
// held; the rule and its remedy for what is refused.
func Why(c plan.Change) string {
	switch {
	case c.BlockedBy == verdict.NotBlocked:
		return reason(c)
	case Held(c):
		return join(reason(c), Problem(c))
	}
	return Problem(c)
}

// Problem says what stops a blocked change and what would allow it, or that
// nothing does.
func Problem(c plan.Change) string { return join(ruling(c), remedy(c)) }

// Withheld says of a delete that was not begun what stopped it.
func Withheld(c plan.Change) string {
	left := "not deleted; "
	if c.RenamesInPlace() {
		left = "not renamed; "
	}
	rule := fill(blockRule(c.BlockedBy), c)
	if c.BlockedBy == verdict.InDoubt {
		rule = "nothing is deleted in this run: " + strings.TrimSuffix(c.Detail, ".")
	}
	return join(left+rule, "mend that, and run "+Command(c)+" again")
}

// Held tells a change that waits for a guard (a delete, or the delete in a
// rename) from one that is refused.
func Held(c plan.Change) bool {
	return c.BlockedBy != verdict.NotBlocked && c.Reason != verdict.Refused &&
		(c.Action == verdict.Delete || c.Action == verdict.Rename)
}

// Command is what does such a change: apply, or destroy, after which an apply would make
// everything again.
func Command(c plan.Change) string {
	if c.Reason == verdict.Destroyed {
		return "kmsync destroy"
	}
	return "kmsync apply"
}

// At is the place of a range, (main.sync.hcl:21), or "" for none.
func At(r hcl.Range) string { return strings.TrimPrefix(at(r), " ") }

// Version is the version of a secret, (v7), or "" for 0: unknown.
func Version(v int) string { return strings.TrimPrefix(version(v), " ") }

// ruling names what stops a change.
func ruling(c plan.Change) string {
	rule := fill(blockRule(c.BlockedBy), c)
	switch {
	case c.BlockedBy == verdict.Moved:
		return completed("left: "+rule, c.Detail)
	case Held(c):
		return "held: " + rule // the detail belongs to the reason
	}
	switch {
	case c.BlockedBy == verdict.EmptyValue, c.BlockedBy == verdict.HiddenValue && c.Detail == "":
		return "refused: " + rule // the place says it all
	}
	return completed("refused: "+rule, c.Detail)
}

func remedy(c plan.Change) string {
	if c.BlockedBy == verdict.UnresolvedReference && c.Detail != "" && !strings.Contains(c.Detail, "${") {
		return fill("mend it in the KMS, or exclude {secret}", c) // it is no reference, but an import
	}
	if c.BlockedBy == verdict.InDoubt && c.HeldBy == "ledger" {
		return "look at the ledger, then run kmsync ledger verify --accept"
	}
	return fill(blockRemedy(c.BlockedBy), c)
}

// heldBy stands for what holds a delete where the plan does not name it.
func heldBy(b verdict.Block) string {
	switch b {
	case verdict.RefusedKey:
		return "another key of this sync"
	case verdict.MaxPercent:
		return "max_percent"
	}
	return "max_count"
}

func reason(c plan.Change) string {
	text := reasonPhrase(c.Reason)
	switch {
	case c.Action == verdict.Update && !c.Owned:
		text = takeOverPhrase(c.Reason)
	case c.Action == verdict.Keep && c.Reason == verdict.Unconfirmed:
		text = "kept: a create of it was never confirmed, so it may be another's"
	case c.Action == verdict.Keep && c.Reason == verdict.NotReadable:
		text = "kept: Bitbucket keeps it secured, and it is declared as unsecured{at}"
	case c.Action == verdict.Release:
		text = "stays in Bitbucket, no longer kmsync's to delete{at}"
	case c.Action == verdict.Delete && c.Reason == verdict.Renamed:
		text = "renamed{detail}{at}"
	case c.RenamesInPlace():
		text = "renamed{detail}{at}, last, in one step"
	case c.WithRename:
		text = "renamed{detail}{at}; written first, {old} deleted last"
	case c.Action == verdict.Delete && c.Reason == verdict.OverwriteDestination && c.Owned:
		text = "not in {source}; overwrite-destination{at}"
	}
	clauses := []string{fill(text, c)}
	if !strings.Contains(text, "{detail}") {
		clauses = append(clauses, c.Detail)
	}
	if c.Action.Creates() && !c.Secured {
		clauses = append(clauses, "readable")
	}
	return join(clauses...)
}

// fill puts the facts of a change into a phrase. One pass: what a fact holds is
// never taken for a name in braces.
func fill(phrase string, c plan.Change) string {
	source, name, detail := "the source", "the secret", ""
	if c.Source != (graph.SourceRef{}) {
		source = c.Source.String()
	}
	if c.SecretKey != "" {
		name = c.SecretKey
	}
	if c.Detail != "" {
		detail = " " + c.Detail
	}
	return strings.NewReplacer(
		"{source}", source,
		"{secret}", name,
		"{key}", c.Key,
		"{version}", version(c.Version),
		"{versions}", versions(c.OldVersion, c.Version),
		"{old}", c.RenamedFrom,
		"{command}", Command(c),
		"{deletes}", strconv.Itoa(c.MaxDeletes),
		"{held}", cmp.Or(c.HeldBy, heldBy(c.BlockedBy)),
		"{detail}", detail,
		"{at}", at(c.Range),
	).Replace(phrase)
}

func version(v int) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(" (v%d)", v)
}

// versions shows both only where they are known and differ: the value of an
// imported secret may change while its own version stays.
func versions(from, to int) string {
	if from == 0 || to == 0 || from == to {
		return version(to)
	}
	return fmt.Sprintf(" (v%d → v%d)", from, to)
}

func at(r hcl.Range) string {
	if r.Filename == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", r.Filename, r.Start.Line)
}

// join joins the clauses that are there.
func join(clauses ...string) string {
	var present []string
	for _, clause := range clauses {
		if clause != "" {
			present = append(present, clause)
		}
	}
	return strings.Join(present, "; ")
}

func completed(rule, detail string) string {
	if detail == "" {
		return rule
	}
	return rule + ": " + detail
}
