package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hanzoai/kmsync/cmd/internal/wire"
	"github.com/hanzoai/kmsync/providers/sandbox"
)

// sandboxCmd serves a KMS and a Bitbucket until it is interrupted.
type sandboxCmd struct {
	Listen string `default:"127.0.0.1:8377" placeholder:"ADDR" help:"Address on this machine to listen on; port 0 takes a free one."`
	World  string `placeholder:"FILE" help:"What both services hold, .kmsync/sandbox/world.json by default; edit it to play them."`
}

// Run prints the variables that point kmsync at the sandbox, then serves.
func (c *sandboxCmd) Run(ctx context.Context, a *app) (code int, err error) {
	path, err := a.worldPath(c.World)
	if err != nil {
		return 0, err
	}
	server, err := sandbox.Start(ctx, sandbox.Options{
		Listen: c.Listen, Path: path, Now: a.env.Now, Log: func(line string) { a.log.Info(line) },
	})
	if err != nil {
		return 0, fmt.Errorf("start the sandbox: %w", err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(a.env.Stderr, "sandbox: a KMS and a Bitbucket on %s, world in %s; stop it with Ctrl-C\n", server.Address(), path)
	made := server.Credentials()
	for _, line := range [][2]string{
		{"KMS_ADDRESS", server.Address()},
		{"KMS_CLIENT_ID", made.ClientID},
		{"KMS_CLIENT_SECRET", made.ClientSecret},
		{"BITBUCKET_ADDRESS", server.Address()},
		{"BITBUCKET_ACCESS_TOKEN", made.AccessToken},
	} {
		fmt.Fprintf(a.env.Stdout, "export %s=%s\n", line[0], line[1])
	}
	<-ctx.Done()
	return exitOK, nil
}

// worldPath returns the file of the world: the one that was named, or the default,
// whose folder is made.
func (a *app) worldPath(named string) (string, error) {
	switch {
	case named == "":
		dir, err := wire.SandboxDir(a.dir)
		return filepath.Join(dir, "world.json"), err
	case filepath.IsAbs(named):
		return named, nil
	}
	return filepath.Join(a.dir, named), nil
}
