package kms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// problem is an answer that is not 200.
type problem struct {
	status int
	body   errorBody
	// bare leaves out the request id, as the framework's own errors do.
	bare bool
}

// errorBody is the service's error envelope. Message is a text, or for 422 a
// list of issues.
type errorBody struct {
	ReqID      string   `json:"reqId,omitempty"`
	StatusCode int      `json:"statusCode"`
	Message    any      `json:"message"`
	Error      string   `json:"error"`
	Details    []denial `json:"details,omitempty"`
}

// denial is one entry of the details of a PermissionDenied.
type denial struct {
	Action     string         `json:"action"`
	Inverted   bool           `json:"inverted"`
	Subject    string         `json:"subject"`
	Conditions map[string]any `json:"conditions"`
}

// issue is one entry of the message of a ValidationFailure.
type issue struct {
	Code    string   `json:"code"`
	Path    []string `json:"path"`
	Message string   `json:"message"`
}

func fail(status int, code, message string) *problem {
	return &problem{status: status, body: errorBody{StatusCode: status, Message: message, Error: code}}
}

func routeNotFound(r *http.Request) *problem {
	p := fail(http.StatusNotFound, "Not Found", "Route "+r.Method+":"+r.URL.RequestURI()+" not found")
	p.bare = true
	return p
}

func invalid(issues ...issue) *problem {
	p := fail(http.StatusUnprocessableEntity, "ValidationFailure", "")
	p.body.Message = issues
	return p
}

func denied(env, path string) *problem {
	p := fail(http.StatusForbidden, "PermissionDenied", "You are not allowed to read on secrets")
	p.body.Details = []denial{{Action: "readValue", Subject: "secrets", Conditions: map[string]any{"environment": env, "secretPath": path}}}
	return p
}

// StatusBody renders an error of any status in the service's envelope, for
// planned faults.
func StatusBody(status int) []byte {
	code := strings.ReplaceAll(http.StatusText(status), " ", "")
	switch status {
	case http.StatusTooManyRequests:
		code = "RateLimitExceeded"
	case http.StatusUnauthorized:
		code = "UnauthorizedError"
	case http.StatusForbidden:
		code = "ForbiddenError"
	}
	text, err := marshal(errorBody{ReqID: "req-sandboxfault00", StatusCode: status, Message: "Planned fault of the sandbox", Error: code})
	if err != nil {
		return nil
	}
	return text
}

func (s *Service) requestID(p *problem) string {
	if p.bare {
		return ""
	}
	return "req-" + strings.ReplaceAll(s.store.NewUUID(), "-", "")[:14]
}

// marshal renders without escaping <, > and &, as the service does.
func marshal(body any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := marshal(body)
	if err != nil {
		http.Error(w, "encode", http.StatusInternalServerError)
		return
	}
	writeText(w, status, text)
}

func writeText(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
