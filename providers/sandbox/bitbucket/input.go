package bitbucket

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// variableInput is the body of a write. Nil means that the field was left out.
type variableInput struct {
	Key     *string
	Value   *string
	Secured *bool

	problems map[string]string
}

// readBody reads a body; DELETE has none. What cannot be understood is 400.
func readBody(r *http.Request) (variableInput, answer) {
	in := variableInput{problems: map[string]string{}}
	if r.Method == http.MethodDelete {
		return in, answer{}
	}
	bad := failure{status: http.StatusBadRequest, message: "Bad request"}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	var fields map[string]json.RawMessage
	if err != nil || len(text) > maxBody || json.Unmarshal(text, &fields) != nil {
		return in, bad.answer(false)
	}
	for _, name := range sortedNames(fields) {
		switch name {
		case "key":
			in.Key = decodeText(&in, name, fields[name])
		case "value":
			in.Value = decodeText(&in, name, fields[name])
		case "secured":
			if err := json.Unmarshal(fields[name], &in.Secured); err != nil {
				in.problems[name] = "must be a boolean"
			}
		case "type", "uuid":
			// Accepted and without effect: the path decides.
		default:
			bad.fields = map[string]string{name: "extra keys not allowed"}
			return in, bad.answer(false)
		}
	}
	return in, answer{}
}

func sortedNames(fields map[string]json.RawMessage) []string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func decodeText(in *variableInput, name string, raw json.RawMessage) *string {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		in.problems[name] = "must be a string"
		return nil
	}
	return text
}

// require notes a missing field.
func (in *variableInput) require(name string, missing bool) {
	if _, said := in.problems[name]; missing && !said {
		in.problems[name] = "required"
	}
}

// apply validates and merges the body into v, which stays as it was when the
// answer is a refusal.
func (in *variableInput) apply(v *world.Variable, s world.Switches) answer {
	if in.Key != nil {
		in.checkKey(*in.Key)
	}
	if in.Value != nil {
		value := in.checkValue(*in.Value, s.LineBreaks)
		in.Value = &value
	}
	if len(in.problems) > 0 {
		return failure{
			status: http.StatusBadRequest, message: "Bad request", detail: "Validation of the variable failed",
			code: "variable-service.request.validation-error", arguments: in.problems,
		}.answer(s.LeanErrors)
	}
	if in.Key != nil {
		v.Key = *in.Key
	}
	if in.Value != nil {
		v.Value = *in.Value
	}
	if in.Secured != nil {
		v.Secured = *in.Secured
	}
	return answer{}
}

// checkKey applies the newer check of the vendor's own page: letters, digits
// and "_", "-", ".", and neither a digit nor "-" nor "." first.
func (in *variableInput) checkKey(key string) {
	bad := func(r rune) bool {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && r != '-' && r != '.' && (r < '0' || r > '9')
	}
	switch {
	case key == "":
		in.problems["key"] = "must not be empty"
	case strings.ContainsFunc(key, bad) || strings.ContainsAny(key[:1], "0123456789-."):
		in.problems["key"] = "must start with a letter or underscore and hold only letters, digits, '_', '-' and '.'"
	}
}

func (in *variableInput) checkValue(value, lineBreaks string) string {
	if lineBreaks == world.LineBreaksStrip {
		value = strings.NewReplacer("\r", "", "\n", "").Replace(value)
	}
	switch {
	case value == "":
		in.problems["value"] = "must not be empty"
	case strings.ContainsAny(value, "\r\n") && lineBreaks != world.LineBreaksKeep:
		in.problems["value"] = "must not hold line breaks"
	}
	return value
}
