// Package answer has what the answers of both generations are made of: refusals,
// the query of a request, and the bodies that they share.
package answer

import (
	"net/http"
	"slices"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// Call is a request for something to read, by an identity that is known.
type Call struct {
	World   *world.World
	ID      *world.Identity
	Request *http.Request
	// Args are the variable segments of the path, decoded.
	Args []string
}

// Member tells whether the identity belongs to the project.
func (c Call) Member(p *world.Project) bool {
	return c.ID.Projects == nil || slices.Contains(c.ID.Projects, p.Slug)
}

// Handler answers a Call.
type Handler func(Call) (any, *Problem)

// Problem is an answer that is not 200.
type Problem struct {
	Status int
	Body   Body
	// Bare leaves out the request id, as the framework's own errors do.
	Bare bool
}

// Body is the service's error envelope. Message is a text, or a list of
// issues where a request is not valid.
type Body struct {
	ReqID      string   `json:"reqId,omitempty"`
	StatusCode int      `json:"statusCode"`
	Message    any      `json:"message"`
	Error      string   `json:"error"`
	Details    []Denial `json:"details,omitempty"`
}

// Denial is one entry of the details of a PermissionDenied.
type Denial struct {
	Action     string         `json:"action"`
	Inverted   bool           `json:"inverted"`
	Subject    string         `json:"subject"`
	Conditions map[string]any `json:"conditions"`
}

// Issue is one entry of the message of a ValidationFailure.
type Issue struct {
	Code     string   `json:"code"`
	Expected string   `json:"expected,omitempty"`
	Received string   `json:"received,omitempty"`
	Path     []string `json:"path"`
	Message  string   `json:"message"`
}

// Fail makes a refusal.
func Fail(status int, code, message string) *Problem {
	return &Problem{Status: status, Body: Body{StatusCode: status, Message: message, Error: code}}
}

// RouteNotFound is the framework's own 404, the same in both generations.
func RouteNotFound(r *http.Request) *Problem {
	p := Fail(http.StatusNotFound, "Not Found", "Route "+r.Method+":"+r.URL.RequestURI()+" not found")
	p.Bare = true
	return p
}

// Invalid refuses a request that is not valid: 422 in 2026, 403 in 2024.
func Invalid(status int, issues ...Issue) *Problem {
	p := Fail(status, "ValidationFailure", "")
	p.Body.Message = issues
	return p
}
