package bitbucket

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

const (
	codeNoVariable = "variable-service.variable.not-found"

	hintGone      = "deleted, renamed, or this token lost access; or Pipelines was never switched on for it"
	hintNoSpace   = "deleted, renamed, or this token has no access to the workspace"
	hintOff       = "The repository is there, and Pipelines was never switched on for it; switch it on in the settings of the repository."
	hintVariable  = "The variable was deleted or made anew since it was listed."
	hintLogin     = "The token is wrong, expired or revoked. An API token needs the e-mail address of the Atlassian account, not the user name; app passwords ended on 2026-07-28."
	hintMechanism = "This kind of credential is not accepted here; use an access token of the repository or workspace, or an API token with scopes."
	hintRead      = "To read, the credential needs the scopes pipeline and repository (API token: read:pipeline:bitbucket and read:repository:bitbucket), and an admin of the repository behind it."
	hintWrite     = "The credential needs the scope pipeline:variable (API token: admin:pipeline:bitbucket) to write, and an admin of the repository behind it."
	hintWorkspace = "An API token needs the scope read:workspace:bitbucket to identify the workspace; of access tokens, one of the workspace is needed, not of a repository or project."
	hintSpaceRead = "To read a workspace's variables, the credential needs the scope pipeline (API token: read:pipeline:bitbucket and read:workspace:bitbucket), and an admin of the workspace behind it; an access token of one repository is not enough."
	hintSpaceSet  = "To write a workspace's variables, the credential needs the scope pipeline:variable (API token: admin:pipeline:bitbucket), and an admin of the workspace behind it; an access token of one repository is not enough."
	hintHTML      = "A proxy or login page answered, or Bitbucket's front door refused the request; check the address, HTTPS_PROXY and NO_PROXY."
	hintNoAPI     = "This host does not speak the /2.0 of Bitbucket; check the address."
	hintLarge     = "The value is larger than Bitbucket, or a proxy on the way, accepts; make it smaller."
	hintWithdrawn = "Bitbucket has withdrawn this endpoint; a newer kmsync may know another."
)

// shown are the codes that an error may show. Anything else may be what was sent,
// repeated.
var shown = map[string]bool{
	codeNoVariable: true, "variable-service.variable.duplicate": true, "unexpected.response.body": true,
	"deploy-service.environment.change-not-supported": true, "deploy-service.request.validation-error": true,
	"report-service.general.bad-request": true,
}

// scope has the form of a scope's name, made of the words that scopes are made
// of: pipeline, pipeline:variable, admin:pipeline:bitbucket.
var scope = regexp.MustCompile(`^(read|write|admin|delete|account|email|team|project|repository|pullrequest|pipeline|` +
	`variable|runner|webhook|wiki|snippet|issue|user|workspace|permission|bitbucket|test|ssh-key|gpg-key|package)` +
	`(:(read|write|admin|delete|variable|repository|pullrequest|pipeline|runner|webhook|project|workspace|user|bitbucket|` +
	`permission|test|snippet|issue|wiki|ssh-key|gpg-key|package)){0,2}$`)

// envelope is an error body of any /2.0 path. Every part may be missing, or
// have another shape than usual.
type envelope struct {
	Error json.RawMessage `json:"error"`
	Data  json.RawMessage `json:"data"`
}

type detail struct {
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"` // text, or the scopes
	Fields  json.RawMessage `json:"fields"` // name → text or list of texts
	Data    json.RawMessage `json:"data"`
}

type data struct {
	Key       json.RawMessage `json:"key"`
	Arguments json.RawMessage `json:"arguments"`
}

// read returns v decoded from raw as far as it fits; what does not stays zero.
func read[T any](raw []byte) (v T) {
	if json.Unmarshal(raw, &v) != nil {
		var zero T
		return zero
	}
	return v
}

// fail reads an error answer of Bitbucket. Any body is fine. Texts of the body
// are compared, never shown: they may repeat what was sent.
func fail(r *httpx.Request, status int, header http.Header, body []byte) *providers.Error {
	top := read[envelope](body)
	inner := read[detail](top.Error)
	more := dataOf(top, inner)
	e := &providers.Error{Kind: kindOf(status)}
	if text := read[string](more.Key); shown[text] {
		e.Code = text
	}
	e.Hint = hint(r, status, e.Code, inner, more)
	switch {
	case status == http.StatusRequestEntityTooLarge: // a front door says it in HTML
	case httpx.IsForeign(header, body) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) && status < 500:
		// What a page says about existence proves nothing.
		if e.Kind != providers.KindUnauthenticated && e.Kind != providers.KindInvalid {
			e.Kind = providers.KindForeign
		}
		e.Hint = hintHTML
	case status == http.StatusNotFound && isElsewhere(top, inner, body):
		e.Kind, e.Hint = providers.KindForeign, hintNoAPI
	}
	return e
}

// isElsewhere reports whether a 404 is about the path and not about what it names: the
// detail of an unknown path is "There is no API hosted at this URL", and a body of
// another form than {"error":{…}} is of another service.
func isElsewhere(top envelope, inner detail, body []byte) bool {
	if strings.Contains(read[string](inner.Detail), "no API hosted") {
		return true
	}
	return len(bytes.TrimSpace(body)) > 0 && !isObject(top.Error)
}

func isObject(raw []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }

// dataOf returns the part of an error body for programs, which some errors have at the
// top instead.
func dataOf(top envelope, inner detail) data {
	more := read[data](inner.Data)
	if more.Key == nil && more.Arguments == nil {
		more = read[data](top.Data)
	}
	return more
}

func kindOf(status int) providers.Kind {
	switch status {
	case http.StatusUnauthorized:
		return providers.KindUnauthenticated
	case http.StatusForbidden:
		return providers.KindForbidden
	case http.StatusNotFound:
		return providers.KindNotFound
	case http.StatusConflict:
		return providers.KindConflict
	case http.StatusGone, http.StatusNotImplemented:
		return providers.KindUnsupported
	case http.StatusRequestTimeout:
		return providers.KindUnavailable
	}
	if status >= 500 {
		return providers.KindUnavailable
	}
	return providers.KindInvalid
}

func hint(r *httpx.Request, status int, code string, inner detail, more data) string {
	switch status {
	case http.StatusUnauthorized:
		return hintLogin
	case http.StatusForbidden:
		return hintForbidden(r, inner)
	case http.StatusNotFound:
		if code == codeNoVariable {
			return hintVariable
		}
		if ofWorkspace(r) || strings.HasPrefix(read[string](inner.Message), "No workspace") {
			return hintNoSpace
		}
		return hintGone
	case http.StatusGone:
		return hintWithdrawn
	case http.StatusRequestEntityTooLarge:
		return hintLarge
	case http.StatusBadRequest:
		return hintFields(inner, more)
	}
	return ""
}

// hintForbidden names the scopes of a scope failure, and knows the two texts that
// mean the wrong kind of credential. Where the answer does not say which right is
// missing, the request does: granular scopes do not include each other.
func hintForbidden(r *httpx.Request, inner detail) string {
	type scopes struct {
		Required []string `json:"required"`
		Granted  []string `json:"granted"`
	}
	if s := read[scopes](inner.Detail); allScopes(s.Required) && len(s.Required) > 0 {
		text := "The credential lacks the scope " + strings.Join(s.Required, ", ")
		if allScopes(s.Granted) && len(s.Granted) > 0 {
			text += "; it has " + strings.Join(s.Granted, ", ")
		}
		return text + "."
	}
	message := read[string](inner.Message)
	mechanism := strings.Contains(message, "authentication mechanism") ||
		strings.Contains(message, "authentication using the provided token")
	switch {
	case ofWorkspace(r):
		return hintForWorkspace(r)
	case mechanism:
		return hintMechanism
	case r.Method == http.MethodGet:
		return hintRead
	}
	return hintWrite
}

// ofWorkspace reports whether a request is about a workspace itself, not about one
// of its repositories.
func ofWorkspace(r *httpx.Request) bool { return strings.HasPrefix(r.Template, templateWorkspace) }

// hintForWorkspace says which rights a request about a workspace needs, which are
// others than those in its repositories.
func hintForWorkspace(r *httpx.Request) string {
	switch {
	case r.Template == templateWorkspace:
		return hintWorkspace
	case r.Method == http.MethodGet:
		return hintSpaceRead
	}
	return hintSpaceSet
}

func allScopes(names []string) bool {
	return !slices.ContainsFunc(names, func(s string) bool { return !scope.MatchString(s) })
}

// hintFields names which of our own fields were refused.
func hintFields(inner detail, more data) string {
	named := read[map[string]json.RawMessage](inner.Fields)
	arguments := read[map[string]json.RawMessage](more.Arguments)
	var refused []string
	for _, field := range []string{"key", "value", "secured"} {
		_, a := named[field]
		_, b := arguments[field]
		if a || b {
			refused = append(refused, field)
		}
	}
	if len(refused) == 0 {
		return ""
	}
	text := "Bitbucket refuses the " + strings.Join(refused, " and the ") + " of the variable"
	if slices.Contains(refused, "value") {
		text += ": it may be too large, or hold what a variable cannot carry; change it in the KMS"
	}
	return text + "."
}

// limited recognises the rate limit that comes as 403: in an error body, or as
// plain text.
func limited(status int, body []byte) bool {
	if status != http.StatusForbidden {
		return false
	}
	text := body
	if inner := read[detail](read[envelope](body).Error); inner.Message != nil {
		text = inner.Message
	}
	return bytes.Contains(bytes.ToLower(text), []byte("rate limit"))
}
