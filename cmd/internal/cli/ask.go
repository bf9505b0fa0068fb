package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// errNoTerminal and errNotApproved end an apply before it wrote anything.
var (
	errNoTerminal  = errors.New("there is no terminal to ask on: add --auto-approve to go on without a question")
	errNotApproved = errors.New("not approved: nothing was written")
)

// ask waits for the word yes. Anything else, the end of the input, or the end of
// ctx means no.
func (a *app) ask(ctx context.Context, question string) error {
	if a.NoInput || a.JSON || !a.env.StdinTTY {
		return errNoTerminal
	}
	fmt.Fprint(a.env.Stderr, "\n"+question+" Only the word yes is taken as yes: ")
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(a.env.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.TrimSpace(line) == "yes" {
			return nil
		}
	case <-ctx.Done():
		fmt.Fprintln(a.env.Stderr)
	}
	return errNotApproved
}

func processID() int { return os.Getpid() }
