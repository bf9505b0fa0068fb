package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/hanzoai/kmsync/applier"
)

// Result writes how an apply ended: one line of counts, without those that are
// zero, and what to do when something is left. The error is that of w.
func Result(w io.Writer, r applier.Result, style Style) error {
	out := &page{style: style}
	done := counted(part{r.Created, "created"}, part{r.Renamed, "renamed"}, part{r.Updated, "updated"}, part{r.Deleted, "deleted"},
		part{r.Adopted, "adopted"}, part{r.Forgotten, "forgotten"}, part{r.Released, "released"})
	failed := "failed"
	if r.Taken > 0 {
		failed += fmt.Sprintf(" (%d of them written all the same)", r.Taken)
	}
	left := counted(part{r.Failed, failed}, part{r.Stopped, "moved meanwhile"},
		part{r.Skipped, "not tried"}, part{r.Held, "refused or held"})
	if r.SyncErrors > 0 {
		left = strings.TrimPrefix(left+", "+number(r.SyncErrors, "sync")+" not planned", ", ")
	}
	head, paint := outcome(r, left != "")
	counts := strings.Trim(done+", "+left, ", ")
	switch {
	case counts == "" && r.Interrupted:
		counts = "nothing done"
	case counts == "":
		counts = "nothing to do"
	}
	out.put(paint, head+":")
	out.line(plain, " "+counts+"."+after(r, style))
	return out.flush(w)
}

// outcome is the head of the line. Like the exit code, it tells a run that wrote
// something from one that only changed the ledger.
func outcome(r applier.Result, left bool) (string, colour) {
	switch {
	case r.Interrupted:
		return "Interrupted", red
	case !left:
		return "Applied", green
	case r.Wrote() > 0:
		return "Partly applied", yellow
	case r.Adopted+r.Forgotten+r.Released > 0:
		return "Nothing written", red
	}
	return "Nothing applied", red
}

// after says how to go on. What the plan blocks or could not read, another apply
// would leave again.
func after(r applier.Result, style Style) string {
	command, look := commands(style.Destroying)
	switch {
	case r.Failed > 0 && !r.Interrupted:
		return " Each failure says what to do; " + command + " then goes on where this run stopped."
	case r.Interrupted || r.Stopped+r.Skipped > 0:
		return " Run " + command + " again: it goes on where this run stopped."
	case r.Held+r.SyncErrors > 0:
		return " Run " + look + ": it says what stops the rest."
	}
	return ""
}
