// Package cli is the command line: it parses, wires the parts together, calls
// them and turns what they say into an exit code.
//
// [Main] is the whole program but for signals. Each command is a struct in a file
// of its own whose Run method returns an exit code or an error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/hanzoai/kmsync/cmd/internal/flags"
	"github.com/hanzoai/kmsync/cmd/internal/view"
)

// root is the grammar of the command line.
type root struct {
	Globals
	Validate validateCmd `cmd:"" help:"Check the configuration; needs no network and no credentials."`
	Fmt      fmtCmd      `cmd:"" help:"Bring the configuration files into canonical form."`
	Graph    graphCmd    `cmd:"" help:"Draw which folders feed which destinations."`
	Plan     planCmd     `cmd:"" help:"Show what apply would change, and why."`
	Apply    applyCmd    `cmd:"" help:"Plan, ask, and do exactly that."`
	Destroy  destroyCmd  `cmd:"" help:"Delete what the declared syncs own, after asking."`
	Ledger   ledgerCmd   `cmd:"" help:"Show what kmsync remembers of its own writes, and care for it."`
	Sandbox  sandboxCmd  `cmd:"" help:"Run a KMS and a Bitbucket on this machine, to try things out."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
	Help     helpCmd     `cmd:"" help:"Explain a topic: exit-codes, environment, credentials, addresses, formats."`
}

// Globals are the flags of every command.
type Globals struct {
	Chdir      string        `short:"C" placeholder:"DIR" help:"Work in DIR."`
	JSON       bool          `name:"json" help:"Print JSON."`
	Color      string        `enum:"auto,always,never" default:"auto" help:"Colour the output: auto, always or never."`
	LogLevel   string        `enum:"debug,info,warn,error" default:"warn" help:"Log to stderr from this level on: debug, info, warn or error."`
	LogFormat  string        `enum:"text,json" default:"text" help:"Log as text or json."`
	NoInput    bool          `help:"Never ask."`
	Timeout    time.Duration `placeholder:"D" help:"Start no request after this time, such as 10m."`
	UseSandbox bool          `name:"sandbox" help:"Talk to a sandbox in this process instead of the real services."`
}

// app is one call of the program, handed to the command's Run method.
type app struct {
	Globals
	env Env
	dir string // absolute, after --chdir
	log *slog.Logger
}

// exit unwinds the parser: kong goes on parsing after it has printed help.
type exit struct{ code int }

// Main runs one command and returns its exit code. When ctx ends, the command
// starts nothing new and stops cleanly; a [Signal] as the cause decides the code.
func Main(ctx context.Context, env Env) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = e.code
		}
		if len(env.Args) == 0 {
			code = exitUsage // asked for nothing: what there is was said
		}
	}()
	env.Stderr = &inTurn{to: env.Stderr} // logs and progress come from several goroutines
	var cli root
	parser, err := kong.New(&cli, kong.Name("kmsync"),
		kong.Description("Keeps Bitbucket Pipelines variables as your KMS has them: declared in files, planned, reviewed, applied."),
		kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(code int) { panic(exit{code}) }),
		kong.Resolvers(flags.FromEnvironment(env.Getenv)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.UsageOnError(),
	)
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	args := env.Args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(flags.SingleDash(parser, args))
	if err != nil {
		return reportUsage(env.Stderr, env.Args, err)
	}
	return run(ctx, env, cli.Globals, parsed)
}

// run prepares what every command needs and runs the chosen one.
func run(ctx context.Context, env Env, globals Globals, parsed *kong.Context) int {
	dir := globals.Chdir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(env.Dir, dir)
	}
	a := &app{Globals: globals, env: env, dir: dir, log: newLogger(env.Stderr, globals)}
	if globals.Timeout < 0 {
		return reportUsage(env.Stderr, env.Args, fmt.Errorf("--timeout must not be negative"))
	}
	if globals.Timeout > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, globals.Timeout, errTimeout)
		defer cancel()
		ctx = limited
	}
	command, ok := parsed.Selected().Target.Addr().Interface().(interface {
		Run(context.Context, *app) (int, error)
	})
	if !ok {
		return reportUsage(env.Stderr, env.Args, fmt.Errorf("expected a command"))
	}
	code, err := command.Run(ctx, a)
	if err != nil {
		view.Error(env.Stderr, explained(ctx, err))
		code = errorCode(err)
	}
	if signalled, ok := ended(ctx); ok {
		return signalled
	}
	return code
}

func newLogger(w io.Writer, globals Globals) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(globals.LogLevel)) // the parser let only levels through
	options := &slog.HandlerOptions{Level: level}
	if globals.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// reportUsage says what is wrong with the command line.
func reportUsage(w io.Writer, args []string, err error) int {
	text := err.Error()
	if later, ok := flags.NotSupportedYet(args, err); ok {
		text = later
	}
	view.Error(w, errors.New(strings.TrimSpace(text)))
	fmt.Fprintln(w, "Run kmsync --help for the commands and flags.")
	return exitUsage
}
