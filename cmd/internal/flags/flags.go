// Package flags is what the command line knows about flags beyond the grammar: the
// variables that stand for them, their spelling with one dash, and those that a
// later version will have.
package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// consents are flags that allow something dangerous: they are typed each time and
// have no environment variable. So are flags with the tag "typed", which are consents
// of one command only.
var consents = []string{"fresh-ledger", "max-deletes", "allow-new-flow", "accept"}

// nameless are flags without a variable too: KMSYNC_VAR_FILE gives a value to a
// variable that is called FILE.
var nameless = []string{"help", "var", "var-file"}

// lists are flags that may be repeated; their variables hold several addresses.
var lists = []string{"target", "exclude"}

// FromEnvironment lets KMSYNC_LOG_LEVEL stand for --log-level, and so on.
func FromEnvironment(getenv func(string) string) kong.ResolverFunc {
	return func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if slices.Contains(nameless, flag.Name) || slices.Contains(consents, flag.Name) || flag.Tag.Has("typed") {
			return nil, nil
		}
		value := getenv(Variable(flag.Name))
		switch {
		case value == "":
			return nil, nil
		case slices.Contains(lists, flag.Name):
			return splitList(value), nil
		}
		return value, nil
	}
}

// splitList splits a variable at commas and line ends that stand outside of double
// quotes, as in sync.a,sync.service["b,c"]. A variable without any address gives one
// that is empty, which is refused: to ignore it would do more than was asked for.
func splitList(value string) []any {
	quoted := false
	parts := strings.FieldsFunc(value, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ',' || r == '\n')
	})
	var list []any
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	if len(list) == 0 {
		return []any{""}
	}
	return list
}

// Variable is the environment variable that stands for a flag.
func Variable(flag string) string {
	return "KMSYNC_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// LaterVariable returns a flag of a later version that a variable stands for, or
// "": to leave it out of account, as KMSYNC_VALUE_BLIND, would do more than was asked for.
func LaterVariable(getenv func(string) string) string {
	for _, flag := range laterFlags {
		if getenv(Variable(flag)) != "" && !slices.Contains(consents, flag) {
			return flag
		}
	}
	return ""
}

// SingleDash accepts the single-dash spelling of a known long flag, as Terraform's
// users type it: -json, -chdir=DIR.
func SingleDash(parser *kong.Kong, args []string) []string {
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
		"init", "show", "drift", "watch", "status", "suspend", "resume", "explain", "history",
		"doctor", "unlock", "test", "completion",
	}
	laterFlags = []string{
		"out", "comment", "base", "value-blind", "reviewed", "digest", "max-wait",
		"on-stale", "allow-new-flow", "sync",
	}
)

// NotSupportedYet says so when a command line failed on something that a later
// version will have.
func NotSupportedYet(args []string, err error) (string, bool) {
	words := wordsOf(args)
	if len(words) > 0 && slices.Contains(laterCommands, words[0]) {
		return fmt.Sprintf("the command %s is not supported yet", words[0]), true
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
