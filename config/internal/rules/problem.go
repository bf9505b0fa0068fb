// Package rules says what the values of the configuration may look like: slugs,
// paths, addresses, globs, key schemas. Each rule is a function from a value to a
// [Problem], or to nil when the value is right. Rules that need more than one
// value are in package config.
package rules

import "strings"

// Problem is a mistake in a value, not yet located. Detail says what to do last.
type Problem struct{ Summary, Detail string }

// NotSupported is the summary of everything that the language has and kmsync
// does not do yet.
const NotSupported = "Not supported yet"

const (
	summarySlug        = "Invalid slug"
	summaryDescription = "Description too long"
	summaryProject     = "Invalid project"
	summaryAddress     = "Invalid address"
	summaryInsecure    = "Address without encryption"
	summaryPrefix      = "Invalid credentials prefix"
	summaryPath        = "Invalid secret path"
	summaryDeployment  = "Invalid deployment environment"
	summaryBehavior    = "Invalid initial sync behavior"
	summaryImporting   = "Importing is not possible"
	summaryKeySchema   = "Invalid key schema"
	summaryGlob        = "Invalid glob"
	summaryDestination = "Invalid destination"
	summaryScope       = "Invalid scope"
	summaryMode        = "Invalid mode"
	summarySecretName  = "Invalid name for a secret"
	summaryDuration    = "Invalid duration"
	summaryMaxCount    = "Invalid number of deletes"
	summaryMaxPercent  = "Invalid percentage"
	summaryEncoding    = "Invalid encoding"
	summaryVersion     = "Invalid version constraint"
	summaryLedgerPath  = "Invalid ledger path"
)

// Sentence returns a text of somebody else as a sentence that another may follow.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "!") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return text
}
