package world

import (
	"fmt"
	"path"
	"regexp"
	"slices"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c *checker) kms(where string, k KMS) {
	if !slices.Contains([]string{"", Generation2026, Generation2024}, k.Generation) {
		c.add(where, fmt.Sprintf("generation %q is neither \"2026\" nor \"2024\"", k.Generation))
	}
	if k.Switches.RateLimit < 0 {
		c.add(where+".switches", "rate_limit must not be negative")
	}
}

func (c *checker) identity(where string, id Identity) {
	if (id.ClientID == "") != (id.ClientSecret == "") || id.ClientID == "" && id.Token == "" && id.OIDC == nil {
		c.add(where, "needs client_id and client_secret, or a token, or oidc")
	}
	if !slices.Contains([]string{"", RevokedToken, RevokedSecret}, id.Revoked) {
		c.add(where, fmt.Sprintf("revoked %q is neither \"token\" nor \"secret\"", id.Revoked))
	}
	if id.Uses < 0 {
		c.add(where, "uses must not be negative")
	}
	if id.OIDC != nil {
		c.oidc(where+".oidc", *id.OIDC)
	}
	for i, a := range id.Access {
		c.globs(fmt.Sprintf("%s.access[%d]", where, i), slices.Concat([]string{a.Environment, a.Path}, a.Names, a.Tags))
	}
}

func (c *checker) oidc(where string, o OIDC) {
	if o.ID != "" && !uuidForm.MatchString(o.ID) {
		c.add(where, fmt.Sprintf("id %q is not a UUID in lower case", o.ID))
	}
	if o.Issuer == "" {
		c.add(where, "needs an issuer, like \"https://oidc.example\"")
	}
	c.globs(where, append([]string{o.Subject}, o.Audiences...))
	for _, bound := range o.Claims {
		c.globs(where+".claims", []string{bound})
	}
}

func (c *checker) globs(where string, globs []string) {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			c.add(where, fmt.Sprintf("%q is not a glob", glob))
		}
	}
}
