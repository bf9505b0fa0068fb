package cli

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/credentials"
	"github.com/hanzoai/kmsync/cmd/internal/view"
	"github.com/hanzoai/kmsync/config"
)

// validateCmd checks a configuration without network and credentials.
type validateCmd struct {
	InputFlags
}

// Run reports every mistake of the directory in one go.
func (c *validateCmd) Run(_ context.Context, a *app) (int, error) {
	cfg, diags, err := a.load(c.InputFlags, false)
	if err != nil {
		return 0, err
	}
	if a.JSON {
		if err := view.DiagnosticsJSON(a.env.Stdout, diags); err != nil {
			return 0, err
		}
	} else if err := a.diagnose(cfg, diags); err != nil {
		return 0, err
	}
	if diags.HasErrors() {
		return exitError, nil
	}
	if !a.JSON {
		fmt.Fprintf(a.env.Stdout, "The configuration is valid: %s.\n", counted(len(cfg.Syncs), "sync"))
	}
	return exitOK, nil
}

// load reads the configuration and checks what can be checked without a request.
// With complete, every variable must have a value.
func (a *app) load(flags InputFlags, complete bool) (*config.Config, hcl.Diagnostics, error) {
	inputs, err := a.inputs(flags)
	if err != nil {
		return nil, nil, err
	}
	cfg, diags := config.Load(a.dir, config.LoadOptions{
		Environment: a.variableOfEnvironment, Inputs: inputs, NeedInputs: complete, Version: a.env.Version,
	})
	if !a.UseSandbox {
		diags = append(diags, credentials.Check(cfg, a.env.Getenv)...)
	}
	return cfg, diags, nil
}

// diagnose prints diagnostics to stderr.
func (a *app) diagnose(cfg *config.Config, diags hcl.Diagnostics) error {
	return view.Diagnostics(a.env.Stderr, cfg.Files, diags, a.style(a.env.StderrTTY))
}

// style is how text looks on a stream.
func (a *app) style(tty bool) view.Style {
	return view.Style{Color: a.env.color(a.Color, tty), Width: a.env.Width}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
