package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/hanzoai/kmsync/cmd/internal/view"
	"github.com/hanzoai/kmsync/planner/codec"
)

// planCmd shows what apply would do. It changes nothing, anywhere.
type planCmd struct {
	RunFlags
	DetailedExitcode bool `help:"Exit with 2 when there are differences."`
	Destroy          bool `help:"Show what destroy would delete."`
	Full             bool `help:"List every change, also those that are the same in many syncs."`
}

// Run reads, decides and prints.
func (c *planCmd) Run(ctx context.Context, a *app) (code int, err error) {
	progress := &eventSink{to: view.NewProgress(a.env.Stderr, a.style(a.env.StderrTTY))}
	c.destroy = c.Destroy
	s, err := a.open(ctx, c.RunFlags, progress.wait)
	if err != nil {
		return reported(err)
	}
	defer func() { err = errors.Join(err, s.place.Close()) }()
	state, err := s.place.Store.Load(ctx)
	if err != nil {
		return 0, planError(err)
	}
	if err := s.checkLedger(state); err != nil {
		return 0, err
	}
	if err := s.decide(ctx, state); err != nil {
		return 0, err
	}
	style := s.style(s.env.StdoutTTY)
	style.Full = c.Full
	if err := s.print(style); err != nil {
		return 0, err
	}
	return planCode(s.plan.Summary(), c.DetailedExitcode), nil
}

// print writes the plan to stdout, and what failed or is refused to stderr.
func (s *session) print(style view.Style) error {
	if s.JSON {
		document, err := codec.Encode(s.plan, codec.Meta{KmsyncVersion: s.env.Version, CreatedAt: s.env.Now()})
		if err != nil {
			return err
		}
		if _, err := s.env.Stdout.Write(document); err != nil {
			return err
		}
		return view.Problems(s.env.Stderr, s.plan)
	}
	if style.Flags = s.graph.Selection.Flags(); s.given.MaxDeletes != nil {
		style.MaxDeletes = fmt.Sprintf(" --max-deletes %d", *s.given.MaxDeletes)
	}
	if err := view.Plan(s.env.Stdout, s.plan, style, s.env.Now()); err != nil {
		return err
	}
	return view.Problems(s.env.Stderr, s.plan)
}

// reported ends a command whose reason is printed already.
func reported(err error) (int, error) {
	if errors.Is(err, errReported) {
		return exitError, nil
	}
	return 0, err
}
