package planner

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/planner/want"
)

// file puts the verdict on a key where it belongs: into the part of a sync as a
// change, into a count, or among the findings.
func (d *destination) file(n *graph.Node, key string, w *want.Want, f verdict.Facts) {
	decided := verdict.Of(f)
	d.find(n, key, decided)
	e := d.record.Entries[key]
	switch {
	case decided.Action == verdict.Nothing:
		return
	case decided.Action == verdict.Unmanaged:
		d.Unmanaged++
		return
	case decided.Reason == verdict.LeftBehind:
		d.leftBehind[d.ownerOf(key)]++
		return
	}
	p := d.parts[n]
	p.note(key, w)
	switch {
	case decided.Action == verdict.Unchanged:
		p.unchanged++
		if at := e.LastWrite(); p.oldest.IsZero() || (!at.IsZero() && at.Before(p.oldest)) {
			p.oldest = at
		}
	case decided.Reason == verdict.InactiveOwner || decided.Reason == verdict.Foreign:
		p.kept++
	default:
		p.changes = append(p.changes, d.change(n, key, w, decided, f))
	}
}

// change describes a verdict with what people and the applier need.
func (d *destination) change(n *graph.Node, key string, w *want.Want, v verdict.Verdict, f verdict.Facts) plan.Change {
	c := plan.Change{
		Key: key, Action: v.Action, Reason: v.Reason, BlockedBy: v.BlockedBy,
		Owned: f.Record.HasUUID && f.Record.SameUUID && !f.Record.Foreign,
		Range: n.Sync.Range, VariableUUID: d.live[key].UUID, Secured: f.Live == verdict.Secured,
	}
	if e := d.record.Entries[key]; e != nil {
		c.SecretKey, c.OldVersion = e.Source.Name, e.Source.Version
		c.Source = graph.SourceRef{KMS: e.Source.KMS, Environment: e.Source.Environment, Path: e.Source.Path}
	}
	if w != nil {
		c.SecretKey, c.Source, c.Version, c.Detail = w.SecretKey, w.Source, w.Version, w.Detail
		if v.Action.Writes() || f.Live == verdict.Absent {
			c.Secured = w.Secured
		}
		c.SecretID, c.MadeOf = w.SecretID, w.MadeOf()
		if w.Block != verdict.NotBlocked && w.Range.Filename != "" {
			c.Range = w.Range
		}
	}
	if before := d.replaced(key, w); before != "" && v.Action == verdict.Update {
		c.Replaces, c.OldVersion, c.Detail = before, 0, "it was "+before+" before"
	}
	c.Detail, c.Range = d.explain(n, key, v, c)
	if v.Action == verdict.Rename {
		r := d.renames.into[key]
		if c.RenamedFrom = r.from.Key; r.inPlace {
			c.VariableUUID, c.Owned = r.from.UUID, true
		}
	}
	if r := d.renames.of[key]; r != nil {
		c.RenamedTo, c.TakenOver = r.to.Key, v.Reason == verdict.Renamed && d.renames.into[r.to.Key] == r && d.madeFor(r)
	}
	return c
}

// replaced names the secret that was last written to a key, where another one is
// wanted there now: of another name or folder. One that was made again under its name
// is the same to people.
func (d *destination) replaced(key string, w *want.Want) string {
	e := d.record.Entries[key]
	if e == nil || w == nil || e.Source.Name == "" || (e.Source.Name == w.SecretKey && folderOf(e) == w.Source) {
		return ""
	}
	if folder := folderOf(e); folder.KMS != w.Source.KMS {
		return e.Source.Name + " of " + folder.String() + " (kms." + folder.KMS + ")"
	}
	return e.Source.Name + " of " + folderOf(e).String()
}

// explain completes a change with the names that its reason needs, and with the
// place of the setting that caused it.
func (d *destination) explain(n *graph.Node, key string, v verdict.Verdict, c plan.Change) (string, hcl.Range) {
	switch {
	case v.Reason == verdict.Renamed, v.Reason == verdict.RenameWaits, v.Reason == verdict.Overlap:
		return d.explainRename(n, key, v.Reason)
	case v.Reason == verdict.NotIncluded:
		return d.arrival(key, n), d.leftOutBy(n, d.record.Entries[key])
	case v.Reason == verdict.GoneFromSource:
		return d.arrival(key, n), c.Range
	case v.Reason == verdict.Protected:
		by, at, _ := d.protection(key)
		return "by " + by.Sync.Address, at
	case v.BlockedBy == verdict.OwnedByInactive:
		return d.ownerOf(key), c.Range
	case v.BlockedBy == verdict.OwnedElsewhere:
		return d.foreignOwner(key), c.Range
	case v.Reason == verdict.Adopted && d.record.Entries[key] != nil:
		return d.adoption(key, n), c.Range
	case v.Reason == verdict.DeletionDisabled:
		return c.Detail, n.Sync.Options.DisableSecretDeletion.Range
	case v.Reason == verdict.NotReadable:
		glob, _ := n.Sync.Options.IsUnsecured(key)
		return c.Detail, glob.Range
	case v.Reason == verdict.MaxAge:
		return c.Detail, n.Sync.Options.MaxAge.Range
	case v.Reason == verdict.OverwriteDestination:
		return c.Detail, n.Sync.Options.OverwriteDestination.Range
	case v.Reason == verdict.SchemaChanged && n.Sync.Options.KeySchema.IsSet():
		return d.arrival(key, n), n.Sync.Options.KeySchema.Range
	case v.Reason == verdict.SyncNotRead:
		if by := d.excludedIn(key); by != nil {
			why := ", which is excluded"
			if by.Choice == graph.Untouched {
				why = ", which is not targeted"
			}
			return "it may belong to " + by.Sync.Address + why, by.Sync.Range
		}
		if by := d.unreadIn(key); by != nil {
			n = by
		}
		return "it may belong to " + n.Sync.Address, n.Sync.Range
	}
	return c.Detail, c.Range
}

// find files the finding that a verdict brings along.
func (d *destination) find(n *graph.Node, key string, v verdict.Verdict) {
	found := plan.Finding{Kind: v.Finding, Severity: plan.Warning, Address: n.Sync.Address, Key: key, Range: n.Sync.Range}
	ref := d.obs.Destinations[n.Destination].Ref
	switch v.Finding {
	case "":
		return
	case verdict.FindNotSecured:
		found.Severity = plan.Security
		found.Detail = fmt.Sprintf("The variable in %s is not secured: everybody who can see the %s's settings can read it. "+
			"Apply secures it; consider changing the secret, since it was readable.", ref, ref.RootKind())
	case verdict.FindStaysSecured:
		glob, _ := n.Sync.Options.IsUnsecured(key)
		found.Range = glob.Range
		found.Detail = fmt.Sprintf("The variable in %s was written to become readable, and Bitbucket keeps it secured. "+
			"It has the wanted value, and is left as it is until that, or the variable, changes. "+
			"Delete the variable by hand, so that it is created readable, or take it out of unsecured.", ref)
	case verdict.FindProtectedMissing:
		_, at, _ := d.protection(key)
		found.Range = at
		found.Detail = fmt.Sprintf("The key is wanted in %s and is not there, and a protect glob keeps kmsync from writing it. "+
			"Create it by hand, narrow the glob, or remove the secret.", ref)
	case verdict.FindUnconfirmed:
		found.Detail = fmt.Sprintf("An earlier run may have created the variable in %s and never got an answer, and no sync wants it now. "+
			"It is kept; delete it by hand if it is not needed.", ref)
	}
	d.findings = append(d.findings, found)
}

// home returns the sync under which an unwanted key is shown: the one that owns
// its record, else the one whose range or option decided, else the first.
func (d *destination) home(key string, f verdict.Facts) *graph.Node {
	if n := d.ownerNode(key); n != nil {
		return n
	}
	if by, _, ok := d.protection(key); ok && d.parts[by] != nil {
		return by
	}
	for _, n := range d.nodes {
		unread := !slices.Contains(d.active, n)
		if inRange(n, key) && ((f.UnreadRange && unread) || (!f.UnreadRange && n.Sync.Options.OverwriteDestination.Value)) {
			return n
		}
	}
	return d.first()
}
