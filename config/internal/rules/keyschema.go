package rules

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// The placeholders of a key schema.
const (
	SecretKey       = "{{secretKey}}"
	EnvironmentSlug = "{{environment}}"
)

const keySchemaRules = "A key schema holds {{secretKey}} exactly once, may hold {{environment}}, and otherwise letters, digits, _, - and /, at most 255 characters (- and / make no name that Bitbucket takes)."

var fixedForm = regexp.MustCompile(`^[A-Za-z0-9_/-]*$`)

// KeySchema checks a template by itself, as the KMS does.
func KeySchema(s string) *Problem {
	// A letter takes the place of what is replaced, so that no new placeholder
	// comes together around it.
	fixed := strings.ReplaceAll(s, EnvironmentSlug, "x")
	count := strings.Count(fixed, SecretKey)
	fixed = strings.ReplaceAll(fixed, SecretKey, "x")
	switch {
	case utf8.RuneCountInString(s) > maxKeySchema:
		return &Problem{summaryKeySchema, keySchemaRules + " Shorten it."}
	case count == 0:
		return &Problem{summaryKeySchema, keySchemaRules + " Put {{secretKey}} where the secret's name goes, as in \"KMS_{{secretKey}}\"."}
	case count > 1:
		return &Problem{summaryKeySchema, keySchemaRules + " Remove all but one {{secretKey}}."}
	case strings.ContainsAny(fixed, "{}"):
		return &Problem{summaryKeySchema, keySchemaRules + " Other placeholders, and spaces inside the braces, are not allowed. Correct the braces."}
	case !fixedForm.MatchString(fixed):
		return &Problem{summaryKeySchema, keySchemaRules + " Remove the other characters."}
	}
	return nil
}
