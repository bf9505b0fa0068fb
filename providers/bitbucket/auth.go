package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Credentials are one way to prove who asks: an access token of a repository,
// project or workspace (sent as Bearer), or the e-mail address and API token of
// a person (sent as Basic; the user part is the address of the Atlassian
// account). Each function is called once, before the first request; blanks
// around what it returns do not count. Their errors are shown to people: they
// name a variable or a file, never what it holds.
type Credentials struct {
	AccessToken     func() (secret.Value, error)
	Email, APIToken func() (secret.Value, error)
}

func (c Credentials) check() error {
	bearer, basic := c.AccessToken != nil, c.Email != nil && c.APIToken != nil
	if bearer == basic || (bearer && (c.Email != nil || c.APIToken != nil)) {
		return errors.New("credentials are either an access token, or an e-mail address and an API token")
	}
	return nil
}

// credentials keeps what was read once.
type credentials struct {
	from Credentials

	mu          sync.Mutex
	read        bool
	email, word secret.Value // word is the token
}

// authorize adds the Authorization header.
func (c *credentials) authorize(_ context.Context, r *http.Request) error {
	email, word, err := c.get()
	if err != nil {
		return err
	}
	if c.from.AccessToken != nil {
		r.Header.Set("Authorization", "Bearer "+word.Reveal())
		return nil
	}
	r.SetBasicAuth(email.Reveal(), word.Reveal())
	return nil
}

func (c *credentials) get() (email, word secret.Value, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read {
		return c.email, c.word, nil
	}
	if c.from.AccessToken != nil {
		word, err = readCredential(c.from.AccessToken, "access token")
	} else if email, err = readCredential(c.from.Email, "e-mail address"); err == nil {
		word, err = readCredential(c.from.APIToken, "API token")
	}
	if err != nil {
		return secret.Value{}, secret.Value{}, err
	}
	c.email, c.word, c.read = email, word, true
	return email, word, nil
}

func readCredential(read func() (secret.Value, error), what string) (secret.Value, error) {
	refuse := func(hint string) error {
		return &providers.Error{Op: "log in to Bitbucket", Kind: providers.KindUnauthenticated, Hint: hint}
	}
	value, err := read()
	if err != nil {
		return secret.Value{}, refuse("The " + what + " cannot be read: " + err.Error() + ".")
	}
	value = value.TrimSpace()
	switch {
	case value.IsEmpty():
		return secret.Value{}, refuse("The " + what + " is empty; set it, or its file.")
	case value.HasLineBreak(), !value.IsUTF8():
		return secret.Value{}, refuse("The " + what + " is not one line of text; write it there alone.")
	}
	return value, nil
}
