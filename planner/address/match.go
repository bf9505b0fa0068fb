package address

import (
	"strings"
	"unicode"
)

// Matches reports whether the pattern names the sync, or keys of it: for a key
// without a sync that is true of every sync.
func (p Pattern) Matches(s Sync) bool {
	switch p.form {
	case ofSync:
		return p.sync != "" && glob(p.sync, s.Address)
	case ofKey:
		return true
	case ofDestination:
		return p.destination.matches(s.Destination)
	}
	for _, source := range s.Sources {
		if glob(p.source.Environment, source.Environment) && glob(p.source.Path, source.Path) {
			return true
		}
	}
	return false
}

// matches compares names as Bitbucket does: the case of slugs does not matter,
// that of a deployment environment does.
func (d Destination) matches(other Destination) bool {
	return glob(strings.ToLower(d.Workspace), strings.ToLower(other.Workspace)) &&
		glob(strings.ToLower(d.Repository), strings.ToLower(other.Repository)) &&
		(d.Environment == "") == (other.Environment == "") && (d.Repository == "") == (other.Repository == "") &&
		glob(d.Environment, other.Environment)
}

// mayMatch reports whether the pattern may name the deployment environment of a
// destination that is spelled in another way than the pattern: as its UUID, its slug,
// or in another case. Which it is, only Bitbucket knows.
func (d Destination) mayMatch(other Destination) bool {
	if d.Environment == "" || other.Environment == "" {
		return false
	}
	spelled := d
	spelled.Environment = other.Environment
	isUUID := func(s string) bool { return strings.HasPrefix(s, "{") }
	return spelled.matches(other) &&
		(isUUID(d.Environment) != isUUID(other.Environment) || glob(PlainName(d.Environment), PlainName(other.Environment)))
}

// PlainName is the same for the name of an environment, in whatever case, and for
// the slug that Bitbucket makes of it. It may be the same for two environments.
func PlainName(environment string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '*' {
			return unicode.ToLower(r)
		}
		return -1
	}, environment)
}

// MatchesKey reports whether the pattern names this destination key of the sync.
func (p Pattern) MatchesKey(s Sync, key string) bool {
	return p.Matches(s) && (p.key == "" || glob(p.key, key))
}

// NamesKeys reports whether the pattern names single keys, and not whole syncs.
func (p Pattern) NamesKeys() bool { return p.key != "" }

// resolve gives a bare word that is the workspace of a declared workspace-scope
// destination that meaning: no other word names it.
func (p Pattern) resolve(syncs []Sync) Pattern {
	word := strings.TrimSuffix(p.text, " (workspace)")
	for _, s := range syncs {
		if p.form == ofKey && s.Destination.Repository == "" && s.Destination.Workspace == word {
			return Pattern{text: p.text, form: ofDestination, destination: Destination{Workspace: word}}
		}
	}
	return p
}

// glob compares text with a pattern in which * stands for any text, and every
// other character for itself. It takes time in proportion to both lengths.
func glob(pattern, text string) bool {
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
