package view

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/view/group"
	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// Plan writes the plan as people read it: the syncs in the order of the plan,
// what was left behind, the findings, the counts, and the next thing to do. now
// is what the age of the oldest write is counted from. Equal input gives equal
// bytes. The error is that of w.
func Plan(w io.Writer, p *plan.Plan, style Style, now time.Time) error {
	out := &page{style: style}
	syncs := p.Syncs
	if !style.Full {
		var groups []*group.Group
		groups, syncs = group.Of(p.Syncs, likeness)
		out.groups(groups, p.Syncs)
	}
	out.syncs(syncs)
	out.leftBehind(p.LeftBehind)
	out.findings(p.Findings)
	out.closing(p, now)
	return out.flush(w)
}

// syncs lists every sync that has something to say, a blank line around those
// that need more than one line.
func (p *page) syncs(all []plan.Sync) {
	listed := slices.DeleteFunc(slices.Clone(all), func(s plan.Sync) bool {
		return s.Status == plan.StatusPlanned && len(s.Changes) == 0
	})
	column := widest(listed, func(s plan.Sync) string { return s.Address })
	long := false
	for i, s := range listed {
		wasLong := long
		long = len(s.Changes) > 0 || s.Failure != nil
		if i > 0 && (long || wasLong) {
			p.line(plain, "")
		}
		p.sync(s, column)
	}
	if len(listed) > 0 {
		p.line(plain, "")
	}
}

func (p *page) sync(s plan.Sync, column int) {
	p.put(bold, pad(sanitize.Text(s.Address), column))
	p.put(plain, gap)
	switch {
	case s.Failure != nil:
		p.line(red, strings.TrimSpace("error: "+s.Failure.Summary+" "+phrase.At(s.Failure.Range)))
		p.put(plain, strings.Repeat(" ", margin))
		p.hang(plain, margin, s.Failure.Detail)
	case s.Status != plan.StatusPlanned:
		p.line(dim, string(s.Status))
	default:
		p.hang(plain, column+len(gap), route(s))
	}
	if len(s.Changes) > 0 {
		p.changes(s.Changes)
		p.rest(s)
	}
}

const (
	gap    = "   "
	margin = 4 // columns before a key, its symbol included
)

// route says where the secrets go: dev:/payments → acme/payments (Staging).
func route(s plan.Sync) string {
	var from []string
	for _, source := range s.Sources {
		from = append(from, source.String())
	}
	switch {
	case len(from) > 0:
	case s.Destroy:
		return "destroy, in " + s.Destination.String()
	default: // a removed block
		return "removed, from " + s.Destination.String()
	}
	return strings.Join(from, ", ") + " → " + s.Destination.String()
}

// changes lists changes by their place in a sync, then by key.
func (p *page) changes(changes []plan.Change) {
	// The old key of a rename stands with the new one.
	changes = slices.DeleteFunc(slices.Clone(changes), plan.Change.IsToldOf)
	sorted := slices.SortedStableFunc(slices.Values(changes), func(a, b plan.Change) int {
		return cmp.Or(cmp.Compare(markOf(a).place, markOf(b).place), strings.Compare(a.Key, b.Key))
	})
	column := widest(sorted, keyLabel)
	for _, c := range sorted {
		mark := markOf(c)
		label := pad(sanitize.Text(keyLabel(c)), column)
		p.put(plain, "  ")
		p.put(mark.paint, mark.sign+" "+label)
		p.put(plain, gap)
		p.hang(plain, margin+columns(label)+len(gap), phrase.Why(c))
	}
}

// mark is how a change looks: its place inside the sync, its sign and colour.
type mark struct {
	place int
	sign  string
	paint colour
}

func markOf(c plan.Change) mark {
	if c.BlockedBy != verdict.NotBlocked && !phrase.Held(c) {
		return mark{6, "!", red}
	}
	switch c.Action {
	case verdict.Delete:
		return mark{1, "-", red}
	case verdict.Rename:
		return mark{2, ">", yellow}
	case verdict.Update:
		return mark{3, "~", yellow}
	case verdict.Create:
		return mark{4, "+", green}
	case verdict.Adopt, verdict.Forget, verdict.Release:
		return mark{5, "*", plain}
	}
	return mark{7, "=", dim}
}

func keyLabel(c plan.Change) string {
	if c.Action == verdict.Rename && c.RenamedFrom != "" {
		return c.RenamedFrom + " → " + c.Key
	}
	return c.Key
}

// rest counts what a sync does not list.
func (p *page) rest(s plan.Sync) {
	counts := joined(" · ",
		part{s.Unchanged, "unchanged"},
		part{s.Kept, "kept for another owner"},
		part{s.Unmanaged, "not managed by kmsync"})
	if counts != "" {
		p.put(plain, strings.Repeat(" ", margin))
		p.line(dim, counts)
	}
}

func (p *page) leftBehind(remnants []plan.Remnant) {
	for _, r := range remnants {
		p.line(plain, "left behind: "+number(r.Keys, "key")+" in "+r.Destination.String()+" by "+r.Sync)
	}
	if len(remnants) > 0 {
		p.line(plain, "")
	}
}

// findings writes one paragraph each.
func (p *page) findings(findings []plan.Finding) {
	for _, f := range findings {
		paint := yellow
		if f.Severity == plan.Security {
			paint = red
		}
		text := f.Detail
		if place := strings.TrimSpace(subject(f.Address, f.Key) + " " + phrase.At(f.Range)); place != "" {
			text = place + ": " + text
		}
		p.paragraph(paint, string(f.Severity)+":", text)
		p.line(plain, "")
	}
}

// subject names a key of a sync as addresses do: sync.x/KEY.
func subject(address, key string) string {
	if address != "" && key != "" {
		return address + "/" + key
	}
	return address + key
}
