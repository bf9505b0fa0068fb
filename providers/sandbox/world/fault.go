package world

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// Kinds of a Fault.
const (
	// FaultStatus answers an error in the service's own shape; no effect.
	FaultStatus = "status"
	// FaultDropBefore closes the connection before anything happened.
	FaultDropBefore = "drop_before"
	// FaultDropAfter lets the request take effect and closes the connection
	// without an answer.
	FaultDropAfter = "drop_after"
	// FaultTruncate sends half of the answer's body, then closes.
	FaultTruncate = "truncate"
	// FaultSlow waits for Delay, then answers as usual.
	FaultSlow = "slow"
	// FaultHTML answers a page of a proxy or login server; no effect.
	FaultHTML = "html"
	// FaultRedirect answers a redirect to a login server; no effect.
	FaultRedirect = "redirect"
)

// Fault is one planned failure.
type Fault struct {
	// Method is an HTTP method; empty means any.
	Method string `json:"method,omitzero"`
	// Path is compared segment by segment with the decoded path: a segment
	// "{name}" stands for any one, others are globs, a last "**" stands for any
	// rest. Empty means every path.
	Path string `json:"path,omitzero"`
	// Times is how often it acts; 0 means always.
	Times int `json:"times,omitzero"`
	// Skip lets the first matching requests pass.
	Skip int    `json:"skip,omitzero"`
	Kind string `json:"kind"`
	// Status of the answer of FaultStatus (default 500), FaultHTML (default
	// 200) and FaultRedirect (default 302).
	Status int `json:"status,omitzero"`
	// RetryAfter is sent as the Retry-After header, as it stands.
	RetryAfter string `json:"retry_after,omitzero"`
	// Body replaces the body of FaultStatus and FaultHTML, and the address that
	// FaultRedirect points to.
	Body string `json:"body,omitzero"`
	// Delay is waited for before the fault acts.
	Delay Duration `json:"delay,omitzero"`
}

// Matches tells whether the fault is about such a request. requestPath is the
// decoded path.
func (f Fault) Matches(method, requestPath string) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, method) {
		return false
	}
	return f.Path == "" || matchPath(split(f.Path), split(requestPath))
}

func matchPath(pattern, have []string) bool {
	for i, p := range pattern {
		if p == "**" && i == len(pattern)-1 {
			return true
		}
		if i >= len(have) || !matchSegment(p, have[i]) {
			return false
		}
	}
	return len(pattern) == len(have)
}

func matchSegment(pattern, have string) bool {
	if strings.HasPrefix(pattern, "{") && strings.HasSuffix(pattern, "}") {
		return true
	}
	ok, err := path.Match(pattern, have)
	return err == nil && ok
}

func split(p string) []string { return strings.Split(strings.Trim(p, "/"), "/") }

// Duration is a time span that stands in JSON as Go writes it ("1.5s").
type Duration time.Duration

// MarshalText writes the span; zero is "0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a span; the empty text is zero. Negative spans are
// refused.
func (d *Duration) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	span, err := time.ParseDuration(string(text))
	if err != nil || span < 0 {
		return fmt.Errorf("%q is not a time span like 20ms or 1.5s", text)
	}
	*d = Duration(span)
	return nil
}
