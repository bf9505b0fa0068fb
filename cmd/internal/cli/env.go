package cli

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Env is everything a command takes from the process around it. Nothing below
// this package asks the process itself, so that tests run commands in parallel.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Dir            string // working directory
	Host           string // name of this machine
	Now            func() time.Time
	// Sleep waits, or returns ctx's error when ctx ends first.
	Sleep   func(ctx context.Context, d time.Duration) error
	Random  io.Reader
	Version string
	// StdinTTY and StdoutTTY say whether a person is at the other end.
	StdinTTY, StdoutTTY, StderrTTY bool
	Width                          int // columns of the terminal; 0 when there is none
}

// ProcessEnv returns the environment of this process.
func ProcessEnv(version string) Env {
	dir, _ := os.Getwd() // "" is the working directory too
	host, _ := os.Hostname()
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		width = 0
	}
	return Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Dir: dir, Host: host, Now: time.Now, Sleep: sleep, Random: rand.Reader, Version: version,
		StdinTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Width:     width,
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// user names who runs: a build and its commit in Pipelines, else user@host.
func (e Env) user() string {
	if build := e.Getenv("BITBUCKET_BUILD_NUMBER"); build != "" {
		return "build " + build + " at " + e.Getenv("BITBUCKET_COMMIT")
	}
	name := e.Getenv("USER")
	if name == "" {
		name = e.Getenv("USERNAME")
	}
	if name == "" {
		name = "unknown"
	}
	return name + "@" + e.Host
}

// color decides whether to colour what goes to a stream.
func (e Env) color(mode string, tty bool) bool {
	switch {
	case mode == "always":
		return true
	case mode == "never" || e.Getenv("NO_COLOR") != "":
		return false
	case e.Getenv("CLICOLOR_FORCE") != "" && e.Getenv("CLICOLOR_FORCE") != "0":
		return true
	case e.Getenv("CLICOLOR") == "0" || e.Getenv("TERM") == "dumb":
		return false
	}
	return tty
}

// inTurn lets one write through at a time.
type inTurn struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements [io.Writer].
func (w *inTurn) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
