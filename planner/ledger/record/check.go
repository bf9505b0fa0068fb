package record

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/hanzoai/kmsync/planner/ledger"
)

// CheckDestination looks at what can be told of a destination without its seal.
func CheckDestination(d *ledger.Destination) error {
	root, environment, within := strings.Cut(d.ID, "/")
	switch {
	case !isUUID(root), within && !isUUID(environment), environment != d.EnvironmentUUID:
		return errors.New("a destination has an id that is none")
	case d.RepositoryUUID != "" && d.RepositoryUUID != root, d.RepositoryUUID == "" && within:
		return fmt.Errorf("destination %q has the UUID of another repository", d.ID)
	case d.Workspace == "" || !allPrintable(d.Workspace, d.Repository, d.Environment):
		return fmt.Errorf("destination %q has a name that is none", d.ID)
	}
	return nil
}

// CheckEntry looks at what can be told of an entry without its seal.
func CheckEntry(e *ledger.Entry) error {
	switch {
	case e.Key == "" || !allPrintable(e.Key):
		return errors.New("an entry has a key that is none")
	case e.UUID != "" && !isUUID(e.UUID):
		return fmt.Errorf("entry %q has a UUID that is none", e.Key)
	case e.Source.Version < 0:
		return fmt.Errorf("entry %q has a version that is none", e.Key)
	case !allPrintable(e.Owner.Config, e.Owner.Sync, e.KeyID, e.Source.KMS, e.Source.Environment, e.Source.Path, e.Source.Name, e.Source.ID):
		return fmt.Errorf("entry %q has a text that nobody wrote", e.Key)
	}
	return nil
}

// isUUID reports whether a text is written like the UUIDs of Bitbucket, in braces.
func isUUID(text string) bool {
	inner, begins := strings.CutPrefix(text, "{")
	inner, ends := strings.CutSuffix(inner, "}")
	return begins && ends && inner != "" && !strings.ContainsAny(inner, "{}/") && allPrintable(inner)
}

func allPrintable(texts ...string) bool {
	for _, text := range texts {
		for _, r := range text {
			if !unicode.IsPrint(r) {
				return false
			}
		}
	}
	return true
}
