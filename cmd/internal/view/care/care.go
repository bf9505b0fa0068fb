// Package care is what the commands print that care for the ledger: ledger verify,
// rekey and rm. Like package view it makes bytes of what it is given and decides
// nothing; every text of the ledger passes [sanitize.Text].
package care

import (
	"fmt"
	"io"
	"strings"

	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
	"github.com/hanzoai/kmsync/planner/forget"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
)

// none is said of a ledger that does not exist.
const none = "There is no ledger yet: kmsync has written nothing from here."

// rows writes a line, and below it pairs in two columns.
func rows(w io.Writer, head string, pairs ...[2]string) error {
	var b strings.Builder
	b.WriteString(sanitize.Text(head) + "\n")
	for _, pair := range pairs {
		fmt.Fprintf(&b, "  %-9s %s\n", pair[0], sanitize.Text(pair[1]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Verify writes a report for people.
func Verify(w io.Writer, r *ledger.Report) error {
	if r.ID == "" {
		return rows(w, none)
	}
	noted := fmt.Sprintf("%d; this machine has noted %d", r.Serial, r.Noted)
	if r.Noted == 0 {
		noted = fmt.Sprintf("%d; this machine has noted none", r.Serial)
	}
	lock := "free"
	if r.Running != nil {
		lock = (&ledger.LockedError{Holder: *r.Running}).Error()
	}
	return rows(
		w, "The ledger is sound: its schema, every seal, every count and every page were checked.",
		[2]string{"file", r.Path},
		[2]string{"ledger", r.ID + ", schema " + r.SchemaVersion},
		[2]string{"serial", noted},
		[2]string{"root key", r.KeyAt},
		[2]string{"holds", fmt.Sprintf("%s in %s", number(r.Keys, "key"), number(r.Destinations, "destination"))},
		[2]string{"of these", fmt.Sprintf("%d in doubt, %d released; %s", r.InDoubt, r.Released, number(r.Consents, "consent"))},
		[2]string{"lock", lock},
		[2]string{"copy", age(r)},
	)
}

func age(r *ledger.Report) string {
	switch {
	case r.Older:
		return "older than its note, as after restoring a backup: nothing in it is believed, and nothing is deleted"
	case r.Unaccepted:
		return "an older copy was in use and nobody has accepted it: nothing is deleted"
	}
	return "not older than its note"
}

// VerifyJSON writes a report for programs.
func VerifyJSON(w io.Writer, r *ledger.Report) error {
	document := reportDocument{
		FormatVersion: formatVersion, Path: r.Path, Exists: r.ID != "", ID: r.ID, SchemaVersion: r.SchemaVersion,
		Serial: r.Serial, Noted: r.Noted, KeyAt: r.KeyAt, Destinations: r.Destinations, Keys: r.Keys,
		InDoubt: r.InDoubt, Released: r.Released, Consents: r.Consents, Older: r.Older, Unaccepted: r.Unaccepted,
	}
	if r.Running != nil {
		document.Running = &r.Running.Run
	}
	return writeJSON(w, document)
}

// Accept writes what was accepted, for people; exists says whether there is a ledger.
func Accept(w io.Writer, done ledger.Accepted, exists bool) error {
	switch {
	case !exists:
		return rows(w, none)
	case done.Older:
		text := fmt.Sprintf("Accepted: %s of the older copy count again, each in doubt. What is wanted of them is written once more by the next apply, "+
			"and deletes are possible again.", number(done.Keys, "key"))
		if done.Consents > 0 {
			text += fmt.Sprintf(" %s to deletes by overwrite-destination went: those need --max-deletes once more.", number(done.Consents, "consent"))
		}
		return rows(w, text)
	case done.Marked:
		return rows(w, "Accepted: what the older copy claimed stays set aside, and deletes are possible again.")
	}
	return rows(w, "There is nothing to accept: this ledger is not older than its note.")
}

// AcceptJSON writes the same for programs.
func AcceptJSON(w io.Writer, done ledger.Accepted, exists bool) error {
	return writeJSON(w, acceptedDocument{
		FormatVersion: formatVersion, Exists: exists, Accepted: done.Older || done.Marked, Older: done.Older, SetAside: done.Marked,
		InDoubt: done.Keys, Consents: done.Consents,
	})
}

// Rekey writes what became of the ledger, for people.
func Rekey(w io.Writer, done ledger.Rekeyed) error {
	text := fmt.Sprintf("The ledger has another root key. Every seal was checked with the one before. %s: all that is known of them stays, "+
		"and each secured one that is wanted is written once more by the next apply.", number(done.Keys, "key"))
	if !done.Checked {
		text = fmt.Sprintf("The ledger has another root key. The one before was not found, so no seal could be checked: only the schema, the counts and the form of each row were. "+
			"Of %s %d are released: none of their variables is deleted until a sync wants it again, and each secured one that is wanted is written once more.",
			number(done.Keys, "key"), done.Released)
		if done.Consents > 0 {
			text += fmt.Sprintf(" %s to deletes by overwrite-destination went.", number(done.Consents, "consent"))
		}
	}
	if done.Older {
		text += " It is an older copy still: see kmsync ledger verify."
	}
	return rows(w, text, [2]string{"root key", done.KeyAt})
}

// RekeyJSON writes the same for programs.
func RekeyJSON(w io.Writer, done ledger.Rekeyed) error {
	return writeJSON(w, rekeyedDocument{
		FormatVersion: formatVersion, KeyAt: done.KeyAt, Checked: done.Checked, Keys: done.Keys, Released: done.Released,
		Consents: done.Consents, Older: done.Older,
	})
}

// Remove writes what was forgotten, for people.
func Remove(w io.Writer, all []forget.Place) error {
	var b strings.Builder
	keys := 0
	for _, f := range all {
		b.WriteString(sanitize.Text(refOf(f.Destination).String()) + "   " + sanitize.Text(f.Destination.ID) + "\n")
		for _, key := range f.Keys {
			b.WriteString("  " + sanitize.Text(key) + "   forgotten\n")
		}
		if f.Whole {
			b.WriteString("  the destination itself is forgotten: whatever has its name is accepted by the next write\n")
		}
		keys += len(f.Keys)
	}
	fmt.Fprintf(&b, "\nForgot %s in %s. No variable was changed: what a sync wants is written once more if secured, and none is deleted.\n",
		number(keys, "key"), number(len(all), "destination"))
	_, err := io.WriteString(w, b.String())
	return err
}

// RemoveJSON writes the same for programs.
func RemoveJSON(w io.Writer, all []forget.Place) error {
	document := removedDocument{FormatVersion: formatVersion, Removed: []forgottenDocument{}}
	for _, f := range all {
		document.Removed = append(document.Removed, forgottenDocument{
			ID: f.Destination.ID, Workspace: f.Destination.Workspace, Repository: f.Destination.Repository,
			Environment: f.Destination.Environment, Whole: f.Whole, Keys: append([]string{}, f.Keys...),
		})
	}
	return writeJSON(w, document)
}

func refOf(d *ledger.Destination) graph.DestinationRef {
	return graph.DestinationRef{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
