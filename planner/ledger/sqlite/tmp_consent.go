package sqlite

import (
	"context"

	"github.com/hanzoai/kmsync/planner/ledger"
)

func (s *session) Consent(context.Context, ledger.Destination, ledger.Consent) error { return nil }
