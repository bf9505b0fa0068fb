package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
	"time"
)

// Life is how long a token lives and how often it may be used.
type Life struct {
	// TTL after which the service refuses it, and the longest life by renewal.
	// Zero: for ever.
	TTL, Max time.Duration
	// Exp is what the token itself says of its end. Zero: nothing.
	Exp time.Duration
	// Uses is how many requests it may make; 0: as many as it likes.
	Uses int
}

// Grants are the access tokens given out. They live in this process only.
type Grants struct {
	now func() time.Time
	key []byte

	mu     sync.Mutex
	issued map[string]*grant
}

// grant is one token given out, or one that stands ready in the world.
type grant struct {
	owner    Owner
	life     Life
	made     time.Time
	ends     time.Time
	requests int
	refused  bool // for TTL or uses, once
	gone     bool
}

// Owner says whose token it is, and whether a client secret was given for it.
type Owner struct {
	Identity string
	BySecret bool
}

// NewGrants returns an empty set. Its key is no secret, so that the same run gives
// the same tokens; one that this process did not issue is refused as if another
// key had signed it.
func NewGrants(now func() time.Time) *Grants {
	key := sha256.Sum256([]byte("access tokens of the sandbox"))
	return &Grants{now: now, key: key[:], issued: map[string]*grant{}}
}

// Issue makes a token in the form of the service's own; unique is its id.
func (g *Grants) Issue(owner Owner, unique, secretID string, life Life) (string, error) {
	now := g.now()
	claims := map[string]any{
		"identityId": owner.Identity, "clientSecretId": secretID, "identityAccessTokenId": unique,
		"authTokenType": "identityAccessToken", "iat": now.Unix(),
	}
	if life.Exp > 0 {
		claims["exp"] = now.Add(life.Exp).Unix()
	}
	text, err := encode(map[string]any{"alg": "HS256", "typ": "JWT"}, claims, func(text string) ([]byte, error) { return hs256(g.key, text), nil })
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.issued[text] = newGrant(owner, life, now)
	return text, nil
}

func newGrant(owner Owner, life Life, now time.Time) *grant {
	out := &grant{owner: owner, life: life, made: now}
	if life.TTL > 0 {
		out.ends = now.Add(life.TTL)
	}
	return out
}

// Use spends one request of a token and tells whose it is.
func (g *Grants) Use(text string) (Owner, Cause) {
	owner, cause := g.inspect(text)
	if cause != Accepted && cause != NoExpiry {
		return owner, cause
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if spent := g.issued[text].spend(g.now()); spent != Accepted {
		return owner, spent
	}
	return owner, cause
}

// UseReady spends one request of a token that stands ready in the world, which is
// no JWT. Its life begins with its first use.
func (g *Grants) UseReady(text string, life Life) Cause {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := "ready\x00" + text
	have, ok := g.issued[key]
	if !ok || have.life != life {
		have = newGrant(Owner{}, life, g.now())
		g.issued[key] = have
	}
	return have.spend(g.now())
}

func (g *Grants) inspect(text string) (Owner, Cause) {
	t, cause := parse(text)
	if cause != Accepted {
		return Owner{}, cause
	}
	if t.header["alg"] != "HS256" || !hmac.Equal(t.signature, hs256(g.key, t.signed)) {
		return Owner{}, BadSignature
	}
	cause = t.timely(g.now())
	g.mu.Lock()
	defer g.mu.Unlock()
	have := g.issued[text]
	if have == nil {
		return Owner{}, BadSignature
	}
	return have.owner, cause
}

func (g *grant) spend(now time.Time) Cause {
	cause, again := Accepted, Accepted
	switch {
	case g.gone:
		return Gone
	case !g.ends.IsZero() && !now.Before(g.ends):
		cause, again = TTLPassed, TTLPassedAgain
	case g.life.Uses > 0 && g.requests >= g.life.Uses:
		cause, again = UsedUp, UsedUpAgain
	default:
		g.requests++
		return Accepted
	}
	if g.refused {
		return again
	}
	g.refused = true
	return cause
}

// Revoke ends a token.
func (g *Grants) Revoke(text string) Cause {
	if _, cause := g.inspect(text); cause != Accepted && cause != NoExpiry {
		return cause
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.issued[text].gone = true
	return Accepted
}

// Renew makes another token with the rest of a token's longest life; the old one
// lives on. Servers of 2026 do so.
func (g *Grants) Renew(text, unique string) (renewed string, life Life, cause Cause) {
	owner, cause := g.Use(text)
	if cause != Accepted {
		return "", Life{}, cause
	}
	g.mu.Lock()
	old := *g.issued[text]
	g.mu.Unlock()
	now := g.now()
	life = old.life
	if life.Max > 0 {
		life.TTL = min(life.TTL, old.made.Add(life.Max).Sub(now))
	}
	life.Exp = life.TTL
	renewed, err := g.Issue(owner, unique, "", life)
	if err != nil {
		return "", Life{}, Invalid
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.issued[renewed].made = old.made
	return renewed, life, Accepted
}

// Extend gives the same token its TTL once more, unless that passes its longest
// life. Servers of 2024 do so.
func (g *Grants) Extend(text string) (life Life, within bool, cause Cause) {
	if _, cause = g.Use(text); cause != Accepted && cause != NoExpiry {
		return Life{}, false, cause
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	have := g.issued[text]
	ends := g.now().Add(have.life.TTL)
	if have.life.Max > 0 && ends.After(have.made.Add(have.life.Max)) {
		return Life{}, false, Accepted
	}
	have.ends = ends
	return have.life, true, Accepted
}
