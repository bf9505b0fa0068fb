package address

import (
	"slices"
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

// Excludes reports whether the whole sync is excluded.
func (s Selection) Excludes(sync Sync) bool {
	return slices.ContainsFunc(s.Exclude, func(p Pattern) bool { return !p.NamesKeys() && p.Matches(sync) })
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
