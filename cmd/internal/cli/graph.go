package cli

import (
	"context"
	"fmt"

	"github.com/hanzoai/kmsync/cmd/internal/view/diagram"
	"github.com/hanzoai/kmsync/planner/graph"
)

// graphCmd draws what the configuration asks for, without network and
// credentials.
type graphCmd struct {
	InputFlags
	Format string `enum:"mermaid,dot,json," default:"" placeholder:"FORMAT" help:"Draw as mermaid (the default), dot or json."`
}

// Run writes the drawing of a valid configuration to stdout.
func (c *graphCmd) Run(_ context.Context, a *app) (int, error) {
	if err := c.choose(a); err != nil {
		return 0, err
	}
	cfg, diags, err := a.load(c.InputFlags, true)
	if err != nil {
		return 0, err
	}
	if diags.HasErrors() {
		return reported(a.reject(cfg, diags))
	}
	if err := a.diagnose(cfg, diags); err != nil {
		return 0, err
	}
	drawing, err := diagram.New(cfg, graph.New(cfg)).In(c.Format)
	if err != nil {
		return 0, err
	}
	_, err = a.env.Stdout.Write(drawing)
	return exitOK, err
}

// choose settles the format: mistakes are reported as JSON where that is it.
func (c *graphCmd) choose(a *app) error {
	if a.JSON && c.Format != "" && c.Format != "json" {
		return &usageError{fmt.Sprintf("--json and --format %s exclude each other: leave one out", c.Format)}
	}
	a.JSON = a.JSON || c.Format == "json"
	if a.JSON {
		c.Format = "json"
	}
	return nil
}
