package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
)

// versionCmd prints which kmsync this is.
type versionCmd struct{}

// Run prints the version, and with --json the toolchain and platform too.
func (c *versionCmd) Run(_ context.Context, a *app) (int, error) {
	if a.JSON {
		return exitOK, json.NewEncoder(a.env.Stdout).Encode(map[string]string{
			"version": a.env.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		})
	}
	_, err := fmt.Fprintf(a.env.Stdout, "kmsync %s (%s, %s/%s)\n", a.env.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK, err
}
