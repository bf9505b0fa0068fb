package cli

import (
	"context"
	"embed"
	"fmt"
	"strings"
)

// topics are the texts of help, one file each.
//
//go:embed topics/*.txt
var topics embed.FS

// helpCmd explains a topic.
type helpCmd struct {
	Topic string `arg:"" optional:"" help:"exit-codes, environment, credentials, addresses or formats."`
}

// Run prints the topic, or which there are.
func (c *helpCmd) Run(_ context.Context, a *app) (int, error) {
	if c.Topic == "" {
		c.Topic = "topics"
	}
	text, err := topics.ReadFile("topics/" + c.Topic + ".txt")
	if err != nil || strings.ContainsAny(c.Topic, `/\`) {
		return 0, &usageError{fmt.Sprintf("there is no help topic %q: the topics are exit-codes, environment, credentials, addresses and formats", c.Topic)}
	}
	_, err = a.env.Stdout.Write(text)
	return exitOK, err
}
