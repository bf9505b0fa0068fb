package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// consents are flags that allow something dangerous: they are typed each time and
// have no environment variable.
var consents = []string{"fresh-ledger", "max-deletes", "allow-new-flow"}

// environmentFlags lets KMSYNC_LOG_LEVEL stand for --log-level, and so on.
func environmentFlags(getenv func(string) string) kong.ResolverFunc {
	return func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if flag.Name == "help" || slices.Contains(consents, flag.Name) {
			return nil, nil
		}
		if value := getenv(variableOf(flag.Name)); value != "" {
			return value, nil
		}
		return nil, nil
	}
}

// variableOf is the environment variable that stands for a flag.
func variableOf(flag string) string {
	return "KMSYNC_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// laterVariable refuses a variable that stands for a flag of a later version: to
// leave it out of account, as KMSYNC_TARGET, would do more than was asked for.
func laterVariable(getenv func(string) string) error {
	for _, flag := range laterFlags {
		if name := variableOf(flag); getenv(name) != "" && !slices.Contains(consents, flag) {
			return &usageError{fmt.Sprintf("the flag --%s is not supported yet: unset %s", flag, name)}
		}
	}
	return nil
}

// longFlags accepts the single-dash spelling of a known long flag, as Terraform's
// users type it: -json, -chdir=DIR.
func longFlags(parser *kong.Kong, args []string) []string {
	known := map[string]bool{}
	_ = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && len(name) > 1 && known[name] {
			out[i] = "-" + arg
		}
	}
	return out
}

// laterCommands and laterFlags are in the design and not in this version.
var (
	laterCommands = []string{
		"init", "fmt", "show", "destroy", "drift", "watch", "status", "suspend", "resume", "explain", "history",
		"graph", "doctor", "unlock", "test", "completion",
	}
	laterFlags = []string{
		"out", "destroy", "max-deletes", "full", "comment", "base", "value-blind", "reviewed", "digest", "max-wait",
		"on-stale", "allow-new-flow", "sync", "var", "var-file", "target", "exclude",
	}
	laterLedger = []string{"verify", "rekey", "rm"}
)

// notSupportedYet says so when a command line failed on something that a later
// version will have.
func notSupportedYet(args []string, err error) (string, bool) {
	words := wordsOf(args)
	if len(words) > 0 && slices.Contains(laterCommands, words[0]) {
		return fmt.Sprintf("the command %s is not supported yet", words[0]), true
	}
	if len(words) > 1 && words[0] == "ledger" && slices.Contains(laterLedger, words[1]) {
		return fmt.Sprintf("the command ledger %s is not supported yet", words[1]), true
	}
	for _, flag := range laterFlags {
		if strings.Contains(err.Error(), "unknown flag") && mentions(args, flag) {
			return fmt.Sprintf("the flag --%s is not supported yet", flag), true
		}
	}
	if len(words) > 1 && words[0] == "apply" && strings.Contains(err.Error(), "unexpected argument") {
		return "applying a saved plan is not supported yet: run kmsync apply without a file", true
	}
	return "", false
}

// wordsOf returns the arguments that are neither a flag nor the value of one of
// the flags that may stand before a command.
func wordsOf(args []string) []string {
	before := []string{"-C", "--chdir", "-chdir", "--color", "-color", "--log-level", "-log-level", "--log-format", "-log-format", "--timeout", "-timeout"}
	var words []string
	for i, arg := range args {
		if !strings.HasPrefix(arg, "-") && (i == 0 || !slices.Contains(before, args[i-1])) {
			words = append(words, arg)
		}
	}
	return words
}

// mentions reports whether the flag is among the arguments, with one dash or two.
func mentions(args []string, flag string) bool {
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if name == "--"+flag || name == "-"+flag {
			return true
		}
	}
	return false
}
