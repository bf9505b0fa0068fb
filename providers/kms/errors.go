package kms

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

// Codes of the error field that decide something, as servers of 2026 send them.
const (
	codeNotFound     = "NotFound"                  // 404: the thing itself is missing
	codePathNotFound = "SecretPathNotFound"        // 404: folder or environment missing, on a list
	codeGetSecret    = "GetSecretByName"           // 404: the same, on a single read
	codeDenied       = "PermissionDenied"          // 403; 401 on servers of 2024
	codeToken        = "TokenError"                // 403: expired or malformed token
	codeUnauthorized = "UnauthorizedError"         // 401, or 403 on servers of 2024
	codeNoMembership = "ProjectMembershipNotFound" // 403: identity not in the project
	hintNoFolder     = "The folder or the environment does not exist; check environment and secret_path."
	hintNoMember     = "The machine identity is not a member of the project; add it there."
	hintRight        = "The machine identity lacks a right: it must be able to read secrets, values included, in this folder."
	hintLogin        = "The client id or client secret is wrong, expired or revoked. It is not tried again in this run, since the third refusal locks the identity out for a while."
	hintToken        = "The access token is wrong, expired or revoked, or the identity was deleted."
	hintOther        = "This host does not speak the /api of a KMS; check the address."
)

// shown are the codes that an error may show. Anything else may be what was sent,
// repeated.
var shown = map[string]bool{
	codeNotFound: true, codePathNotFound: true, codeGetSecret: true, codeDenied: true, codeToken: true,
	codeUnauthorized: true, codeNoMembership: true, "BadRequest": true, "ForbiddenError": true, "ValidationFailure": true,
	"RateLimitExceeded": true, "InternalServerError": true, "DatabaseError": true, "GatewayTimeoutError": true,
	"CreateSecret": true, "UpdateSecret": true, "UpdateFolder": true, "Error": true,
}

var missingRoute = regexp.MustCompile(`^Route [A-Z]+:.* not found$`)

// envelope is the server's error body. message is text, or a list (422), or an
// object; it is looked at, never shown.
type envelope struct {
	ReqID   string          `json:"reqId"`
	Message json.RawMessage `json:"message"`
	Error   json.RawMessage `json:"error"`
}

// fail reads an error answer of the KMS. Any body is fine.
func fail(r *httpx.Request, status int, header http.Header, body []byte) *providers.Error {
	var got envelope
	// What does not fit stays empty: the status decides then.
	_ = json.Unmarshal(body, &got)
	e := &providers.Error{Code: codeOf(got.Error)}
	switch {
	case status >= 500, status == http.StatusRequestTimeout:
		e.Kind = providers.KindUnavailable
		if status == http.StatusNotImplemented {
			e.Kind = providers.KindUnsupported
		}
	case httpx.IsForeign(header, body):
		e.Kind, e.Hint = providers.KindForeign, hintOther
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		denied(e, r, status)
	case status == http.StatusNotFound:
		missing(e, r, got)
	default:
		e.Kind = providers.KindInvalid
	}
	return e
}

// denied tells a credential that is not accepted (401, 403 TokenError) from a
// right that is missing.
func denied(e *providers.Error, r *httpx.Request, status int) {
	switch {
	case e.Code == codeToken, e.Code == codeUnauthorized, status == http.StatusUnauthorized && e.Code != codeDenied:
		e.Kind, e.Hint = providers.KindUnauthenticated, hintToken
		if r.Op == opLogin {
			e.Hint = hintLogin
		}
	case e.Code == codeNoMembership:
		e.Kind, e.Hint = providers.KindForbidden, hintNoMember
	default:
		e.Kind, e.Hint = providers.KindForbidden, hintRight
	}
}

// missing tells a missing route, which only the web framework answers (it adds
// no reqId), from a missing thing.
func missing(e *providers.Error, r *httpx.Request, got envelope) {
	e.Kind = providers.KindNotFound
	var text string
	switch {
	case got.ReqID == "" && json.Unmarshal(got.Message, &text) == nil && missingRoute.MatchString(text):
		e.Kind = providers.KindUnsupported
		e.Hint = "This server does not serve " + r.Template + "; older servers are not supported yet."
	case e.Code == codePathNotFound, e.Code == codeGetSecret:
		e.Hint = hintNoFolder
	case r.Op == opProject:
		e.Hint = "No project of that slug is visible to the machine identity."
	}
}

// codeOf returns the error field if it is a known code: it may also be a sentence
// with a URL in it, or anything else.
func codeOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil || !shown[text] {
		return ""
	}
	return text
}
