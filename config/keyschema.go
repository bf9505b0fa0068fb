package config

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/hanzoai/kmsync/config/internal/rules"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// KeySchema is a template for destination keys: {{secretKey}} stands for the
// secret's name and {{environment}} for the environment's slug. The zero
// KeySchema leaves names as they are and claims every key.
type KeySchema struct{ template string }

// String returns the template as written.
func (s KeySchema) String() string { return s.template }

const (
	secretKeyPlaceholder   = rules.SecretKey
	environmentPlaceholder = rules.EnvironmentSlug
	// reservedPrefix begins the names that Bitbucket keeps for itself.
	reservedPrefix = "BITBUCKET_"
)

var (
	keyPrefixForm = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)?$`)
	keySuffixForm = regexp.MustCompile(`^[A-Za-z0-9_]*$`)
)

// Render returns the destination key of a secret.
func (s KeySchema) Render(environment, secretKey string) string {
	if s.template == "" {
		return secretKey
	}
	prefix, suffix := s.affixes(environment)
	return prefix + secretKey + suffix
}

// InRange reports whether the schema can produce the key from a secret name of
// at least one character.
func (s KeySchema) InRange(environment, key string) bool {
	prefix, suffix := s.affixes(environment)
	return len(key) > len(prefix)+len(suffix) && strings.HasPrefix(key, prefix) && strings.HasSuffix(key, suffix)
}

// affixes returns what stands before and after the secret's name.
func (s KeySchema) affixes(environment string) (prefix, suffix string) {
	prefix, suffix, _ = strings.Cut(s.template, secretKeyPlaceholder)
	return strings.ReplaceAll(prefix, environmentPlaceholder, environment),
		strings.ReplaceAll(suffix, environmentPlaceholder, environment)
}

// checkRenderedKeys reports a schema whose fixed parts, with the environment of
// the sync, make no name that Bitbucket takes: every secret would
// be refused.
func (b *builder) checkRenderedKeys(s *Sync) {
	schema := s.Options.KeySchema
	if schema.Value.template == "" {
		return
	}
	for _, source := range s.Sources {
		if source.Environment.Value == "" && strings.Contains(schema.Value.template, environmentPlaceholder) {
			continue // reported where it is missing or wrong
		}
		prefix, suffix := schema.Value.affixes(source.Environment.Value)
		example := fmt.Sprintf("From environment %q (%s) this makes names like %q. ", source.Environment.Value, spec.Place(source.Range), prefix+"NAME"+suffix)
		switch {
		case strings.HasPrefix(prefix, reservedPrefix):
			b.report(spec.ErrorAt(schema.Range, summaryIllegalKeys, example+"Bitbucket keeps names that begin with BITBUCKET_ for itself. Begin with something else."))
		case !keyPrefixForm.MatchString(prefix) || !keySuffixForm.MatchString(suffix):
			b.report(spec.ErrorAt(schema.Range, summaryIllegalKeys, example+"A variable of Bitbucket is named by letters, digits and underscores alone, no digit first, so - and / cannot be used here. Change the fixed parts, or leave {{environment}} out."))
		}
	}
}

// matchGlob matches a key with a glob in which * and ? are special; a glob that
// does not parse matches nothing (Load reports it).
func matchGlob(glob, key string) bool {
	ok, err := path.Match(glob, key)
	return err == nil && ok
}

// isWild reports whether a glob may match several names.
func isWild(glob string) bool { return strings.ContainsAny(glob, "*?") }
