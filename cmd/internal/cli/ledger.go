package cli

import (
	"context"
	"errors"

	"github.com/hanzoai/kmsync/cmd/internal/view"
	"github.com/hanzoai/kmsync/config"
)

// ledgerCmd groups the care of the ledger.
type ledgerCmd struct {
	Show   ledgerShowCmd   `cmd:"" help:"Show every key that kmsync has written, from where and when."`
	Verify ledgerVerifyCmd `cmd:"" help:"Look for damage in the ledger, and for whether it is an older copy."`
	Rekey  ledgerRekeyCmd  `cmd:"" help:"Give the ledger another root key."`
	Rm     ledgerRmCmd     `cmd:"" help:"Forget records; the variables stay."`
}

// ledgerShowCmd prints the ledger, without values and fingerprints.
type ledgerShowCmd struct{}

// Run reads the last committed state; it takes no lock and makes no request.
func (c *ledgerShowCmd) Run(ctx context.Context, a *app) (code int, err error) {
	path, err := a.ledgerPath()
	if err != nil {
		return 0, err
	}
	p, err := a.place(ctx, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	state, err := p.Store.Load(ctx)
	if err != nil {
		return 0, planError(err)
	}
	if a.JSON {
		return exitOK, view.LedgerJSON(a.env.Stdout, state)
	}
	return exitOK, view.Ledger(a.env.Stdout, state, a.style(a.env.StdoutTTY))
}

// ledgerPath returns the folder of the ledger that the configuration names, or the
// default where there is no configuration.
func (a *app) ledgerPath() (string, error) {
	cfg, diags := config.Load(a.dir, config.LoadOptions{Environment: a.variableOfEnvironment, Version: a.env.Version})
	if diags.HasErrors() && len(cfg.Files) > 0 {
		return "", a.reject(cfg, diags)
	}
	return cfg.LedgerPath.Value, nil
}
