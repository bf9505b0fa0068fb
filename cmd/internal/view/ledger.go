package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// Ledger writes what kmsync remembers as people read it: the destinations by
// name, under each its keys with owner, source and last write. Fingerprints and
// the ids of their keys are never shown. The error is that of w.
func Ledger(w io.Writer, s *ledger.State, style Style) error {
	out := &page{style: style}
	if s.Serial == 0 && len(s.Destinations) == 0 {
		out.line(plain, "There is no ledger yet: kmsync has written nothing from here.")
		return out.flush(w)
	}
	if s.Rolled {
		out.paragraph(red, "warning:", "This ledger is older than this machine remembers, as after restoring a backup. Nothing in it is believed.")
		out.line(plain, "")
	}
	if s.Unaccepted && !s.Rolled {
		out.paragraph(red, "warning:", "An older copy of this ledger was in use and nobody has accepted it, so nothing is deleted: see kmsync ledger verify.")
		out.line(plain, "")
	}
	if s.Running != nil {
		out.paragraph(yellow, "note:", running(*s.Running)+" What is in progress below is what it is writing now, or what an earlier run never got an answer to.")
		out.line(plain, "")
	}
	keys := 0
	for _, d := range sorted(s) {
		keys += len(d.Entries)
		out.destination(d, s.Running != nil)
		out.line(plain, "")
	}
	out.line(bold, fmt.Sprintf("%s in %s; serial %d, ledger %s.",
		number(keys, "key"), number(len(s.Destinations), "destination"), s.Serial, s.ID))
	return out.flush(w)
}

// sorted returns the destinations by name, those of one name by id.
func sorted(s *ledger.State) []*ledger.Destination {
	return slices.SortedFunc(maps.Values(s.Destinations), func(a, b *ledger.Destination) int {
		return strings.Compare(nameOf(a)+"\x00"+a.ID, nameOf(b)+"\x00"+b.ID)
	})
}

func nameOf(d *ledger.Destination) string {
	return graph.DestinationRef{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}.String()
}

func entriesOf(d *ledger.Destination) []*ledger.Entry {
	return slices.SortedFunc(maps.Values(d.Entries), func(a, b *ledger.Entry) int {
		return strings.Compare(a.Key, b.Key)
	})
}

// widestKey is how far a column of keys goes; a longer key makes its own row longer.
const widestKey = 60

func (p *page) destination(d *ledger.Destination, busy bool) {
	p.put(bold, nameOf(d))
	p.line(dim, gap+d.ID)
	if c := d.Consent; c != nil {
		p.hang(plain, 2, "  deletes by overwrite-destination: consent of "+c.By+" at "+instant(c.At))
	}
	entries := entriesOf(d)
	column := min(widest(entries, func(e *ledger.Entry) string { return e.Key }), widestKey)
	for _, e := range entries {
		label := pad(sanitize.Text(e.Key), column)
		p.put(plain, "  "+label+gap)
		p.hang(plain, 2+columns(label)+len(gap), strings.Join(facts(e, busy), " · "))
	}
}

// running says who is at work on the ledger.
func running(h ledger.Holder) string {
	text := h.Run + " is at work"
	if h.Doing != "" {
		text += " (" + h.Doing + ")"
	}
	if !h.Since.IsZero() {
		text += " since " + instant(h.Since)
	}
	return text + "."
}

// facts lists what is known of an entry. busy: another run is writing.
func facts(e *ledger.Entry, busy bool) []string {
	all := []string{owner(e.Owner)}
	switch {
	case e.UUID == "": // only intended so far
	case e.Secured:
		all = append(all, "secured")
	default:
		all = append(all, "readable")
	}
	all = append(all, source(e.Source))
	if len(e.Writes) > 0 {
		last := e.Writes[0]
		all = append(all, fmt.Sprintf("%s %s (%s)", phrase.Done(verdict.Action(last.Action)), instant(last.At), last.Reason))
	}
	switch {
	case e.InDoubt && busy:
		all = append(all, "in progress")
	case e.InDoubt:
		all = append(all, "in doubt: a write was not confirmed")
	}
	if e.Released {
		all = append(all, "released: not kmsync's to delete")
	}
	return all
}

func owner(o ledger.Owner) string {
	if o.Config == "" {
		return o.Sync
	}
	return o.Sync + " of " + o.Config
}

func source(s ledger.Source) string {
	folder := graph.SourceRef{Environment: s.Environment, Path: s.Path}.String()
	return strings.TrimSpace(s.Name + " in " + folder + " " + phrase.Version(s.Version))
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
