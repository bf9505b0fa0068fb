// Package token makes and checks the JSON web tokens of the emulated KMS: the
// access tokens it issues (HS256), and those that stand in for an OIDC provider
// such as Bitbucket Pipelines (RS256). The key of the latter lasts as long as the
// process.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Cause says why a token is not accepted.
type Cause int

// The causes; a generation finds its own status and words for each.
const (
	Accepted Cause = iota
	// Empty: there is nothing behind "Bearer ".
	Empty
	// Malformed: not three parts.
	Malformed
	// Invalid: three parts that are not a JWT.
	Invalid
	// BadSignature: signed with another key, changed, or not issued here.
	BadSignature
	// Expired: the "exp" of the token has passed.
	Expired
	// NoExpiry: there is no "exp".
	NoExpiry
	// TTLPassed: the identity's TTL has passed, "exp" has not.
	TTLPassed
	// UsedUp: it was used as often as it may be.
	UsedUp
	// TTLPassedAgain and UsedUpAgain: the same, and not for the first time.
	TTLPassedAgain
	UsedUpAgain
	// Gone: revoked, or of an identity that is gone.
	Gone
)

// jwt is a token taken apart; what was signed, and the signature.
type jwt struct {
	header, claims map[string]any
	signed         string
	signature      []byte
}

func encode(header, claims map[string]any, sign func(text string) ([]byte, error)) (string, error) {
	text := ""
	for _, part := range []map[string]any{header, claims} {
		encoded, err := json.Marshal(part)
		if err != nil {
			return "", fmt.Errorf("encode token: %w", err)
		}
		text += base64.RawURLEncoding.EncodeToString(encoded) + "."
	}
	text = strings.TrimSuffix(text, ".")
	signature, err := sign(text)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// parse takes a token apart without judging its signature.
func parse(text string) (jwt, Cause) {
	if text == "" {
		return jwt{}, Empty
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return jwt{}, Malformed
	}
	t := jwt{signed: parts[0] + "." + parts[1]}
	for i, into := range []*map[string]any{&t.header, &t.claims} {
		decoded, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(decoded, into) != nil {
			return jwt{}, Invalid
		}
	}
	var err error
	if t.signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return jwt{}, Invalid
	}
	return t, Accepted
}

// timely judges "exp".
func (t jwt) timely(now time.Time) Cause {
	exp, ok := t.claims["exp"].(float64)
	switch {
	case !ok:
		return NoExpiry
	case now.Before(time.Unix(int64(exp), 0)):
		return Accepted
	}
	return Expired
}

func hs256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
