package address

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

func parseAll(flag string, texts []string) ([]Pattern, error) {
	var patterns []Pattern
	for _, text := range texts {
		p, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// Resolve compares the selection with the syncs of a configuration. moved holds
// the addresses that syncs had before, with those they have now. It returns the
// selection to use, or an error where an address names nothing that is declared,
// or where nothing is left to write: an address with a slip in it must do neither
// more nor less than was meant.
func (s Selection) Resolve(syncs []Sync, moved map[string]string) (Selection, error) {
	resolved := Selection{}
	for _, list := range []struct {
		flag     string
		from, to *[]Pattern
	}{{"--target", &s.Target, &resolved.Target}, {"--exclude", &s.Exclude, &resolved.Exclude}} {
		for _, p := range *list.from {
			p = p.resolve(syncs)
			if problem := p.problem(syncs, moved); problem != "" {
				return Selection{}, fmt.Errorf("%s %s %s", list.flag, Quote(p.text), problem)
			}
			*list.to = append(*list.to, p)
		}
	}
	for _, p := range resolved.Target {
		if !slices.ContainsFunc(syncs, func(sync Sync) bool { return p.Matches(sync) && !resolved.Excludes(sync) }) {
			return Selection{}, fmt.Errorf("--target %s names only what --exclude takes out; drop one of the two", Quote(p.text))
		}
	}
	return resolved, nil
}

// possibleKey is what a bare word must look like to be the name of a variable.
var possibleKey = regexp.MustCompile(`^[A-Za-z0-9_*]+$`)

// problem says why the pattern names nothing that is declared, or "".
func (p Pattern) problem(syncs []Sync, moved map[string]string) string {
	if p.form == ofKey && !possibleKey.MatchString(p.text) {
		return "is neither the name of a variable nor another address" + didYouMean("sync."+p.text, addressesOf(syncs)) + " See kmsync help addresses"
	}
	if slices.ContainsFunc(syncs, p.Matches) {
		return ""
	}
	switch p.form {
	case ofSync:
		if now := moved[p.sync]; now != "" {
			return "names no sync any more: it is " + Quote(now) + " now; write that"
		}
		return "names no sync of this configuration" + didYouMean(p.sync, addressesOf(syncs)) + " kmsync graph lists all"
	case ofDestination:
		return "names no destination of this configuration" + didYouMean(p.destination.String(), destinationsOf(syncs)) + " kmsync graph lists all"
	case ofSource:
		return "names no source of this configuration" + didYouMean(p.source.String(), sourcesOf(syncs)) + " kmsync graph lists all"
	}
	return "names nothing, since this configuration has no sync; declare one, or leave the flag out"
}

// Keys collects the keys that syncs turned out to have.
type Keys map[string][]Key // by address of the sync

// Key is a destination key and the name of its secret, "" where it has none.
type Key struct{ Name, Secret string }

// Unmatched returns an error for the first address that names single keys and
// none of those that the syncs turned out to have, or nil.
func (s Selection) Unmatched(syncs []Sync, keys Keys) error {
	for _, p := range s.Target {
		if !p.hasKey(syncs, keys) {
			return fmt.Errorf("--target %s %s", Quote(p.text), p.noKey(syncs, keys))
		}
	}
	for _, p := range s.Exclude {
		if !p.hasKey(syncs, keys) {
			return fmt.Errorf("--exclude %s %s", Quote(p.text), p.noKey(syncs, keys))
		}
	}
	return nil
}

func (p Pattern) hasKey(syncs []Sync, keys Keys) bool {
	if !p.NamesKeys() {
		return true
	}
	for _, sync := range syncs {
		for _, k := range keys[sync.Address] {
			if p.MatchesKey(sync, k.Name) {
				return true
			}
		}
	}
	return false
}

// noKey names the key that was probably meant. A name of the KMS is a likely slip:
// keys are called as Bitbucket has them.
func (p Pattern) noKey(syncs []Sync, keys Keys) string {
	var names []string
	for _, sync := range syncs {
		if !p.Matches(sync) {
			continue
		}
		for _, k := range keys[sync.Address] {
			if k.Secret == p.key && k.Name != p.key {
				return fmt.Sprintf("names no key of the syncs that were read. Did you mean %s? Keys are named as Bitbucket has them. Nothing was written", k.Name)
			}
			names = append(names, k.Name)
		}
	}
	suggestion := didYouMean(p.key, names)
	if p.form == ofKey && suggestion == "." {
		suggestion = didYouMean("sync."+p.text, addressesOf(syncs))
	}
	return "names no key of the syncs that were read" + suggestion + " Nothing was written"
}

func addressesOf(syncs []Sync) []string {
	return collect(syncs, func(s Sync) []string { return []string{s.Address} })
}

func destinationsOf(syncs []Sync) []string {
	return collect(syncs, func(s Sync) []string { return []string{s.Destination.String()} })
}

func sourcesOf(syncs []Sync) []string {
	return collect(syncs, func(s Sync) (out []string) {
		for _, source := range s.Sources {
			out = append(out, source.String())
		}
		return out
	})
}

// collect returns names sorted, each once.
func collect(syncs []Sync, namesOf func(Sync) []string) []string {
	var names []string
	for _, s := range syncs {
		names = append(names, namesOf(s)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// maxSuggestion bounds the work: what is longer, in bytes, is no slip of the hand.
const maxSuggestion = 128

// didYouMean returns ". Did you mean …?" for the name most like the given one, the
// first of several, or a full stop when none is near. Case and the quotes that a shell
// takes away count little.
func didYouMean(given string, names []string) string {
	best := Nearest(given, names)
	if best == "" {
		return "."
	}
	return ". Did you mean " + Quote(best) + "?"
}

// Nearest returns the name most like the given one, the first of several, or ""
// when none is near. Case counts little.
func Nearest(given string, names []string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, `"`, "")) }
	best, distance := "", len(given)/3+2
	for _, name := range names {
		if len(name) > maxSuggestion || len(given) > maxSuggestion {
			continue
		}
		if d := levenshtein.Distance(plain(given), plain(name), nil); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// word is what a shell takes as it stands.
var word = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// Quote returns an address as a shell takes it, in single quotes where it needs them.
func Quote(text string) string {
	if word.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Flags returns the selection as flags, each after a blank, for a command line
// that is to do the same; "" for the zero Selection.
func (s Selection) Flags() string {
	var b strings.Builder
	for _, p := range s.Target {
		b.WriteString(" --target " + Quote(p.text))
	}
	for _, p := range s.Exclude {
		b.WriteString(" --exclude " + Quote(p.text))
	}
	return b.String()
}
