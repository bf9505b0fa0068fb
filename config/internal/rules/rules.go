package rules

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/go-version"
)

// What names may look like. The KMS's rules are those its API enforces; Bitbucket's
// slugs are the path parts of its URLs.
var (
	slugForm       = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	projectForm    = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)
	uuidForm       = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	repositoryForm = regexp.MustCompile(`^[a-z0-9._-]+$`)
	prefixForm     = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	secretForm     = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	pathForm       = regexp.MustCompile(`^(/|(/[A-Za-z0-9_-]+)+/?)$`)
)

const (
	maxSlug        = 64  // environment and project slugs
	maxName        = 256 // name of a secret sync, POST /api/v1/secret-syncs/bitbucket
	maxDescription = 256
	maxKeySchema   = 255
	maxSecretName  = 255
	maxDuration    = 10 * 365 * 24 * time.Hour
	maxMaxCount    = 1_000_000
)

const slugRule = "lower-case letters and digits, with single hyphens between"

// Slugify makes a slug of a label: lower case, and one hyphen for every run of
// other characters. It is empty when the label holds no letter a-z and no digit.
func Slugify(label string) string {
	words := strings.FieldsFunc(strings.ToLower(label), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "-")
}

// Name checks the name of a sync: a slug.
func Name(s string) *Problem {
	if len(s) <= maxName && slugForm.MatchString(s) {
		return nil
	}
	return &Problem{summarySlug, fmt.Sprintf("A name is made of %s, at most %d characters.%s", slugRule, maxName, orWrite(Slugify(s), maxName))}
}

// Environment checks the slug of a KMS environment.
func Environment(s string) *Problem {
	if len(s) <= maxSlug && slugForm.MatchString(s) {
		return nil
	}
	return &Problem{summarySlug, fmt.Sprintf("An environment is named by its slug: %s, at most %d characters. The KMS shows it in the project's settings.%s", slugRule, maxSlug, orWrite(Slugify(s), maxSlug))}
}

// orWrite proposes a slug, if one could be made.
func orWrite(slug string, most int) string {
	if slug == "" || len(slug) > most {
		return " Write such a slug."
	}
	return fmt.Sprintf(" Write %q, if that is the one.", slug)
}

// Project checks what names a KMS project: its id or its slug.
func Project(s string) *Problem {
	if uuidForm.MatchString(s) || len(s) <= maxSlug && projectForm.MatchString(s) {
		return nil
	}
	return &Problem{summaryProject, "A project is named by its id (a UUID) or its slug (lower-case letters and digits, with single hyphens or underscores between, at most 64 characters). Copy either from the project's settings in the KMS."}
}

// Description checks the length of a description, in characters.
func Description(s string) *Problem {
	if n := utf8.RuneCountInString(s); n > maxDescription {
		return &Problem{summaryDescription, fmt.Sprintf("A description has at most %d characters, this one has %d. Shorten it.", maxDescription, n)}
	}
	return nil
}

// Prefix checks the prefix of the variables that hold credentials.
func Prefix(s string) *Problem {
	if prefixForm.MatchString(s) {
		return nil
	}
	return &Problem{summaryPrefix, "The prefix is the beginning of the names of environment variables: capital letters, digits and underscores, a letter first, as in \"KMS_TEAM\". Choose such a prefix."}
}

// RepositorySlug checks the slug of a workspace or repository. Bitbucket answers to
// any case, but one repository must have one spelling. A dot alone is refused because
// slugs become parts of URL paths.
func RepositorySlug(s string) *Problem {
	slug := strings.ToLower(s)
	switch {
	case !repositoryForm.MatchString(slug) || strings.Trim(s, ".") == "":
		return &Problem{summarySlug, "A workspace or repository is named by its slug: lower-case letters, digits, dots, hyphens and underscores. Copy it from the address of the repository: bitbucket.org/WORKSPACE/REPOSITORY."}
	case slug != s:
		return &Problem{summarySlug, fmt.Sprintf("The slug of a workspace or repository is in lower case. Write %q.", slug)}
	}
	return nil
}

// Repository checks the slug of a repository, alone or after that of its workspace.
func Repository(s string) *Problem {
	workspace, repository, both := strings.Cut(s, "/")
	if !both {
		return RepositorySlug(s)
	}
	if p := RepositorySlug(workspace); p != nil {
		return p
	}
	return RepositorySlug(repository)
}

// DestinationName checks what names a destination for people: WORKSPACE,
// WORKSPACE/REPOSITORY or WORKSPACE/REPOSITORY/ENVIRONMENT.
func DestinationName(s string) *Problem {
	parts := strings.SplitN(s, "/", 3)
	for i, part := range parts {
		if i < 2 && RepositorySlug(part) != nil || i == 2 && Deployment(part) != nil {
			return &Problem{summaryDestination, "A destination is named as in \"acme/billing\", \"acme/billing/Production\", or \"acme\" for the workspace's own variables. Write such a name."}
		}
	}
	return nil
}

// Mode allows the one way of moving secrets that there is so far.
func Mode(s string) *Problem {
	switch s {
	case "direct":
		return nil
	case "native":
		return &Problem{NotSupported, "Syncs that the KMS itself runs are not supported yet. Write \"direct\", or remove the argument."}
	}
	return &Problem{summaryMode, "The mode is \"direct\": kmsync moves the secrets itself. Write that, or remove the argument."}
}

// Scope allows the two kinds of variables a destination may be.
func Scope(s string) *Problem {
	if s == "repository" || s == "workspace" {
		return nil
	}
	return &Problem{summaryScope, "The scope is \"repository\" or \"workspace\". Write one of them."}
}

// SecretName checks a name that a secret is renamed to.
func SecretName(s string) *Problem {
	if len(s) <= maxSecretName && secretForm.MatchString(s) {
		return nil
	}
	return &Problem{summarySecretName, "The new name becomes part of a variable's name, which is made of letters, digits and underscores. Write such a name."}
}

// Duration checks a span of time that is not negative.
func Duration(s string) *Problem {
	d, err := time.ParseDuration(s)
	if err == nil && d > 0 && d <= maxDuration {
		return nil
	}
	return &Problem{summaryDuration, "A duration is a number with a unit: s, m or h, as in \"90m\" or \"72h\", at most \"87600h\" (ten years). Write such a duration."}
}

// MaxCount checks how many deletes a run may have.
func MaxCount(s string) *Problem {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n <= maxMaxCount {
		return nil
	}
	return &Problem{summaryMaxCount, fmt.Sprintf("max_count is how many variables one run may delete: a whole number from 0 to %d. Write such a number.", maxMaxCount)}
}

// MaxPercent checks how much of what is owned in a destination a run may delete.
func MaxPercent(s string) *Problem {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n <= 100 {
		return nil
	}
	return &Problem{summaryMaxPercent, "max_percent is how much of what is owned in a destination one run may delete: a whole number from 0 to 100, without a percent sign. Write such a number."}
}

// Encoding allows the one encoding of values that there is.
func Encoding(s string) *Problem {
	if s == "base64" {
		return nil
	}
	return &Problem{summaryEncoding, "The only encoding is \"base64\". Write that, or remove the entry to send values as they are."}
}

// VersionConstraint checks a constraint as Terraform writes them.
func VersionConstraint(s string) *Problem {
	if _, err := version.NewConstraint(s); err == nil && strings.TrimSpace(s) != "" {
		return nil
	}
	return &Problem{summaryVersion, "A constraint is made of versions with =, !=, >, >=, <, <= or ~> before them, with commas between, as in \">= 1.2, < 2.0\". Write such a constraint."}
}

// LedgerPath checks the folder of a ledger: one below the directory of the
// configuration, so that a file cannot make kmsync write elsewhere.
func LedgerPath(s string) *Problem {
	cleaned := path.Clean(s)
	if s != "" && cleaned != "." && filepath.IsLocal(cleaned) && !strings.ContainsAny(s, "\\\x00") && !strings.HasPrefix(cleaned, ".git/") && cleaned != ".git" {
		return nil
	}
	return &Problem{summaryLedgerPath, "The ledger is kept in a folder below the directory of the configuration, but not in .git. Write a relative path with slashes, as in \".kmsync\"."}
}

// Deployment checks what names a deployment environment: any name but an empty
// one, or a UUID in braces. What begins with a brace is never looked for among the
// names, since a name can be chosen to look like a UUID.
func Deployment(s string) *Problem {
	if inner, braced := strings.CutPrefix(s, "{"); braced {
		if inner, closed := strings.CutSuffix(inner, "}"); closed && uuidForm.MatchString(inner) {
			return nil
		}
		return &Problem{summaryDeployment, "What begins with a brace is the {uuid} of a deployment environment, and this is none. Copy it from the answer of Bitbucket's API, GET /2.0/repositories/{workspace}/{repo_slug}/environments, or write the exact name of one whose name begins otherwise."}
	}
	if strings.TrimSpace(s) != "" {
		return nil
	}
	return &Problem{summaryDeployment, "The name of the deployment environment is empty. Write its exact name or its {uuid}, or remove the argument to use the repository's own variables."}
}

// Path allows what the KMS allows in folder names.
func Path(s string) *Problem {
	if pathForm.MatchString(s) {
		return nil
	}
	remedy := "Correct the path."
	if fixed := path.Clean("/" + s); pathForm.MatchString(fixed) {
		remedy = fmt.Sprintf("Write %q, if that is the one.", fixed)
	}
	return &Problem{summaryPath, "A secret path is absolute: names of letters, digits, hyphens and underscores, each after one slash. " + remedy}
}

// Behavior allows the one behavior that Bitbucket's sync has: the KMS
// answers any import with the sentence quoted here.
func Behavior(s string) *Problem {
	switch {
	case s == "overwrite-destination":
		return nil
	case strings.HasPrefix(s, "import-"):
		return &Problem{summaryImporting, "\"Bitbucket does not support importing secrets.\" Write \"overwrite-destination\" to delete what the KMS does not have, or remove the argument to keep it."}
	}
	return &Problem{summaryBehavior, "The only behavior is \"overwrite-destination\": variables that the KMS does not have are deleted. Write that, or remove the argument to keep them."}
}

// Glob allows letters of names and the two wildcards. Brackets and
// backslashes mean something else elsewhere, and no key holds them.
func Glob(s string) *Problem {
	switch {
	case s == "":
		return &Problem{summaryGlob, "An empty glob matches nothing. Write a name, in which * stands for any characters and ? for one."}
	case strings.ContainsAny(s, `[]\`):
		return &Problem{summaryGlob, "In a glob only * and ? are special; brackets and backslashes are not allowed. Write one glob for each name instead."}
	}
	return nil
}
