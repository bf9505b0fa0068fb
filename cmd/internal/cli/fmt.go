package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/cmd/internal/view"
	"github.com/hanzoai/kmsync/config/format"
)

// fmtCmd brings configuration files into canonical form.
type fmtCmd struct {
	Check     bool     `help:"Write nothing; exit with 2 where something is not formatted."`
	Diff      bool     `help:"Show what changes."`
	Recursive bool     `help:"Go into sub-directories too."`
	Paths     []string `arg:"" optional:"" name:"path" help:"Files and directories instead of the working directory; - formats stdin to stdout."`
}

// Run formats every file that can be read, and says which were not formatted.
func (c *fmtCmd) Run(ctx context.Context, a *app) (int, error) {
	stdin := slices.Contains(c.Paths, "-")
	if stdin && (len(c.Paths) > 1 || a.JSON) || c.Diff && a.JSON {
		return 0, &usageError{"neither other paths nor --json go with -, and --diff does not go with --json: leave one out"}
	}
	var found *format.Result
	var diags hcl.Diagnostics
	var err error
	if stdin {
		found, diags, err = format.Stream(a.env.Stdin)
	} else {
		found, diags, err = format.Files(ctx, a.dir, c.Paths, format.Options{Recursive: c.Recursive, Check: c.Check})
	}
	if printed := c.print(a, found, diags); err != nil || printed != nil {
		return 0, errors.Join(err, printed)
	}
	switch {
	case diags.HasErrors():
		return exitError, nil
	case c.Check && len(found.Changed) > 0:
		return exitDifferences, nil
	}
	return exitOK, nil
}

func (c *fmtCmd) print(a *app, found *format.Result, diags hcl.Diagnostics) (err error) {
	if a.JSON {
		return view.FormattedJSON(a.env.Stdout, found, !c.Check, diags)
	}
	if found.Text != nil && !c.Check && !c.Diff {
		_, err = a.env.Stdout.Write(found.Text)
	} else {
		err = view.Formatted(a.env.Stdout, found, c.Diff, a.style(a.env.StdoutTTY))
	}
	return errors.Join(err, view.Diagnostics(a.env.Stderr, found.Sources, diags, a.style(a.env.StderrTTY)))
}
