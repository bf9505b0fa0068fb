package cli

import (
	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
)

// selected returns the graph of a configuration, narrowed to what --target and
// --exclude choose. The error names an address that fits nothing.
func selected(cfg *config.Config, chosen address.Selection) (*graph.Graph, error) {
	g := graph.New(cfg)
	if chosen.IsZero() {
		return g, nil
	}
	names := g.Names()
	for _, r := range cfg.Removed {
		names = append(names, address.Sync{
			Address:     r.From.Value,
			Destination: address.Destination{Workspace: r.Workspace, Repository: r.Repository, Environment: r.Environment},
		})
	}
	moved := map[string]string{}
	for _, m := range cfg.Moved {
		moved[m.From.Value] = m.To.Value
	}
	resolved, err := chosen.Resolve(names, moved)
	if err != nil {
		return nil, err
	}
	return g.Select(resolved), nil
}
