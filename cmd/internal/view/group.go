package view

import (
	"fmt"

	"github.com/hanzoai/kmsync/cmd/internal/view/group"
	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/planner/plan"
)

// likeness is the same for two changes of which a reader sees the same, and that
// come from the same secret.
func likeness(c plan.Change) string {
	return fmt.Sprintf("%#v", []any{
		markOf(c).sign, keyLabel(c), phrase.Why(c), c.SecretKey, c.Source, c.Action, c.Reason, c.BlockedBy, c.Secured,
	})
}

// groups lists what many syncs have alike.
func (p *page) groups(groups []*group.Group, syncs []plan.Sync) {
	for _, g := range groups {
		p.put(bold, g.Pattern)
		p.put(plain, gap)
		p.hang(plain, columns(g.Pattern)+len(gap), "in "+g.Who(syncs))
		p.changes(g.Changes)
		p.line(plain, "")
	}
}
