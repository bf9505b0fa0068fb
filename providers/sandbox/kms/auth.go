package kms

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

const (
	// tokenTTL is the life of an issued token; the service's default is longer.
	tokenTTL = 2 * time.Hour
	// maxTTL is what is reported as the longest life by renewal.
	maxTTL = 24 * time.Hour
	// lockAfter failures in a row lock a client id for lockFor; failures that
	// lie further apart than forgetAfter do not count together.
	lockAfter   = 3
	lockFor     = 5 * time.Minute
	forgetAfter = 30 * time.Second
)

// issued is a token that a login gave out. It lives in this process only.
type issued struct {
	clientID string
	expires  time.Time
}

// failure counts refused logins of one client id.
type failure struct {
	count int
	last  time.Time
}

// authenticate finds whose token the header carries. Like the service it
// drops the first seven characters, whatever they are.
func (s *Service) authenticate(w *world.World, header string) (*world.Identity, *problem) {
	if header == "" {
		return nil, fail(http.StatusUnauthorized, "UnauthorizedError", "Token missing")
	}
	token := ""
	if len(header) > len("Bearer ") {
		token = strings.TrimSpace(header[len("Bearer "):])
	}
	if strings.HasPrefix(token, "st.") {
		return nil, fail(http.StatusNotFound, "NotFound", "Service token not found")
	}
	for i := range w.KMS.Identities {
		if id := &w.KMS.Identities[i]; token != "" && id.Token == token {
			return id, nil
		}
	}
	s.mu.Lock()
	grant, ok := s.tokens[token]
	s.mu.Unlock()
	if !ok {
		return nil, fail(http.StatusForbidden, "TokenError", "The provided access token is malformed. Please use a valid token or generate a new one and try again.")
	}
	if !s.now().Before(grant.expires) {
		return nil, fail(http.StatusForbidden, "TokenError", "Your token has expired. Please re-authenticate.")
	}
	if id := identity(w, grant.clientID); id != nil {
		return id, nil
	}
	return nil, fail(http.StatusUnauthorized, "UnauthorizedError", "You are not allowed to access this resource")
}

func identity(w *world.World, clientID string) *world.Identity {
	for i := range w.KMS.Identities {
		if id := &w.KMS.Identities[i]; clientID != "" && id.ClientID == clientID {
			return id
		}
	}
	return nil
}

// login is POST /api/v1/auth/universal-auth/login. A header that does not
// authenticate spoils it, whatever the body holds.
func (s *Service) login(r *http.Request) (body any, p *problem) {
	clientID, clientSecret, p := readLogin(r)
	if header := r.Header.Get("Authorization"); header != "" {
		s.store.Read(func(w *world.World) {
			if _, refused := s.authenticate(w, header); refused != nil {
				p = refused
			}
		})
	}
	if p != nil {
		return nil, p
	}
	s.store.Read(func(w *world.World) {
		if p = s.admit(identity(w, clientID), clientSecret); p == nil {
			body = s.issue(clientID)
		}
	})
	return body, p
}

// admit checks the secret and keeps count. While the lock lasts, the right
// secret is refused too.
func (s *Service) admit(id *world.Identity, clientSecret string) *problem {
	wrong := fail(http.StatusUnauthorized, "UnauthorizedError", "Invalid credentials")
	if id == nil {
		return wrong
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, f := s.now(), s.failures[id.ClientID]
	locked := f.count >= lockAfter
	if locked && now.Sub(f.last) < lockFor {
		return fail(http.StatusUnauthorized, "UnauthorizedError", "This identity auth method is temporarily locked, please try again later")
	}
	if locked || now.Sub(f.last) > forgetAfter {
		f = failure{}
	}
	if id.ClientSecret == clientSecret {
		delete(s.failures, id.ClientID)
		return nil
	}
	s.failures[id.ClientID] = failure{count: f.count + 1, last: now}
	return wrong
}

// loginAnswer is the body of a login; the spans are seconds.
type loginAnswer struct {
	AccessToken       string `json:"accessToken"`
	ExpiresIn         int    `json:"expiresIn"`
	AccessTokenMaxTTL int    `json:"accessTokenMaxTTL"`
	TokenType         string `json:"tokenType"`
}

// issue makes a token that looks like the service's JWT and means nothing.
func (s *Service) issue(clientID string) loginAnswer {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	unique := s.store.NewUUID()
	sum := sha256.Sum256([]byte(s.store.NewUUID() + unique))
	token := part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(`{"identityAccessTokenId":"`+unique+`"}`) + "." + part(string(sum[:]))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = issued{clientID: clientID, expires: s.now().Add(tokenTTL)}
	return loginAnswer{AccessToken: token, ExpiresIn: int(tokenTTL.Seconds()), AccessTokenMaxTTL: int(maxTTL.Seconds()), TokenType: "Bearer"}
}

// readLogin reads and validates the body. A body that is empty, too large or
// not JSON is a 500, as seen.
func readLogin(r *http.Request) (clientID, clientSecret string, p *problem) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	var fields map[string]any
	if err != nil || len(text) > maxBody || json.Unmarshal(text, &fields) != nil {
		return "", "", fail(http.StatusInternalServerError, "InternalServerError", "Something went wrong")
	}
	var issues []issue
	field := func(name string) string {
		v, ok := fields[name].(string)
		if !ok {
			issues = append(issues, issue{Code: "invalid_type", Path: []string{name}, Message: "Required"})
		}
		return strings.TrimSpace(v)
	}
	clientID, clientSecret = field("clientId"), field("clientSecret")
	if issues != nil {
		return "", "", invalid(issues...)
	}
	return clientID, clientSecret, nil
}
