package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
)

// The exit codes, as documented in the README.
const (
	exitOK          = 0
	exitError       = 1
	exitDifferences = 2
	exitRefused     = 3
	exitPartly      = 4
	exitLocked      = 6
	exitUsage       = 80
	exitInterrupted = 130
	exitTerminated  = 143
)

// Signal is the cause of a context that a signal ended.
type Signal struct{ Received os.Signal }

// Error names the signal.
func (s Signal) Error() string { return "stopped by signal: " + s.Received.String() }

// ExitCode is 143 for a termination and 130 for an interrupt.
func (s Signal) ExitCode() int {
	if s.Received == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// errTimeout is the cause of a context that --timeout ended.
var errTimeout = errors.New("the time given by --timeout is over")

// ended returns the exit code of a run that a signal ended, and whether one did.
func ended(ctx context.Context) (int, bool) {
	if s, ok := errors.AsType[Signal](context.Cause(ctx)); ok {
		return s.ExitCode(), true
	}
	return 0, false
}

// explained puts first what ended ctx: an error that only says that a context
// ended names neither the flag nor the signal that ended it.
func explained(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return &endedError{cause, err}
}

// endedError is an error of a run that was ended before it was done.
type endedError struct{ cause, err error }

func (e *endedError) Error() string {
	text := e.err.Error()
	for _, jargon := range []error{context.DeadlineExceeded, context.Canceled} {
		text = strings.TrimSuffix(text, ": "+jargon.Error())
	}
	return e.cause.Error() + ": " + text
}

func (e *endedError) Unwrap() []error { return []error{e.cause, e.err} }

// errorCode maps an error of a whole command to its exit code.
func errorCode(err error) int {
	if _, ok := errors.AsType[*ledger.LockedError](err); ok {
		return exitLocked
	}
	if refusal, ok := errors.AsType[*refusal](err); ok && refusal != nil {
		return exitRefused
	}
	if usage, ok := errors.AsType[*usageError](err); ok && usage != nil {
		return exitUsage
	}
	return exitError
}

// refusal is an error of a safety rule that concerns the whole run.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// usageError is a mistake in how a command was called.
type usageError struct{ text string }

func (u *usageError) Error() string { return u.text }

// planCode computes the exit code of plan from the summary that is printed.
func planCode(s plan.Summary, detailed bool) int {
	switch {
	case s.SyncErrors > 0:
		return exitError
	case s.Blocked > 0:
		return exitRefused
	case detailed && s.Writes()+s.LedgerOnly() > 0:
		return exitDifferences
	}
	return exitOK
}

// applyCode computes the exit code of apply from the result that is printed. What
// changed in the ledger alone is nothing written.
func applyCode(r applier.Result) int {
	switch {
	case r.Left()+r.SyncErrors == 0:
		return exitOK
	case r.Wrote() > 0:
		return exitPartly
	case r.Failed+r.Stopped+r.Skipped+r.SyncErrors > 0:
		return exitError
	}
	return exitRefused
}
