package planner

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/observe"
)

// file puts the verdict on a key where it belongs: into the part of a sync as a
// change, into a count, or among the findings.
func (d *destination) file(n *observe.Node, key string, w *Want, f Facts) {
	verdict := guard(Decide(f))
	d.find(n, key, verdict)
	e := d.record.Entries[key]
	switch {
	case verdict.Action == Nothing:
		return
	case verdict.Action == Unmanaged:
		d.Unmanaged++
		return
	case verdict.Reason == LeftBehind:
		d.leftBehind[e.Owner.Sync]++
		return
	}
	p := d.parts[n]
	switch {
	case verdict.Action == Unchanged:
		p.unchanged++
		if at := e.LastWrite(); p.oldest.IsZero() || (!at.IsZero() && at.Before(p.oldest)) {
			p.oldest = at
		}
	case verdict.Reason == InactiveOwner || verdict.Reason == Foreign:
		p.kept++
	default:
		p.changes = append(p.changes, d.change(n, key, w, verdict, f))
	}
}

// guard holds back what must not happen. Deletes are not built yet: every one is
// planned, shown and held.
func guard(v Verdict) Verdict {
	if v.Action == Delete {
		v.BlockedBy = NotSupportedYet
	}
	return v
}

// change describes a verdict with what people and the applier need.
func (d *destination) change(n *observe.Node, key string, w *Want, v Verdict, f Facts) Change {
	c := Change{
		Key: key, Action: v.Action, Reason: v.Reason, BlockedBy: v.BlockedBy,
		Owned: f.Record.HasUUID && f.Record.SameUUID && !f.Record.Foreign,
		Range: n.Sync.Range, VariableUUID: d.live[key].UUID, Secured: f.Live == Secured,
	}
	if e := d.record.Entries[key]; e != nil {
		c.SecretKey, c.OldVersion = e.Source.Name, e.Source.Version
		c.Source = SourceRef{KMS: e.Source.KMS, Environment: e.Source.Environment, Path: e.Source.Path}
	}
	if w != nil {
		c.SecretKey, c.Source, c.Version, c.Detail, c.Secured = w.SecretKey, w.Source, w.Version, w.Detail, w.Secured
		c.SecretID = w.SecretID
	}
	c.Detail, c.Range = d.explain(n, key, v, c)
	return c
}

// explain completes a change with the names that its reason needs, and with the
// place of the setting that caused it.
func (d *destination) explain(n *observe.Node, key string, v Verdict, c Change) (string, hcl.Range) {
	switch {
	case v.Reason == Protected:
		by, at, _ := d.protection(key)
		return "by " + by.Sync.Address, at
	case v.BlockedBy == OwnedByInactive || v.BlockedBy == OwnedElsewhere:
		return d.record.Entries[key].Owner.Sync, c.Range
	case v.Reason == Adopted && d.record.Entries[key] != nil:
		return "from " + d.record.Entries[key].Owner.Sync, c.Range
	case v.Reason == DeletionDisabled:
		return c.Detail, n.Sync.Options.DisableSecretDeletion.Range
	case v.Reason == OverwriteDestination:
		return c.Detail, n.Sync.Options.OverwriteDestination.Range
	case v.Reason == SchemaChanged && n.Sync.Options.KeySchema.IsSet():
		return c.Detail, n.Sync.Options.KeySchema.Range
	case v.Reason == SyncNotRead:
		return "it may belong to " + n.Sync.Address, c.Range
	}
	return c.Detail, c.Range
}

// find files the finding that a verdict brings along.
func (d *destination) find(n *observe.Node, key string, v Verdict) {
	found := Finding{Kind: v.Finding, Severity: Warning, Address: n.Sync.Address, Key: key, Range: n.Sync.Range}
	ref := d.obs.Destinations[n.Destination].Ref
	switch v.Finding {
	case "":
		return
	case FindNotSecured:
		found.Severity = Security
		found.Detail = fmt.Sprintf("The variable in %s is not secured: everybody who can see the repository's settings can read it. "+
			"Apply secures it; consider changing the secret, since it was readable.", ref)
	case FindProtectedMissing:
		_, at, _ := d.protection(key)
		found.Range = at
		found.Detail = fmt.Sprintf("The key is wanted in %s and is not there, and a protect glob keeps kmsync from writing it. "+
			"Create it by hand, narrow the glob, or remove the secret.", ref)
	case FindUnconfirmed:
		found.Detail = fmt.Sprintf("An earlier run may have created the variable in %s and never got an answer, and no sync wants it now. "+
			"It is kept; delete it by hand if it is not needed.", ref)
	}
	d.findings = append(d.findings, found)
}

// home returns the sync under which an unwanted key is shown: the one that owns
// its record, else the one whose range or option decided, else the first.
func (d *destination) home(key string, f Facts) *observe.Node {
	if e := d.record.Entries[key]; e != nil {
		for _, n := range d.nodes {
			if n.Sync.Address == e.Owner.Sync {
				return n
			}
		}
	}
	if by, _, ok := d.protection(key); ok && d.parts[by] != nil {
		return by
	}
	for _, n := range d.nodes {
		unread := !isOneOf(d.active, n)
		if inRange(n, key) && ((f.UnreadRange && unread) || (!f.UnreadRange && n.Sync.Options.OverwriteDestination.Value)) {
			return n
		}
	}
	return d.nodes[0]
}

func isOneOf(nodes []*observe.Node, n *observe.Node) bool {
	for _, other := range nodes {
		if other == n {
			return true
		}
	}
	return false
}

// Moved compares a change that was planned with what is decided about the same
// key now, and says what moved, or returns "" when the change still holds. now is
// false when no change is decided any more.
func (c Change) Moved(later Change, now bool) string {
	var moved []string
	switch {
	case !now:
		return "it is as wanted already, or no longer wanted"
	case c.VariableUUID == "" && later.VariableUUID != "":
		moved = append(moved, "the variable exists now")
	case c.VariableUUID != "" && later.VariableUUID == "":
		moved = append(moved, "the variable is gone")
	case c.VariableUUID != later.VariableUUID:
		moved = append(moved, "the variable was made again")
	}
	if c.SecretID != later.SecretID || c.Version != later.Version || c.SecretKey != later.SecretKey || c.Source != later.Source {
		moved = append(moved, "the secret changed in "+later.Source.String())
	}
	if later.BlockedBy != c.BlockedBy {
		moved = append(moved, "it is refused now")
	}
	if len(moved) == 0 && (c.Action != later.Action || c.Reason != later.Reason || c.Secured != later.Secured) {
		moved = append(moved, "the variable was changed")
	}
	return strings.Join(moved, "; ")
}
