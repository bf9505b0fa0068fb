package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/plan"
)

// Where several codes hold for an apply, the first of 4, 1, 3 is returned. What
// changed in the ledger alone is nothing written.
func TestApplyCode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		result applier.Result
		want   int
	}{
		"nothing to do":                   {applier.Result{}, exitOK},
		"created":                         {applier.Result{Created: 1}, exitOK},
		"updated":                         {applier.Result{Updated: 1}, exitOK},
		"only the ledger":                 {applier.Result{Adopted: 1, Forgotten: 1}, exitOK},
		"created, held":                   {applier.Result{Created: 1, Held: 1}, exitPartly},
		"updated, held":                   {applier.Result{Updated: 1, Held: 1}, exitPartly},
		"created, failed":                 {applier.Result{Created: 1, Failed: 1}, exitPartly},
		"created, stopped":                {applier.Result{Created: 1, Stopped: 1}, exitPartly},
		"created, skipped":                {applier.Result{Created: 1, Skipped: 1, Interrupted: true}, exitPartly},
		"created, sync error":             {applier.Result{Created: 1, SyncErrors: 1}, exitPartly},
		"taken, but not as it should":     {applier.Result{Failed: 1, Taken: 1}, exitPartly},
		"taken, held":                     {applier.Result{Failed: 1, Taken: 1, Held: 1}, exitPartly},
		"failed":                          {applier.Result{Failed: 1}, exitError},
		"stopped":                         {applier.Result{Stopped: 1}, exitError},
		"skipped":                         {applier.Result{Skipped: 1, Interrupted: true}, exitError},
		"sync error":                      {applier.Result{SyncErrors: 1}, exitError},
		"failed, held":                    {applier.Result{Failed: 1, Held: 1}, exitError},
		"stopped, held":                   {applier.Result{Stopped: 1, Held: 1}, exitError},
		"skipped, held":                   {applier.Result{Skipped: 1, Held: 1}, exitError},
		"sync error, held":                {applier.Result{SyncErrors: 1, Held: 1}, exitError},
		"forgotten, failed":               {applier.Result{Forgotten: 1, Failed: 1}, exitError},
		"adopted, sync error":             {applier.Result{Adopted: 1, SyncErrors: 1}, exitError},
		"held":                            {applier.Result{Held: 1}, exitRefused},
		"forgotten, held":                 {applier.Result{Forgotten: 1, Held: 1}, exitRefused},
		"adopted, held":                   {applier.Result{Adopted: 1, Held: 1}, exitRefused},
		"adopted, forgotten, failed held": {applier.Result{Adopted: 1, Forgotten: 1, Failed: 1, Held: 1}, exitError},
	} {
		if got := applyCode(test.result); got != test.want {
			t.Errorf("%s: exit code %d, want %d", name, got, test.want)
		}
	}
}

// For a plan it is the first of 1, 3, 2, and 2 only when it was asked for.
func TestPlanCode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		summary         plan.Summary
		plain, detailed int
	}{
		"nothing":             {plan.Summary{Unchanged: 4, Kept: 1, Unmanaged: 2, LeftBehind: 3}, exitOK, exitOK},
		"create":              {plan.Summary{Create: 1}, exitOK, exitDifferences},
		"update":              {plan.Summary{Update: 1}, exitOK, exitDifferences},
		"adopt":               {plan.Summary{Adopt: 1}, exitOK, exitDifferences},
		"forget":              {plan.Summary{Forget: 1}, exitOK, exitDifferences},
		"blocked":             {plan.Summary{Blocked: 1}, exitRefused, exitRefused},
		"blocked, create":     {plan.Summary{Blocked: 1, Create: 1}, exitRefused, exitRefused},
		"sync error":          {plan.Summary{SyncErrors: 1}, exitError, exitError},
		"sync error, create":  {plan.Summary{SyncErrors: 1, Create: 1}, exitError, exitError},
		"sync error, blocked": {plan.Summary{SyncErrors: 1, Blocked: 1}, exitError, exitError},
	} {
		if got := planCode(test.summary, false); got != test.plain {
			t.Errorf("%s: exit code %d, want %d", name, got, test.plain)
		}
		if got := planCode(test.summary, true); got != test.detailed {
			t.Errorf("%s: detailed exit code %d, want %d", name, got, test.detailed)
		}
	}
}

// An error of a whole command has its code however it was wrapped.
func TestErrorCode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"any":            {errors.New("any"), exitError},
		"no terminal":    {errNoTerminal, exitError},
		"not approved":   {errNotApproved, exitError},
		"time-out":       {errTimeout, exitError},
		"locked":         {&ledger.LockedError{}, exitLocked},
		"refused":        {&refusal{"no"}, exitRefused},
		"usage":          {&usageError{"no"}, exitUsage},
		"locked, closed": {errors.Join(&refusal{"no"}, &ledger.LockedError{}), exitLocked},
	} {
		if got := errorCode(fmt.Errorf("wrapped: %w", test.err)); got != test.want {
			t.Errorf("%s: exit code %d, want %d", name, got, test.want)
		}
	}
}

// A signal decides the code of whatever it ended; a time-out does not.
func TestEnded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cause error
		want  int
	}{
		"interrupted": {Signal{syscall.SIGINT}, exitInterrupted},
		"terminated":  {Signal{syscall.SIGTERM}, exitTerminated},
		"time-out":    {errTimeout, 0},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		if _, signalled := ended(ctx); signalled {
			t.Errorf("%s: ended before it was", name)
		}
		cancel(test.cause)
		if code, signalled := ended(ctx); code != test.want || signalled != (test.want != 0) {
			t.Errorf("%s: exit code %d, signalled %t, want code %d", name, code, signalled, test.want)
		}
	}
}

// An error that only says that a context ended is told with what ended it, and
// keeps its exit code.
func TestExplained(t *testing.T) {
	t.Parallel()
	locked := fmt.Errorf("open the ledger: %w", &ledger.LockedError{})
	ctx, cancel := context.WithCancelCause(t.Context())
	if got := explained(ctx, locked); got != locked {
		t.Errorf("a run that goes on: %v", got)
	}
	cancel(errTimeout)
	read := fmt.Errorf("read the ledger: %w", context.DeadlineExceeded)
	if got, want := explained(ctx, read).Error(), errTimeout.Error()+": read the ledger"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := fmt.Errorf("stopped: %w", errTimeout); explained(ctx, got) != got {
		t.Error("the cause is named twice")
	}
	got := explained(ctx, locked)
	if errorCode(got) != exitLocked || !errors.Is(got, errTimeout) || !strings.Contains(got.Error(), "open the ledger: ") {
		t.Errorf("%v, exit code %d: want both causes, and the code of a lock", got, errorCode(got))
	}
}
