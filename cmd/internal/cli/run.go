package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/flags"
	"github.com/hanzoai/kmsync/cmd/internal/view"
	"github.com/hanzoai/kmsync/cmd/internal/wire"
	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/evidence"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/limits"
	"github.com/hanzoai/kmsync/planner/observe"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// RunFlags are the flags of every command that plans.
type RunFlags struct {
	InputFlags
	Target      []string      `sep:"none" placeholder:"ADDRESS" help:"Write only what this address names; may be repeated. See kmsync help addresses."`
	Exclude     []string      `sep:"none" placeholder:"ADDRESS" help:"Leave out what this address names, even where it is targeted; may be repeated."`
	Parallelism int           `default:"8" placeholder:"N" help:"Requests in flight; at most 4 to one repository."`
	LockTimeout time.Duration `placeholder:"D" help:"Wait this long for another run to end; plan takes no lock."`
	FreshLedger bool          `help:"In Pipelines, go on although the ledger is new here and will be thrown away."`
	MaxDeletes  *int          `placeholder:"N" help:"Allow at most N deletes in this run, else none; also the first consent to overwrite-destination."`

	destroy bool // what the declared syncs own is to be deleted
}

// errReported says that the reason is printed already.
var errReported = errors.New("reported")

// session is one run of plan or apply: its configuration, its clients, what was
// read and what was decided.
type session struct {
	*app
	given    RunFlags
	cfg      *config.Config
	place    *wire.Place
	services *wire.Services
	graph    *graph.Graph
	observer *observe.Observer
	state    *ledger.State
	observed *observe.Observation
	plan     *plan.Plan
}

// open loads the configuration and builds the clients. It makes no request.
// waiting is told when a service asks to slow down.
func (a *app) open(ctx context.Context, given RunFlags, waiting func(service string, d time.Duration)) (*session, error) {
	if given.Parallelism < 1 {
		return nil, &usageError{"--parallelism must be at least 1"}
	}
	if given.LockTimeout < 0 {
		return nil, &usageError{"--lock-timeout must not be negative"}
	}
	if given.MaxDeletes != nil && *given.MaxDeletes < 0 {
		return nil, &usageError{"--max-deletes must not be negative"}
	}
	if flag := flags.LaterVariable(a.env.Getenv); flag != "" {
		return nil, &usageError{fmt.Sprintf("the flag --%s is not supported yet: unset %s", flag, flags.Variable(flag))}
	}
	chosen, err := address.ParseSelection(given.Target, given.Exclude)
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	cfg, diags, err := a.load(given.InputFlags, true)
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, a.reject(cfg, diags)
	}
	graph, err := selected(cfg, chosen)
	if err != nil {
		return nil, err
	}
	graph = graph.Allow(given.MaxDeletes)
	if given.destroy {
		graph = graph.Destroy()
	}
	p, err := a.place(ctx, cfg.LedgerPath.Value)
	if err != nil {
		return nil, err
	}
	s := &session{app: a, given: given, cfg: cfg, place: p, graph: graph}
	connected, more := p.Connect(cfg, wire.NeedsOf(cfg, graph), given.Parallelism, waiting)
	if more.HasErrors() {
		return nil, errors.Join(a.reject(cfg, append(diags, more...)), p.Close())
	}
	s.services = connected
	s.observer = &observe.Observer{
		Sources: connected.Sources, Readers: connected.Readers, Limits: limits.New(given.Parallelism),
		Now: a.env.Now, Sleep: a.env.Sleep,
	}
	return s, a.diagnose(cfg, diags)
}

// reject reports a configuration that cannot be used.
func (a *app) reject(cfg *config.Config, diags hcl.Diagnostics) error {
	print := a.diagnose(cfg, diags)
	if a.JSON {
		print = view.DiagnosticsJSON(a.env.Stdout, diags)
	}
	return errors.Join(errReported, print)
}

// checkLedger refuses a local ledger that does not exist yet where the machine is
// thrown away after the run: every run would write every secured key again.
func (s *session) checkLedger(state *ledger.State) error {
	if state.Rolled && s.given.destroy {
		return &refusal{"the ledger is older than the one this machine last wrote, so what the syncs own is not known, and nothing is destroyed; " +
			"if it is the one to go on with, run kmsync ledger verify --accept"}
	}
	if state.Serial == 0 && s.place.Getenv("BITBUCKET_BUILD_NUMBER") != "" && !s.given.FreshLedger {
		return &refusal{"there is no ledger here, and what a pipeline writes to disk is thrown away with the job: " +
			"every run would write every secured variable again. To accept that, add --fresh-ledger"}
	}
	return nil
}

// decide reads both services and makes the plan. When ctx ends meanwhile there is
// none: what was not read must not look like what is not there.
func (s *session) decide(ctx context.Context, state *ledger.State) error {
	s.state, s.graph = state, s.graph.Leavings(state)
	s.observed = s.observer.Observe(ctx, s.graph, state)
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before there was a plan: %w", context.Cause(ctx))
	}
	for {
		s.plan = planner.Diff(s.graph, s.observed, state, s.env.Now())
		questions := evidence.Questions(s.graph, s.observed, s.plan)
		if len(questions) == 0 {
			break
		}
		s.observer.Ask(ctx, s.observed, questions)
		if ctx.Err() != nil {
			return fmt.Errorf("stopped before there was a plan: %w", context.Cause(ctx))
		}
	}
	if err := s.graph.Selection.Unmatched(s.graph.Names(), s.plan.Keys); err != nil {
		return errors.Join(view.Problems(s.env.Stderr, s.plan), err)
	}
	s.plan.Requests.Made = s.services.Requests()
	s.plan.Findings = append(s.ledgerFindings(state), s.plan.Findings...)
	return nil
}

// ledgerFindings says what there is to know about the ledger.
func (s *session) ledgerFindings(state *ledger.State) []plan.Finding {
	var findings []plan.Finding
	found := func(detail string) {
		findings = append(findings, plan.Finding{Kind: verdict.FindLedger, Severity: plan.Warning, Detail: detail})
	}
	if state.Running != nil {
		found(state.Running.Run + " is at work (" + state.Running.Doing + "): what it is writing shows as unconfirmed here. Plan again when it has ended.")
	}
	switch {
	case state.Rolled:
		found("The ledger is older than the one this machine last wrote, as after restoring a backup. " +
			"Nothing in it is believed: every secured variable is written once more, and nothing is deleted " +
			"until somebody has looked at it: kmsync ledger verify --accept")
	case state.Unaccepted:
		found("An older copy of this ledger was in use, as after restoring a backup. Nothing is deleted " +
			"until somebody has looked at it: kmsync ledger verify --accept")
	case state.Serial == 0 && s.place.Getenv("CI") != "":
		found("There is no ledger here, and this looks like a CI job, whose disk may be thrown away: " +
			"every run would write every secured variable again. Keep the .kmsync folder and KMSYNC_LEDGER_KEY between runs.")
	}
	return findings
}

// planError turns a failed load of the ledger into what a person can act on.
func planError(err error) error { return fmt.Errorf("read the ledger: %w", err) }

// place opens what a run works with, its ledger in the folder at path.
func (a *app) place(ctx context.Context, path string) (*wire.Place, error) {
	return wire.Open(ctx, wire.Surroundings{
		Getenv: a.env.Getenv, WorkDir: a.env.Dir, Dir: a.dir, LedgerPath: path, Sandbox: a.UseSandbox,
		Now: a.env.Now, Sleep: a.env.Sleep, Random: a.env.Random, Version: a.env.Version, Stderr: a.env.Stderr, Log: a.log,
	})
}
