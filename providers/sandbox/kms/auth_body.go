package kms

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
)

// readFields reads a JSON object and the text fields in it; what is not there, or
// is no text, is an issue. ok is false where the body is no such object, or too
// large.
func readFields(r *http.Request, names ...string) (fields []string, issues []answer.Issue, ok bool) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	var given map[string]any
	if err != nil || len(text) > maxBody || json.Unmarshal(text, &given) != nil {
		return nil, nil, false
	}
	for _, name := range names {
		value, isText := given[name].(string)
		if !isText {
			issues = append(issues, answer.Issue{Code: "invalid_type", Path: []string{name}, Message: "Required"})
		}
		fields = append(fields, strings.TrimSpace(value))
	}
	return fields, issues, true
}

// currentFields reads a body as servers of 2026 do: one that is empty, too large
// or not JSON is a 500, as seen.
func currentFields(r *http.Request, names ...string) ([]string, *answer.Problem) {
	fields, issues, ok := readFields(r, names...)
	if !ok {
		return nil, answer.Fail(http.StatusInternalServerError, "InternalServerError", "Something went wrong")
	}
	if issues != nil {
		return nil, answer.Invalid(http.StatusUnprocessableEntity, issues...)
	}
	return fields, nil
}

func readLogin(r *http.Request) (clientID, clientSecret string, p *answer.Problem) {
	fields, p := currentFields(r, "clientId", "clientSecret")
	if p != nil {
		return "", "", p
	}
	return fields[0], fields[1], nil
}

// legacyReadLogin also takes a form. Nothing, or a text, is not valid; broken JSON
// is a 400 (all seen in 2024).
func legacyReadLogin(r *http.Request) (clientID, clientSecret string, p *answer.Problem) {
	text, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	kind := r.Header.Get("Content-Type")
	fields := map[string]any{}
	switch {
	case len(text) > maxBody:
		return "", "", answer.Fail(http.StatusRequestEntityTooLarge, "Payload Too Large", "Request body is too large")
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		form, _ := url.ParseQuery(string(text))
		for name := range form {
			fields[name] = form.Get(name)
		}
	case len(text) == 0 || strings.HasPrefix(kind, "text/plain"):
		return "", "", answer.Invalid(http.StatusForbidden, answer.Issue{Code: "invalid_type", Expected: "object", Received: "null", Path: []string{}, Message: "Expected object, received null"})
	case json.Unmarshal(text, &fields) != nil:
		return "", "", answer.Fail(http.StatusBadRequest, "Bad Request", "Expected property name or '}' in JSON at position 1")
	}
	var issues []answer.Issue
	field := func(name string) string {
		value, ok := fields[name].(string)
		if !ok {
			issues = append(issues, answer.Issue{Code: "invalid_type", Expected: "string", Received: "undefined", Path: []string{name}, Message: "Required"})
		}
		return strings.TrimSpace(value)
	}
	clientID, clientSecret = field("clientId"), field("clientSecret")
	if issues != nil {
		return "", "", answer.Invalid(http.StatusForbidden, issues...)
	}
	return clientID, clientSecret, nil
}
