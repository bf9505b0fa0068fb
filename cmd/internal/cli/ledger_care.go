package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/view/care"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/forget"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/providers/secret"
)

// CareFlags are the flags of the commands that change the ledger by hand.
type CareFlags struct {
	LockTimeout time.Duration `placeholder:"D" help:"Wait this long for another run to end."`
}

// keep has do care for the ledger, which needs no configuration.
func (a *app) keep(ctx context.Context, wait time.Duration, do func(ledger.Keeper) error) (err error) {
	if wait < 0 {
		return &usageError{"--lock-timeout must not be negative"}
	}
	path, err := a.ledgerPath()
	if err != nil {
		return err
	}
	p, err := a.place(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	err = do(p.Keeper)
	if _, locked := errors.AsType[*ledger.LockedError](err); locked {
		return lockError(err)
	}
	return err
}

// ledgerVerifyCmd looks for damage, or accepts an older copy.
type ledgerVerifyCmd struct {
	CareFlags
	Accept bool `help:"Accept that the ledger is an older copy, so that deletes are possible again; never from the environment."`
}

// Run reads everything; only with --accept it takes the lock.
func (c *ledgerVerifyCmd) Run(ctx context.Context, a *app) (int, error) {
	return exitOK, a.keep(ctx, c.LockTimeout, func(k ledger.Keeper) error {
		if c.Accept {
			return c.accept(ctx, a, k)
		}
		report, err := k.Verify(ctx)
		if err != nil {
			return err
		}
		show := care.Verify
		if a.JSON {
			show = care.VerifyJSON
		}
		if err := show(a.env.Stdout, report); err != nil {
			return err
		}
		return accepted(report)
	})
}

// accepted refuses a ledger that is an older copy which nobody has accepted.
func accepted(r *ledger.Report) error {
	const remedy = "; if it is the one to go on with, run kmsync ledger verify --accept"
	switch {
	case r.Older:
		return &refusal{fmt.Sprintf("the ledger has serial %d and this machine has noted %d, so it is an older copy, and nothing is deleted", r.Serial, r.Noted) + remedy}
	case r.Unaccepted:
		return &refusal{"an older copy of this ledger was in use and nobody has accepted it, so nothing is deleted" + remedy}
	}
	return nil
}

func (c *ledgerVerifyCmd) accept(ctx context.Context, a *app, k ledger.Keeper) error {
	done, err := k.Accept(ctx, a.holder("ledger verify --accept"), c.LockTimeout)
	exists := !errors.Is(err, ledger.ErrNone)
	if err != nil && exists {
		return err
	}
	if a.JSON {
		return care.AcceptJSON(a.env.Stdout, done, exists)
	}
	return care.Accept(a.env.Stdout, done, exists)
}

// ledgerRekeyCmd gives the ledger another root key.
type ledgerRekeyCmd struct {
	CareFlags
	OldKeyFile string `placeholder:"FILE" help:"The ledger's present root key, where it is not in its place."`
}

// Run takes the new key from the environment, or makes one.
func (c *ledgerRekeyCmd) Run(ctx context.Context, a *app) (int, error) {
	var old secret.Key
	if path := c.OldKeyFile; path != "" {
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.env.Dir, path)
		}
		var err error
		if old, err = rootkey.Read(path); err != nil {
			return 0, err
		}
	}
	return exitOK, a.keep(ctx, c.LockTimeout, func(k ledger.Keeper) error {
		done, err := k.Rekey(ctx, a.holder("ledger rekey"), c.LockTimeout, old)
		if err != nil {
			return err
		}
		if a.JSON {
			return care.RekeyJSON(a.env.Stdout, done)
		}
		return care.Rekey(a.env.Stdout, done)
	})
}

// ledgerRmCmd forgets records.
type ledgerRmCmd struct {
	CareFlags
	Addresses []string `arg:"" name:"address" help:"A sync, a key, a destination or a source. See kmsync help addresses."`
}

// Run forgets what the addresses name, whoever wrote it; no variable changes.
func (c *ledgerRmCmd) Run(ctx context.Context, a *app) (int, error) {
	var named []address.Pattern
	for _, text := range c.Addresses {
		p, err := address.Parse(text)
		if err != nil {
			return 0, &usageError{err.Error()}
		}
		named = append(named, p)
	}
	return exitOK, a.keep(ctx, c.LockTimeout, func(k ledger.Keeper) error {
		var places []forget.Place
		err := k.Remove(ctx, a.holder("ledger rm"), c.LockTimeout, func(state *ledger.State) (chosen []ledger.Removal, err error) {
			places, err = forget.Choose(named, state)
			return forget.Removals(places), err
		})
		if errors.Is(err, ledger.ErrNone) {
			return fmt.Errorf("%s names nothing: %w", address.Quote(c.Addresses[0]), err)
		}
		if err != nil {
			return err
		}
		if a.JSON {
			return care.RemoveJSON(a.env.Stdout, places)
		}
		return care.Remove(a.env.Stdout, places)
	})
}
