package view

import (
	"io"
	"strings"

	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// Problems writes what of a plan failed, is refused or is held, one line each in
// the order of the plan: the address, the rule, and what would allow it. It
// writes nothing for a plan without problems. The error is that of w.
func Problems(w io.Writer, p *plan.Plan) error {
	out := &page{}
	for _, s := range p.Syncs {
		if f := s.Failure; f != nil {
			text := strings.TrimSpace("error: " + f.Summary + " " + phrase.At(f.Range))
			if f.Detail != "" {
				text += ": " + f.Detail
			}
			out.line(plain, s.Address+": "+text)
		}
		for _, c := range s.Changes {
			if c.BlockedBy != verdict.NotBlocked {
				out.line(plain, subject(s.Address, c.Key)+": "+phrase.Problem(c))
			}
		}
	}
	return out.flush(w)
}
