package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
	"github.com/hanzoai/kmsync/providers"
)

// rename is an owned key that its sync no longer wants, and the want of that sync
// for the same secret under another key.
type rename struct {
	from  *ledger.Entry
	to    *want.Want
	state verdict.RenameState
	// inPlace: the keys differ by case only, so the variable itself gets the new one.
	inPlace bool
	// until is when the overlap ends; zero while the new key is not confirmed.
	until time.Time
}

// renames are the renames of one destination.
type renames struct {
	of   map[string]*rename // by old key
	into map[string]*rename // by new key: the one whose place it takes
}

// secretOf is a secret that a sync wants: by its id, or by its name.
type secretOf struct {
	node     *graph.Node
	folder   graph.SourceRef
	id, name string
}

// gatherRenames finds what is renamed. Where several old keys lead to one new
// key, that takes the place of the one written last.
func (d *destination) gatherRenames() {
	d.renames = renames{of: map[string]*rename{}, into: map[string]*rename{}}
	var old []string
	for _, key := range slices.Sorted(maps.Keys(d.record.Entries)) {
		if len(d.Wants[key]) == 0 && d.owner(key) != nil && d.recordFacts(key, nil).SameUUID {
			old = append(old, key)
		}
	}
	if len(old) == 0 {
		return
	}
	d.indexWants()
	for _, key := range old {
		e := d.record.Entries[key]
		to := d.wanted[secretOf{d.owner(key), folderOf(e), e.Source.ID, ""}]
		if e.Source.ID == "" || to == nil {
			continue
		}
		_, there := d.live[to.Key]
		r := &rename{from: e, to: to, inPlace: !there && strings.EqualFold(key, to.Key)}
		r.state, r.until = d.renameState(r)
		d.renames.of[key] = r
	}
	for _, key := range slices.Sorted(maps.Keys(d.renames.of)) {
		r := d.renames.of[key]
		reason := verdict.Of(d.facts(key, nil)).Reason
		switch {
		case reason == verdict.Renamed, reason == verdict.Overlap && !r.inPlace:
			if other := d.renames.into[r.to.Key]; other == nil || r.inPlace || (!other.inPlace && r.from.LastWrite().After(other.from.LastWrite())) {
				d.renames.into[r.to.Key] = r
			}
		case r.inPlace && r.to.Block == verdict.NotBlocked:
			// The service holds one of the two only.
			r.to.Refuse(verdict.CaseClash, fmt.Sprintf("it differs by case only from %s, which stays (%s)", key, reason))
			r.state = verdict.RenameStopped
		}
	}
}

// madeFor reports whether the new key of a rename is made for it: in this run, or after
// the old key was written last.
func (d *destination) madeFor(r *rename) bool {
	_, there := d.live[r.to.Key]
	e := d.record.Entries[r.to.Key]
	return !there || (e != nil && thereSince(e).After(r.from.LastWrite()))
}

// mayRename reports whether a live variable may get the key of a want that differs by
// case only: its sync wrote the same secret to it.
func (d *destination) mayRename(w *want.Want, v providers.Variable) bool {
	e := d.record.Entries[v.Key]
	return e != nil && e.UUID == v.UUID && d.ownerOf(v.Key) == w.Node.Sync.Address && w.Node.Removed == nil &&
		e.Source.ID != "" && e.Source.ID == w.SecretID && folderOf(e) == w.Source
}

// indexWants finds wants by what they want. Of several keys for one secret the
// first counts.
func (d *destination) indexWants() {
	d.wanted = map[secretOf]*want.Want{}
	for _, key := range slices.Sorted(maps.Keys(d.Wants)) {
		for _, w := range d.Wants[key] {
			for _, s := range []secretOf{{w.Node, w.Source, w.SecretID, ""}, {w.Node, w.Source, "", w.SecretKey}} {
				if d.wanted[s] == nil {
					d.wanted[s] = w
				}
			}
		}
	}
}

// renameState says how far a rename is. Where only one of both keys can be there, none
// is kept for a while.
func (d *destination) renameState(r *rename) (verdict.RenameState, time.Time) {
	to, overlap := r.to, r.to.Node.Sync.Options.Overlap.Value
	f := d.facts(to.Key, to)
	switch decided := verdict.Of(f); {
	case decided.Action == verdict.Keep || decided.Action == verdict.Nothing:
		return verdict.RenameStopped, time.Time{}
	case overlap <= 0 || r.inPlace:
		return verdict.RenameReady, time.Time{}
	}
	var since time.Time
	if known := f.Record; known.SameUUID && known.SameSync && !known.InDoubt {
		since = thereSince(d.record.Entries[to.Key])
	}
	if since.IsZero() {
		return verdict.RenameOverlaps, time.Time{}
	}
	if old := r.from.LastWrite(); since.Before(old) { // by a clock that was wrong then
		since = old
	}
	if until := since.Add(overlap); until.After(d.now) {
		return verdict.RenameOverlaps, until
	}
	return verdict.RenameReady, time.Time{}
}

// thereSince returns when a variable was made, or taken over from whoever made it anew,
// as far as its entry remembers: new values since do not count. It is zero where no
// write is remembered.
func thereSince(e *ledger.Entry) time.Time {
	var since time.Time
	for _, w := range e.Writes {
		since = w.At
		if verdict.Action(w.Action).Creates() || verdict.Reason(w.Reason) == verdict.ReplacedOutside {
			break
		}
	}
	return since
}

// goneReason says why an active owner no longer wants a key. A rename has a row
// of its own.
func (d *destination) goneReason(owner *graph.Node, e *ledger.Entry) verdict.Reason {
	if d.graph.Destroying {
		return verdict.Destroyed
	}
	folder := folderOf(e)
	if to := d.wanted[secretOf{owner, folder, "", e.Source.Name}]; to != nil && e.Source.Name != "" {
		return verdict.SchemaChanged
	}
	if !d.obs.Reaches(owner, folder) || d.nameNow(e) != "" {
		return verdict.NotIncluded
	}
	return verdict.GoneFromSource
}

// nameNow returns the name that the secret of a record has in its folder now: of
// the same id, else of the same name. It is "" where there is none.
func (d *destination) nameNow(e *ledger.Entry) string {
	name := ""
	for _, s := range d.obs.Secrets(folderOf(e)) {
		switch {
		case s.ID != "" && s.ID == e.Source.ID:
			return s.Name
		case s.Name == e.Source.Name:
			name = s.Name
		}
	}
	return name
}

func folderOf(e *ledger.Entry) graph.SourceRef {
	return graph.SourceRef{KMS: e.Source.KMS, Environment: e.Source.Environment, Path: e.Source.Path}
}

// explainRename says where a rename leads and what caused it, for the old key; for
// the new key, that it happened in the KMS, if it did.
func (d *destination) explainRename(n *graph.Node, key string, why verdict.Reason) (string, hcl.Range) {
	r := d.renames.of[key]
	if r == nil {
		place, at := d.renames.into[key].cause()
		return strings.TrimSpace(place), at
	}
	place, at := r.cause()
	overlap := n.Sync.Options.Overlap
	switch {
	case why != verdict.Overlap:
		return "to " + r.to.Key + place, at
	case r.until.IsZero():
		return "until " + r.to.Key + " has been there for " + written(overlap.Value), overlap.Range
	}
	return "until " + r.until.UTC().Format("2006-01-02 15:04 UTC") + ", beside " + r.to.Key, overlap.Range
}

// cause returns the setting that most likely gave the secret its new key, and
// the folder as " in FOLDER" where the secret itself has another name now.
func (r *rename) cause() (place string, at hcl.Range) {
	source, schema := r.to.Through, r.to.Node.Sync.Options.KeySchema
	entry, named := source.Rename[r.to.SecretKey]
	switch {
	case r.from.Source.Name != r.to.SecretKey && !named:
		return " in " + r.to.Source.String(), source.Range
	case schema.IsSet() && !schema.Value.InRange(r.to.Source.Environment, r.from.Key):
		return "", schema.Range
	case named:
		return "", entry.Range
	}
	return "", source.Range
}

// written writes a duration as people do: 72h, 90m.
func written(d time.Duration) string {
	text := d.String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// leftOutBy returns the setting that leaves out the secret of a record: the
// exclude glob that matches it, else include, else the source block.
func (d *destination) leftOutBy(n *graph.Node, e *ledger.Entry) hcl.Range {
	at, name := n.Sync.Range, d.nameNow(e)
	for i, source := range n.Sync.Sources {
		if n.Folders[i] != folderOf(e) || source.Wants(name) {
			continue
		}
		for _, glob := range source.Exclude {
			if only := (config.Source{Exclude: []config.Located[string]{glob}}); !only.Wants(name) {
				return glob.Range
			}
		}
		if at = source.Range; len(source.Include) > 0 {
			at = source.Include[0].Range
		}
	}
	return at
}
