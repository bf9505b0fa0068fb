// Command kmsync keeps Bitbucket Pipelines variables as a KMS has their secrets.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
)

// version is set by the linker when a release is built.
var version = "dev"

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// A reader that goes away must not end a run between two writes: what is printed
	// fails then, and the run goes on.
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		cancel(cli.Signal{Received: <-signals})
		os.Exit(cli.Signal{Received: <-signals}.ExitCode())
	}()
	os.Exit(cli.Main(ctx, cli.ProcessEnv(version)))
}
