package bitbucket

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// authenticate finds the credential. The form of the 401 depends on what was
// sent: an empty body with WWW-Authenticate for Basic and for nothing at all,
// JSON for Bearer.
func authenticate(b *world.Bitbucket, r *http.Request, lean bool) (*world.Token, answer) {
	header := r.Header.Get("Authorization")
	bearer, isBearer := strings.CutPrefix(header, "Bearer ")
	email, apiToken, isBasic := r.BasicAuth()
	for i := range b.Tokens {
		t := &b.Tokens[i]
		if isBearer && t.AccessToken != "" && t.AccessToken == bearer {
			return t, answer{}
		}
		if isBasic && t.APIToken != "" && t.Email == email && t.APIToken == apiToken {
			return t, answer{}
		}
	}
	if isBearer {
		return nil, failure{status: http.StatusUnauthorized, message: "Token is invalid, expired, or not supported for this endpoint."}.answer(lean)
	}
	refused := answer{status: http.StatusUnauthorized, header: http.Header{}}
	refused.header.Set("WWW-Authenticate", `Basic realm="Bitbucket.org HTTP"`)
	return nil, refused
}

// permit compares the scopes of the token with what the route needs. Scopes
// do not include each other.
func permit(t *world.Token, need [2]string, h http.Header, lean bool) answer {
	wanted := need[0]
	if t.AccessToken == "" {
		wanted = need[1]
	}
	h.Set("X-Accepted-OAuth-Scopes", wanted)
	h.Set("X-Credential-Type", "apitoken")
	if t.AccessToken != "" {
		h.Set("X-Credential-Type", "repository_access_token")
	}
	// No classic scope is asked for where the document declares none.
	if t.Scopes == nil || wanted == "" {
		h.Set("X-OAuth-Scopes", wanted)
		return answer{}
	}
	h.Set("X-OAuth-Scopes", strings.Join(t.Scopes, ", "))
	if slices.Contains(t.Scopes, need[0]) || slices.Contains(t.Scopes, need[1]) {
		return answer{}
	}
	return failure{
		status: http.StatusForbidden, message: "Your credentials lack one or more required privilege scopes.",
		detail: scopeDetail{Required: []string{wanted}, Granted: t.Scopes},
	}.answer(lean)
}

// reach refuses an access token of one repository what lies outside of it: other
// repositories as to a stranger, and what belongs to the workspace.
func reach(b *world.Bitbucket, t *world.Token, rt route) answer {
	if t.Repository == "" {
		return answer{}
	}
	if rt.repository == "" {
		return wrongMechanism(b.Switches.LeanErrors)
	}
	workspace, repository, _ := strings.Cut(t.Repository, "/")
	if w := b.Workspace(rt.workspace); w != nil && w.Slug == workspace {
		if r := w.Repository(rt.repository); r != nil && r.Slug == repository {
			return answer{}
		}
	}
	return repositoryNotFound(rt, b.Switches.LeanErrors)
}

type scopeDetail struct {
	Required []string `json:"required"`
	Granted  []string `json:"granted"`
}

// hour refuses a credential that has asked as often as it may within the last hour,
// and tells an access token how it stands. The service promises no Retry-After.
func (s *Service) hour(limit int, t *world.Token, h http.Header, lean bool) answer {
	if limit < 1 {
		return answer{}
	}
	s.mu.Lock()
	now, who := s.now(), t.AccessToken+t.Email
	s.asked[who] = slices.DeleteFunc(s.asked[who], func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	full := len(s.asked[who]) >= limit
	if !full {
		s.asked[who] = append(s.asked[who], now)
	}
	left := limit - len(s.asked[who])
	s.mu.Unlock()
	if t.AccessToken != "" {
		h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		h.Set("X-RateLimit-Resource", "api")
		h.Set("X-RateLimit-NearLimit", strconv.FormatBool(left*5 < limit))
	}
	if !full {
		return answer{}
	}
	return failure{status: http.StatusTooManyRequests, message: tooMany}.answer(lean)
}

const tooMany = "Rate limit for this resource has been exceeded"

// burst refuses every n-th write where the world says so.
func (s *Service) burst(b *world.Burst, lean bool) answer {
	if b == nil || b.Every < 1 {
		return answer{}
	}
	s.mu.Lock()
	s.writes++
	due := s.writes%b.Every == 0
	s.mu.Unlock()
	if !due {
		return answer{}
	}
	a := failure{status: http.StatusTooManyRequests, message: tooMany}.answer(lean)
	switch b.Form {
	case world.BurstRetryAfter:
		a.header = http.Header{"Retry-After": []string{"1"}}
	case world.BurstPlain:
		a.body, a.header = []byte(tooMany), http.Header{"Content-Type": []string{"text/plain"}}
	case world.Burst403:
		a.status = http.StatusForbidden
	}
	return a
}
