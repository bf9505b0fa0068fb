package kms

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

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
	codeValidation   = "ValidationFailure"         // 422, or 403 on servers of 2024
)

// The hints of errors.
const (
	hintNoFolder    = "The folder or the environment does not exist; check environment and secret_path."
	hintNoProject   = "No project of that id is visible to the machine identity; check project, and add the identity to it."
	hintNoSlug      = "No project of that slug is visible to the machine identity; check project, and add the identity to it."
	hintNoMember    = "The machine identity is not a member of the project; add it there."
	hintRight       = "The machine identity lacks a right: it must be able to read secrets, values included, in this folder."
	hintLogin       = "The client id or client secret is wrong, expired or revoked. It is not tried again in this run, since the third refusal locks the identity out for a while."
	hintToken       = "The access token is wrong, expired or revoked, or the identity was deleted."
	hintOther       = "This host does not speak the /api of a KMS; check the address."
	hintEncrypted   = "The project is of the old kind that is encrypted end to end, which no machine identity reads; have the KMS upgrade it."
	hintHeld        = "The KMS holds this read back until somebody allows it there (aiAccess)."
	hintOIDCNone    = "The machine identity does not exist, or OIDC auth is not configured for it; check the identity id, and its authentication in the KMS."
	hintOIDCSubject = "The KMS accepts another subject (sub) only. In Bitbucket Pipelines the subject differs in every step: leave it empty in the KMS and bind claims such as repositoryUuid."
	hintOIDCToken   = "The KMS does not accept the OIDC token: check that it has not expired, and compare issuer, audience and claims (braces included) with the identity's OIDC auth in the KMS."
)

// shown are the codes that an error may show. Anything else may be what was sent,
// repeated.
var shown = map[string]bool{
	codeNotFound: true, codePathNotFound: true, codeGetSecret: true, codeDenied: true, codeToken: true,
	codeUnauthorized: true, codeNoMembership: true, codeValidation: true, "BadRequest": true, "ForbiddenError": true,
	"RateLimitExceeded": true, "InternalServerError": true, "DatabaseError": true, "GatewayTimeoutError": true,
	"CreateSecret": true, "UpdateSecret": true, "UpdateFolder": true, "Error": true,
}

// meaning is what a sentence of a server of 2024 says. The code is that of 2026 for
// the same thing.
type meaning struct {
	kind       providers.Kind
	code, hint string
}

// messages are sentences in the message of an answer with status 400.
var messages = map[string]meaning{
	"Secret not found": {providers.KindNotFound, codeNotFound, ""},
	"Folder not found for the given environment slug & secret path": {providers.KindNotFound, codeGetSecret, hintNoFolder},
	"Folder not found":                     {providers.KindNotFound, codePathNotFound, hintNoFolder},
	"Environment not found":                {providers.KindNotFound, codePathNotFound, hintNoFolder},
	"Project not found during bot lookup.": {providers.KindNotFound, "", hintNoProject},
	"Failed to find bot key":               {providers.KindUnsupported, "", hintEncrypted},
}

// usedUp is in the message of 400 when a token was used as often as it may be (2024).
const usedUp = "number of uses limit reached"

// steps are sentences in the error of an answer with status 500: the step that failed.
var steps = map[string]meaning{
	"Failed to find project by slug": {providers.KindNotFound, "", hintNoSlug},
	"Failed to find project by id":   {providers.KindNotFound, "", hintNoProject},
	"Find by secret path":            {providers.KindNotFound, "", "The path holds a character that this server does not allow; check secret_path."},
}

var (
	missingRoute = regexp.MustCompile(`^Route [A-Z]+:.* not found$`)
	// aboutToken is a message with status 500: "jwt expired", "invalid token",
	// "invalid signature" (servers of 2024).
	aboutToken = regexp.MustCompile(`(?i)jwt|token|signature`)
	// noSecret is the message of a 404 NotFound about a secret that is not there.
	noSecret = regexp.MustCompile(`(?is)^secret( with .*)? not found`)
	// around begins a 404 NotFound that is not about a secret but about where it should
	// be: "Project with ID … not found".
	around = regexp.MustCompile(`(?i)^(the )?(project|environment|folder|identity|organi[sz]ation|workspace)\b`)
)

// envelope is the server's error body. message is text, or a list (validation), or an
// object, and error a code or a sentence; both are looked at, never shown.
type envelope struct {
	ReqID   string          `json:"reqId"`
	Message json.RawMessage `json:"message"`
	Error   json.RawMessage `json:"error"`
}

func textOf(raw json.RawMessage) string {
	var text string
	_ = json.Unmarshal(raw, &text) // what is no text stays empty
	return text
}

// fail reads an error answer of the KMS. Any body is fine.
func fail(r *httpx.Request, status int, header http.Header, body []byte) *providers.Error {
	var got envelope
	// What does not fit stays empty: the status decides then.
	_ = json.Unmarshal(body, &got)
	message, code := textOf(got.Message), textOf(got.Error)
	e := &providers.Error{}
	if shown[code] { // it may also be a sentence with a URL in it, or anything else
		e.Code = code
	}
	said, isSaid := messages[message]
	if status != http.StatusBadRequest {
		said, isSaid = steps[code]
		isSaid = isSaid && status == http.StatusInternalServerError
	}
	switch {
	case isSaid:
		e.Kind, e.Code, e.Hint = said.kind, said.code, said.hint
	case status == http.StatusInternalServerError && aboutToken.Match(got.Message),
		status == http.StatusBadRequest && strings.Contains(message, usedUp):
		refused(e, r)
	case status >= 500, status == http.StatusRequestTimeout:
		e.Kind = providers.KindUnavailable
		if status == http.StatusNotImplemented {
			e.Kind = providers.KindUnsupported
		}
	case httpx.IsForeign(header, body):
		e.Kind, e.Hint = providers.KindForeign, hintOther
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		denied(e, r, status, code)
	case status == http.StatusNotFound:
		missing(e, r, got.ReqID, message)
	default:
		e.Kind = providers.KindInvalid
	}
	return e
}

// refused is a credential that is not accepted.
func refused(e *providers.Error, r *httpx.Request) {
	e.Kind, e.Hint = providers.KindUnauthenticated, hintToken
	switch {
	case isOIDC(r):
		e.Hint = hintOIDCToken
	case r.Op == opLogin:
		e.Hint = hintLogin
	}
}

func isOIDC(r *httpx.Request) bool { return r.Template == loginPath(kindOIDC) }

// denied tells a credential that is not accepted (401, 403 TokenError or
// UnauthorizedError) from a right that is missing (403; 401 PermissionDenied in 2024)
// and from a request that is not valid (403 ValidationFailure in 2024).
func denied(e *providers.Error, r *httpx.Request, status int, code string) {
	switch {
	case e.Code == codeToken, e.Code == codeUnauthorized, code == "Unauthorized access",
		status == http.StatusUnauthorized && e.Code != codeDenied:
		refused(e, r)
	case e.Code == codeValidation:
		e.Kind = providers.KindInvalid
	case e.Code == codeNoMembership, code == "Identity not in project":
		e.Kind, e.Hint = providers.KindForbidden, hintNoMember
	case isOIDC(r):
		e.Kind, e.Hint = providers.KindUnauthenticated, hintOIDCSubject
	default:
		e.Kind, e.Hint = providers.KindForbidden, hintRight
	}
}

// missing tells a missing route, which only the web framework answers (it adds
// no reqId), from a missing thing.
func missing(e *providers.Error, r *httpx.Request, reqID, message string) {
	e.Kind = providers.KindNotFound
	switch {
	case reqID == "" && missingRoute.MatchString(message):
		e.Kind = providers.KindUnsupported
		e.Hint = "This server does not serve " + r.Template + "; check the address. Servers older than July 2024 are not supported."
	case reqID == "": // a gateway; a KMS signs whatever it misses
		e.Kind, e.Code, e.Hint = providers.KindForeign, "", hintOther
	case isOIDC(r):
		e.Kind, e.Hint = providers.KindUnauthenticated, hintOIDCNone
	case e.Code == codePathNotFound, e.Code == codeGetSecret:
		e.Hint = hintNoFolder
	case r.Op == opProject:
		e.Hint = hintNoSlug
	case strings.HasPrefix(strings.ToLower(message), "project"):
		e.Code, e.Hint = "", hintNoProject
	case r.Op == opFolders, r.Op == opImports, around.MatchString(message):
		e.Code, e.Hint = codePathNotFound, hintNoFolder
	case strings.HasSuffix(r.Template, "/{name}") && !noSecret.MatchString(message):
		e.Code = "" // about something else: no proof that a secret is not there
	}
}
