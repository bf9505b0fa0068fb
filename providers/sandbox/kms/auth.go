package kms

import (
	"net/http"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/token"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	// lockAfter failures in a row lock a client id for lockFor; failures that
	// lie further apart than forgetAfter do not count together.
	lockAfter   = 3
	lockFor     = 5 * time.Minute
	forgetAfter = 30 * time.Second
	// longest is the life that a server of 2026 cuts every token to.
	longest = 90 * 24 * time.Hour
)

// failure counts refused logins of one client id.
type failure struct {
	count int
	last  time.Time
}

// currentLife: the token itself ends with its TTL. A TTL of 0 and a very long
// one are cut (seen in 2026).
func currentLife(id *world.Identity) token.Life {
	ttl, most := span(id.TTL, 2*time.Hour), span(id.MaxTTL, 24*time.Hour)
	for _, d := range []*time.Duration{&ttl, &most} {
		if *d == 0 || *d > longest {
			*d = longest
		}
	}
	if id.MaxTTL == nil {
		most = max(most, ttl)
	}
	ttl = min(ttl, most)
	return token.Life{TTL: ttl, Max: most, Exp: ttl, Uses: id.Uses}
}

// legacyLife: the token itself ends with the longest life by renewal; the TTL is
// enforced apart from it (seen in 2024). A TTL of 0 has no end.
func legacyLife(id *world.Identity) token.Life {
	const month = 30 * 24 * time.Hour
	ttl, most := span(id.TTL, month), span(id.MaxTTL, month)
	if ttl == 0 {
		most = 0
	} else if id.MaxTTL == nil {
		most = max(most, ttl)
	}
	return token.Life{TTL: ttl, Max: most, Exp: most, Uses: id.Uses}
}

func span(given *world.Duration, absent time.Duration) time.Duration {
	if given == nil {
		return absent
	}
	return time.Duration(*given)
}

// authenticate finds whose token the header carries, and spends one of its uses.
// Like the service it drops the first seven characters, whatever they are.
func (c *call) authenticate(header string) (*world.Identity, *answer.Problem) {
	if header == "" {
		return nil, c.gen.noToken()
	}
	text := ""
	if len(header) > len("Bearer ") {
		text = strings.TrimSpace(header[len("Bearer "):])
	}
	if strings.HasPrefix(text, "st.") {
		return nil, c.gen.serviceToken()
	}
	if id := c.find(func(id *world.Identity) bool { return text != "" && id.Token == text }); id != nil {
		return id, c.ready(id)
	}
	owner, cause := c.s.grants.Use(text)
	if p := c.gen.refused(cause); p != nil {
		return nil, p
	}
	id := c.find(func(id *world.Identity) bool { return key(id) == owner.Identity })
	if id == nil || c.ended(id, owner) {
		return nil, c.gen.refused(token.Gone)
	}
	return id, nil
}

// ready judges a ready-made token. It has an end only if the world gives one.
func (c *call) ready(id *world.Identity) *answer.Problem {
	if c.ended(id, token.Owner{}) {
		return c.gen.refused(token.Gone)
	}
	if id.TTL == nil && id.Uses == 0 {
		return nil
	}
	life := c.gen.life(id)
	if id.TTL == nil {
		life.TTL = 0
	}
	return c.gen.refused(c.s.grants.UseReady(id.Token, life))
}

func (c *call) ended(id *world.Identity, owner token.Owner) bool {
	return id.Revoked == world.RevokedToken || id.Revoked == world.RevokedSecret && owner.BySecret && c.gen.secretEndsTokens
}

func (c *call) find(is func(*world.Identity) bool) *world.Identity {
	for i := range c.world.KMS.Identities {
		if id := &c.world.KMS.Identities[i]; is(id) {
			return id
		}
	}
	return nil
}

// key names an identity in the tokens given out for it.
func key(id *world.Identity) string {
	if id.ClientID != "" || id.OIDC == nil {
		return id.ClientID
	}
	return id.OIDC.ID
}

// spoilt is what a stale Authorization header makes of a login: the header is
// judged as everywhere else, whatever the body holds.
func (c *call) spoilt() *answer.Problem {
	header := c.r.Header.Get("Authorization")
	if header == "" {
		return nil
	}
	_, refused := c.authenticate(header)
	return refused
}

// universalLogin is POST /api/v1/auth/universal-auth/login.
func universalLogin(c *call) (any, *answer.Problem) {
	if refused := c.spoilt(); refused != nil {
		return nil, refused
	}
	clientID, clientSecret, refused := c.gen.readLogin(c.r)
	if refused != nil {
		return nil, refused
	}
	id := c.find(func(id *world.Identity) bool { return clientID != "" && id.ClientID == clientID })
	if refused := c.admit(id, clientSecret); refused != nil {
		return nil, refused
	}
	return c.issue(id, true)
}

// admit checks the secret and keeps count. While a lock lasts, the right secret
// is refused too.
func (c *call) admit(id *world.Identity, clientSecret string) *answer.Problem {
	if id == nil {
		return c.gen.loginRefused()
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	now, f := s.now(), s.failures[id.ClientID]
	locked := c.gen.lockout && f.count >= lockAfter
	if locked && now.Sub(f.last) < lockFor {
		return answer.Fail(http.StatusUnauthorized, "UnauthorizedError", "This identity auth method is temporarily locked, please try again later")
	}
	if locked || now.Sub(f.last) > forgetAfter {
		f = failure{}
	}
	if id.ClientSecret == clientSecret && id.Revoked != world.RevokedSecret {
		delete(s.failures, id.ClientID)
		return nil
	}
	s.failures[id.ClientID] = failure{count: f.count + 1, last: now}
	return c.gen.loginRefused()
}

// loginAnswer is the body of a login; the spans are seconds.
type loginAnswer struct {
	AccessToken       string `json:"accessToken"`
	ExpiresIn         int    `json:"expiresIn"`
	AccessTokenMaxTTL int    `json:"accessTokenMaxTTL"`
	TokenType         string `json:"tokenType"`
}

func (c *call) issue(id *world.Identity, bySecret bool) (any, *answer.Problem) {
	life := c.gen.life(id)
	unique := c.s.store.NewUUID()
	text, err := c.s.grants.Issue(token.Owner{Identity: key(id), BySecret: bySecret}, unique, c.s.store.NewUUID(), life)
	if err != nil {
		return nil, answer.Fail(http.StatusInternalServerError, "InternalServerError", "Something went wrong")
	}
	return loginAnswer{AccessToken: text, ExpiresIn: int(life.TTL.Seconds()), AccessTokenMaxTTL: int(life.Max.Seconds()), TokenType: "Bearer"}, nil
}
