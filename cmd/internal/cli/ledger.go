package cli

import (
	"context"
	"errors"

	"github.com/hanzoai/kmsync/cmd/internal/view"
)

// ledgerCmd groups the care of the ledger.
type ledgerCmd struct {
	Show ledgerShowCmd `cmd:"" help:"Show every key that kmsync has written, from where and when."`
}

// ledgerShowCmd prints the ledger, without values and fingerprints.
type ledgerShowCmd struct{}

// Run reads the last committed state; it takes no lock and makes no request.
func (c *ledgerShowCmd) Run(ctx context.Context, a *app) (code int, err error) {
	p, err := a.place(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	state, err := p.store.Load(ctx)
	if err != nil {
		return 0, planError(err)
	}
	if a.JSON {
		return exitOK, view.LedgerJSON(a.env.Stdout, state)
	}
	return exitOK, view.Ledger(a.env.Stdout, state, a.style(a.env.StdoutTTY))
}
