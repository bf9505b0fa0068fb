package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/cmd/internal/view"
	"github.com/hanzoai/kmsync/planner/codec"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/observe"
)

// applyCmd plans, asks, and does exactly that.
type applyCmd struct {
	RunFlags
	AutoApprove bool `help:"Do not ask."`
}

// destroyCmd deletes what the declared syncs own, after it has asked.
type destroyCmd struct {
	RunFlags
	AutoApprove bool `typed:"" help:"Do not ask. It must be typed: no variable stands for it."`
}

// Run is that of apply, for a plan that wants nothing.
func (c *destroyCmd) Run(ctx context.Context, a *app) (int, error) {
	c.destroy = true
	return (&applyCmd{c.RunFlags, c.AutoApprove}).Run(ctx, a)
}

// Run holds the ledger's lock from before the plan to after the last write.
func (c *applyCmd) Run(ctx context.Context, a *app) (code int, err error) {
	events := a.events()
	s, err := a.open(ctx, c.RunFlags, events.wait)
	if err != nil {
		return reported(err)
	}
	defer func() { err = errors.Join(err, s.place.Close()) }()
	known, err := s.place.Store.Load(ctx)
	if err != nil {
		return 0, planError(err)
	}
	if err := s.checkLedger(known); err != nil {
		return 0, err
	}
	locked, state, err := s.place.Store.Lock(ctx, a.holder(c.name()), c.LockTimeout)
	if err != nil {
		return 0, lockError(err)
	}
	defer func() { err = errors.Join(err, locked.Close()) }()
	if err := s.decide(ctx, state); err != nil {
		return 0, err
	}
	return c.apply(ctx, s, locked, events)
}

func (c *applyCmd) name() string {
	if c.destroy {
		return "destroy"
	}
	return "apply"
}

func (c *applyCmd) question() string {
	if c.destroy {
		return "Destroy all of that?"
	}
	return "Apply these changes?"
}

// apply shows the plan, asks, and executes it.
func (c *applyCmd) apply(ctx context.Context, s *session, locked ledger.Session, events *eventSink) (int, error) {
	if err := c.show(s, events); err != nil {
		return 0, err
	}
	if summary := s.plan.Summary(); !s.plan.CanApply() {
		if s.JSON {
			events.emit(applier.Finished{Result: applier.Result{Held: summary.Blocked, SyncErrors: summary.SyncErrors}})
		}
		return planCode(summary, false), events.err()
	}
	if s.plan.Summary().Writes() > 0 && !c.AutoApprove {
		if err := s.ask(ctx, c.question()); err != nil {
			return 0, err
		}
	}
	result := applier.Apply(ctx, s.plan, applier.Deps{
		Writers: s.services.Writers, Graph: s.graph, State: s.state, Session: locked,
		Refresher: observe.NewRefresher(s.observer, s.graph, s.state, s.observed),
		Limits:    s.observer.Limits, Destinations: c.Parallelism, Now: s.env.Now, Run: s.env.user(),
	}, events.emit)
	printed := events.err()
	if !s.JSON && printed == nil {
		style := s.style(s.env.StdoutTTY)
		style.Destroying = c.destroy
		printed = view.Result(s.env.Stdout, result, style)
	}
	if cause := context.Cause(ctx); result.Interrupted && cause != nil {
		view.Error(s.env.Stderr, cause)
	}
	code := applyCode(result)
	if printed != nil { // what was done was done, whoever reads of it
		view.Error(s.env.Stderr, fmt.Errorf("print what was done: %w", printed))
		code = max(code, exitError)
	}
	return code, nil
}

// show prints the plan: as text, or as the first event.
func (c *applyCmd) show(s *session, events *eventSink) error {
	if !s.JSON {
		style := s.style(s.env.StdoutTTY)
		style.Applying = true
		return s.print(style)
	}
	document, err := codec.Encode(s.plan, codec.Meta{KmsyncVersion: s.env.Version, CreatedAt: s.env.Now()})
	if err != nil {
		return err
	}
	if err := events.lines.Plan(document); err != nil {
		return err
	}
	return view.Problems(s.env.Stderr, s.plan)
}

// lockError says, of a ledger that another run holds, what waits for it.
func lockError(err error) error {
	if _, locked := errors.AsType[*ledger.LockedError](err); locked {
		return fmt.Errorf("open the ledger: %w; to wait until it is free, add --lock-timeout 5m", err)
	}
	return fmt.Errorf("open the ledger: %w", err)
}

// holder says who takes the lock.
func (a *app) holder(doing string) ledger.Holder {
	return ledger.Holder{Run: a.env.user(), PID: processID(), Since: a.env.Now(), Doing: doing}
}

// eventSink shows events, from whichever goroutine they come.
type eventSink struct {
	mu    sync.Mutex
	to    view.Events
	lines *view.Lines
}

// events returns where an apply's events go: JSON lines on stdout, or plain lines
// on stderr.
func (a *app) events() *eventSink {
	if a.JSON {
		lines := view.NewLines(a.env.Stdout, a.env.Now)
		return &eventSink{to: lines, lines: lines}
	}
	return &eventSink{to: view.NewProgress(a.env.Stderr, a.style(a.env.StderrTTY))}
}

func (s *eventSink) emit(e applier.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to.Event(e)
}

// wait tells that a service asked to slow down.
func (s *eventSink) wait(service string, d time.Duration) {
	s.emit(applier.Waiting{Service: service, For: d})
}

func (s *eventSink) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Err()
}
