// Package address is how people name syncs, keys, destinations and sources on the
// command line. It is pure: a pattern is parsed from text and compared with names.
// The forms are documented in docs/addresses.md.
package address

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Sync is what a pattern is compared with: one sync, with its places as the
// configuration writes them.
type Sync struct {
	Address     string // sync.x, sync.service["billing"]
	Sources     []Source
	Destination Destination
}

// Source is a folder of a KMS.
type Source struct{ Environment, Path string }

// Destination is where variables are. Repository is "" for the workspace's own
// variables, Environment for those of no deployment environment.
type Destination struct{ Workspace, Repository, Environment string }

// String returns the destination as an address: acme/billing/Production.
func (d Destination) String() string {
	s := d.Workspace
	for _, part := range []string{d.Repository, d.Environment} {
		if part != "" {
			s += "/" + part
		}
	}
	return s
}

// String returns the source as an address: prod:/services/billing.
func (s Source) String() string { return s.Environment + ":" + s.Path }

// form says what kind of thing a pattern names.
type form int

const (
	ofSync        form = iota // sync.x, sync.x/KEY
	ofKey                     // KEY
	ofDestination             // acme/billing/Production
	ofSource                  // prod:/services/billing
)

// Pattern is one address, in which * stands for any text, also for none. The zero
// Pattern matches nothing; [Parse] makes the others.
type Pattern struct {
	text        string
	form        form
	sync, key   string // globs; key is "" where every key is meant
	source      Source
	destination Destination
}

// String returns the address as it was given.
func (p Pattern) String() string { return p.text }

// Parse reads an address. Text that begins with sync. names a sync or one of its
// keys; text with :/ behind its first part a source; other text with a slash a
// destination; a bare word a key. The error says what is wrong and what to write.
func Parse(text string) (Pattern, error) {
	p := Pattern{text: text}
	environment, path, isSource := strings.Cut(text, ":/")
	switch {
	case text == "":
		return Pattern{}, errors.New("an address is empty; write one as in sync.payments-dev, or leave the flag out")
	case strings.TrimSpace(text) != text:
		return Pattern{}, fmt.Errorf("the address %q begins or ends with a blank; write it without", text)
	case strings.HasPrefix(text, "sync."):
		return p.parseSync()
	case isSource && !strings.Contains(environment, "/"):
		p.form, p.source = ofSource, Source{environment, "/" + strings.TrimRight(path, "/")}
		if environment == "" {
			return Pattern{}, fmt.Errorf("the address %q lacks the environment; write it as in prod:/services/billing", text)
		}
		return p, nil
	case strings.Contains(text, "/"):
		return p.parseDestination()
	}
	p.form, p.key = ofKey, text
	return p, nil
}

func (p Pattern) parseSync() (Pattern, error) {
	end, closed := endOfSync(p.text)
	if !closed {
		return Pattern{}, fmt.Errorf("the address %q has a bracket or a quote that is not closed; write it as in sync.service[\"billing\"], in single quotes for a shell", p.text)
	}
	rest := p.text[end:]
	p.form, p.sync, p.key = ofSync, p.text[:end], strings.TrimPrefix(rest, "/")
	switch {
	case p.sync == "sync.":
		return Pattern{}, fmt.Errorf("the address %q lacks the name of the sync; write it as in sync.payments-dev, or sync.* for all", p.text)
	case rest != "" && (rest[0] != '/' || p.key == "" || strings.Contains(p.key, "/")):
		return Pattern{}, fmt.Errorf("the address %q has no key after the sync; write it as in sync.payments-dev/KMS_DB_URL", p.text)
	}
	return p, nil
}

// endOfSync returns where the sync of an address ends: before the first slash that
// stands outside of brackets. Quotes count in brackets only.
func endOfSync(text string) (end int, closed bool) {
	bracket, quoted, escaped := false, false, false
	for i, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case bracket && c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case c == '/' && !bracket:
			return i, true
		}
	}
	return len(text), !bracket && !quoted
}

// printed is a destination as plans print it, acme/billing (Production) or acme
// (workspace).
var printed = regexp.MustCompile(`^([^/]+)/([^/]+) \((.+)\)$`)

func (p Pattern) parseDestination() (Pattern, error) {
	p.form = ofDestination
	if m := printed.FindStringSubmatch(p.text); m != nil {
		p.destination = Destination{m[1], m[2], m[3]}
		return p, nil
	}
	parts := strings.SplitN(p.text, "/", 3)
	p.destination = Destination{Workspace: parts[0], Repository: parts[1]}
	if len(parts) == 3 {
		p.destination.Environment = parts[2]
	}
	if parts[0] == "" || parts[1] == "" || parts[len(parts)-1] == "" {
		return Pattern{}, fmt.Errorf("the address %q has an empty part; a destination is written as in acme/billing or acme/billing/Production, a source as in prod:/services", p.text)
	}
	return p, nil
}
