package answer

import (
	"net/url"
	"strings"
)

// Query reads parameters and keeps what is wrong with them.
type Query struct {
	Values url.Values
	Issues []Issue
}

// One reads a parameter that may be given once.
func (q *Query) One(name string) string {
	if len(q.Values[name]) > 1 {
		q.Issues = append(q.Issues, Issue{Code: "invalid_type", Path: []string{name}, Message: "Expected string, received array"})
	}
	return q.Values.Get(name)
}

// Flag reads a switch, which is literally "true" or "false".
func (q *Query) Flag(name string, unset bool) bool {
	v := q.One(name)
	if _, given := q.Values[name]; given && v != "true" && v != "false" {
		q.Issues = append(q.Issues, Issue{Code: "invalid_enum_value", Path: []string{name}, Message: "Invalid enum value. Expected 'true' | 'false'"})
	}
	return v == "true" || v == "" && unset
}

// Required reads a parameter that the schema of its route demands.
func (q *Query) Required(name string) string {
	v := q.One(name)
	if _, given := q.Values[name]; !given {
		q.Issues = append(q.Issues, Issue{Code: "invalid_type", Expected: "string", Received: "undefined", Path: []string{name}, Message: "Required"})
	}
	return v
}

// PlainPath tells whether a path has only characters that both generations
// allow: letters, digits, "_", "-" and "/".
func PlainPath(path string) bool {
	return !strings.ContainsFunc(path, func(r rune) bool {
		word := r == '_' || r == '-' || r == '/' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !word
	})
}
