package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/planner/plan"
)

// tally is the summary of a plan, its blocked keys told apart.
type tally struct {
	plan.Summary
	refused int
	held    int    // deletes that a guard holds
	waiting int    // of those, the ones that wait for --max-deletes
	allow   int    // the number that would do
	command string // that does the plan
	look    string // the one that shows it
}

func tallyOf(p *plan.Plan) tally {
	t := tally{Summary: p.Summary()}
	t.command, t.look = commands(p.Destroy)
	seen := map[[2]string]bool{}
	for _, s := range p.Syncs {
		for _, c := range s.Changes {
			// The same key in two syncs counts once, and as what it is first: as the
			// summary counts it.
			id := [2]string{s.Destination.String(), c.Key}
			if seen[id] {
				continue
			}
			seen[id] = true
			if phrase.Held(c) {
				t.held++
				if t.allow = max(t.allow, c.MaxDeletes); c.MaxDeletes > 0 {
					t.waiting++
				}
			}
		}
	}
	t.refused = t.Blocked - t.held
	return t
}

// commands are what does a plan and what shows it.
func commands(destroy bool) (do, look string) {
	if destroy {
		return "kmsync destroy", "kmsync plan --destroy"
	}
	return "kmsync apply", "kmsync plan"
}

// changes is how much apply would do.
func (t tally) changes() int { return t.Writes() + t.LedgerOnly() }

// closing writes the counts of the plan and the next thing to do.
func (p *page) closing(plan *plan.Plan, now time.Time) {
	t := tallyOf(plan)
	if t.changes()+t.Blocked+t.SyncErrors == 0 {
		p.hang(bold, 0, noChanges(t, plan.Destroy))
		return
	}
	p.hang(bold, 0, t.sentence(now))
	flags := p.style.Flags + p.style.MaxDeletes
	if t.waiting > 0 {
		p.hang(plain, 0, fmt.Sprintf("Held: %s. If all of it is meant: %s%s --max-deletes %d", number(t.waiting, "delete"), t.command, p.style.Flags, t.allow))
	}
	if next := t.next(flags); next != "" && (next != t.with()+flags || !p.style.Applying) {
		p.hang(plain, 0, next)
	}
}

// with is what to do with a plan that nothing stops.
func (t tally) with() string {
	if t.command == "kmsync apply" {
		return "Apply with: " + t.command
	}
	return "Destroy with: " + t.command
}

// noChanges says "believed", since Bitbucket never shows a secured value.
func noChanges(t tally, destroy bool) string {
	text := "No changes."
	if destroy {
		text = "Nothing to destroy."
	}
	if t.Unchanged > 0 {
		text += " " + number(t.Unchanged, "key") + " believed in sync."
	}
	if t.Kept > 0 {
		text += fmt.Sprintf(" %d kept.", t.Kept)
	}
	return text
}

// sentence is "Plan: 1 to create. 1 refused. 9 unchanged (believed …)."
func (t tally) sentence(now time.Time) string {
	todo := counted(
		part{t.Create, "to create"}, part{t.Rename, "to rename"}, part{t.Update, "to update"}, part{t.Delete, "to delete"},
		part{t.Adopt, "to adopt"}, part{t.Forget, "to forget"}, part{t.Release, "to release"},
	)
	if todo == "" {
		todo = "nothing to apply"
	}
	sentences := []string{"Plan: " + todo}
	if stopped := counted(part{t.refused, "refused"}, part{t.held, "held"}, part{t.Kept, "kept"}); stopped != "" {
		sentences = append(sentences, stopped)
	}
	if t.SyncErrors > 0 {
		sentences = append(sentences, number(t.SyncErrors, "sync")+" not planned")
	}
	if t.Unchanged > 0 {
		sentences = append(sentences, fmt.Sprintf("%d unchanged (%s)", t.Unchanged, t.belief(now)))
	}
	return strings.Join(sentences, ". ") + "."
}

func (t tally) belief(now time.Time) string {
	if t.OldestWrite.IsZero() {
		return "believed"
	}
	return "believed, oldest written " + age(now.Sub(t.OldestWrite))
}

// next is the next command, with the flags of this one, or what to do before it, or
// "" when nothing is to do.
func (t tally) next(flags string) string {
	var mend []string
	if t.refused > 0 {
		mend = append(mend, the(t.refused, "refused key"))
	}
	if t.SyncErrors > 0 {
		mend = append(mend, the(t.SyncErrors, "failed sync"))
	}
	what := strings.Join(mend, " and ")
	switch {
	case what != "" && t.changes() > 0:
		return "Mend " + what + " above first; " + t.command + flags + " does the rest without them."
	case what != "":
		return "Mend " + what + " above, then run: " + t.look + flags
	case t.changes() > 0:
		return t.with() + flags
	case t.held > t.waiting:
		return "Each held delete above says what holds it."
	}
	return ""
}

// part is a count and what it counts.
type part struct {
	n    int
	what string
}

// counted is "1 to create, 2 to update", without what is zero.
func counted(parts ...part) string { return joined(", ", parts...) }

func joined(separator string, parts ...part) string {
	var texts []string
	for _, part := range parts {
		if part.n > 0 {
			texts = append(texts, strconv.Itoa(part.n)+" "+part.what)
		}
	}
	return strings.Join(texts, separator)
}

// number is "1 key", "2 keys".
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// the is "the key", "the 2 keys".
func the(n int, noun string) string {
	return "the " + strings.TrimPrefix(number(n, noun), "1 ")
}

// age is how long ago something was, in its largest unit.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return number(int(d/day), "day") + " ago"
	case d >= time.Hour:
		return number(int(d/time.Hour), "hour") + " ago"
	case d >= time.Minute:
		return number(int(d/time.Minute), "minute") + " ago"
	}
	return "just now"
}
