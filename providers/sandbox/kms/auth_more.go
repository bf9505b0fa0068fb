package kms

import (
	"net/http"
	"regexp"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/token"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// OIDCTokenPath is where the sandbox mints tokens in place of an OIDC provider.
const OIDCTokenPath = "/sandbox/oidc-token"

// mint is GET /sandbox/oidc-token?identity=ID: a token as text, which a person
// can put into BITBUCKET_STEP_OIDC_TOKEN. ID is the id in "oidc" or the client
// id.
func (s *Service) mint(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	if err := s.store.Refresh(); err != nil { // an edit of the file counts at once
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	wanted := r.URL.Query().Get("identity")
	var text string
	var err error
	found := false
	s.store.Read(func(now *world.World) {
		for _, id := range now.KMS.Identities {
			if !found && wanted != "" && id.OIDC != nil && (id.OIDC.ID == wanted || id.ClientID == wanted) {
				found = true
				text, err = s.oidc.Mint(id.OIDC, s.now(), r.URL.Query())
			}
		}
	})
	switch {
	case !found:
		http.Error(w, "no identity of the world has oidc with that id; name one with ?identity=ID", http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}
}

var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// loginByOIDC is POST /api/v1/auth/oidc-auth/login. Seen in 2026: an identity that
// is no UUID 500, one without OIDC 404, another subject 403, all other tokens
// that do not fit 401.
func loginByOIDC(c *call) (any, *answer.Problem) {
	if refused := c.spoilt(); refused != nil {
		return nil, refused
	}
	fields, refused := currentFields(c.r, "identityId", "jwt")
	if refused != nil {
		return nil, refused
	}
	if !uuid.MatchString(fields[0]) {
		return nil, answer.Fail(http.StatusInternalServerError, "InternalServerError", "Something went wrong")
	}
	id := c.find(func(id *world.Identity) bool { return id.OIDC != nil && id.OIDC.ID == fields[0] })
	if id == nil {
		return nil, answer.Fail(http.StatusNotFound, "NotFound", "OIDC auth method not found for identity, did you configure OIDC auth?")
	}
	unauthorized := func(message string) *answer.Problem {
		return answer.Fail(http.StatusUnauthorized, "UnauthorizedError", message)
	}
	switch c.s.oidc.Check(id.OIDC, fields[1], c.s.now()) {
	case token.BadToken:
		return nil, unauthorized("Access denied: the OIDC token could not be verified")
	case token.WrongSubject:
		return nil, answer.Fail(http.StatusForbidden, "ForbiddenError", "Access denied: OIDC subject not allowed")
	case token.WrongAudience:
		return nil, unauthorized("Access denied: OIDC audience not allowed")
	case token.WrongClaim:
		return nil, unauthorized("Access denied: OIDC claim not allowed")
	}
	return c.issue(id, false)
}

// renewToken is POST /api/v1/auth/token/renew as seen in 2026: a new token, with
// what is left of the longest life.
func renewToken(c *call) (any, *answer.Problem) {
	fields, refused := currentFields(c.r, "accessToken")
	if refused != nil {
		return nil, refused
	}
	text, life, cause := c.s.grants.Renew(fields[0], c.s.store.NewUUID())
	if refused := c.gen.refused(cause); refused != nil {
		return nil, refused
	}
	return loginAnswer{AccessToken: text, ExpiresIn: int(life.TTL.Seconds()), AccessTokenMaxTTL: int(life.Max.Seconds()), TokenType: "Bearer"}, nil
}

// extendToken is the same as seen in 2024: the same token, refused where its TTL
// would pass its longest life.
func extendToken(c *call) (any, *answer.Problem) {
	fields, issues, ok := readFields(c.r, "accessToken")
	if !ok || issues != nil {
		return nil, answer.Invalid(http.StatusForbidden, answer.Issue{Code: "invalid_type", Expected: "string", Received: "undefined", Path: []string{"accessToken"}, Message: "Required"})
	}
	life, within, cause := c.s.grants.Extend(fields[0])
	if refused := c.gen.refused(cause); refused != nil {
		return nil, refused
	}
	if !within {
		return nil, answer.Fail(http.StatusForbidden, "UnauthorizedError", "Failed to renew MI access token past its Max TTL expiration")
	}
	return loginAnswer{AccessToken: fields[0], ExpiresIn: int(life.TTL.Seconds()), AccessTokenMaxTTL: int(life.Max.Seconds()), TokenType: "Bearer"}, nil
}

// revokeToken is POST /api/v1/auth/token/revoke.
func revokeToken(c *call) (any, *answer.Problem) {
	fields, issues, ok := readFields(c.r, "accessToken")
	if !ok || issues != nil {
		return nil, answer.Invalid(c.gen.notValid, answer.Issue{Code: "invalid_type", Path: []string{"accessToken"}, Message: "Required"})
	}
	if refused := c.gen.refused(c.s.grants.Revoke(fields[0])); refused != nil {
		return nil, refused
	}
	return map[string]string{"message": "Successfully revoked access token"}, nil
}
