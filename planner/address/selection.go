package address

import (
	"slices"
	"strings"
)

// Selection is what --target and --exclude choose of a configuration. The zero
// Selection chooses everything.
type Selection struct{ Target, Exclude []Pattern }

// IsZero reports whether everything is chosen.
func (s Selection) IsZero() bool { return len(s.Target)+len(s.Exclude) == 0 }

// ParseSelection reads the addresses of both flags. The error names the flag and
// says what to write.
func ParseSelection(target, exclude []string) (Selection, error) {
	targets, err := parseAll("--target", target)
	if err != nil {
		return Selection{}, err
	}
	excludes, err := parseAll("--exclude", exclude)
	return Selection{targets, excludes}, err
}

// Excludes reports whether the whole sync is excluded. An environment that may be the
// one that is named, in another spelling, is excluded too: what is left out by mistake
// is shown, and what is written by mistake is not taken back.
func (s Selection) Excludes(sync Sync) bool {
	return slices.ContainsFunc(s.Exclude, func(p Pattern) bool {
		return !p.NamesKeys() && (p.Matches(sync) || p.form == ofDestination && p.destination.mayMatch(sync.Destination))
	})
}

// Names reports whether a target is the very address of the sync, or of a key of it.
func (s Selection) Names(sync string) bool {
	return slices.ContainsFunc(s.Target, func(p Pattern) bool { return p.form == ofSync && p.sync == sync })
}

// ByUUID returns what a selection excludes by the UUID of an environment.
func (s Selection) ByUUID() Selection {
	var named []Pattern
	for _, p := range s.Exclude {
		if strings.HasPrefix(p.destination.Environment, "{") {
			named = append(named, p)
		}
	}
	return Selection{Exclude: named}
}

// Targets reports whether the sync, or keys of it, may be written: it is not
// excluded, and either a target names it or there is no target.
func (s Selection) Targets(sync Sync) bool {
	targeted := len(s.Target) == 0 || slices.ContainsFunc(s.Target, func(p Pattern) bool { return p.Matches(sync) })
	return targeted && !s.Excludes(sync)
}

// Writes reports whether a key of the sync may be written, deleted or changed in
// the ledger. What is excluded may not, even where it is targeted.
func (s Selection) Writes(sync Sync, key string) bool {
	names := func(p Pattern) bool { return p.MatchesKey(sync, key) }
	return (len(s.Target) == 0 || slices.ContainsFunc(s.Target, names)) && !slices.ContainsFunc(s.Exclude, names)
}
