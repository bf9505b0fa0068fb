package providers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kind says what sort of failure an [Error] is, and so what can be done.
type Kind string

// The kinds of failures.
const (
	KindUnauthenticated Kind = "unauthenticated" // the credential is missing, wrong, expired or revoked
	KindForbidden       Kind = "forbidden"       // the credential lacks a right
	KindNotFound        Kind = "not_found"       // it is not there, or hidden from this credential
	KindConflict        Kind = "conflict"        // a variable of that name exists
	KindAmbiguous       Kind = "ambiguous"       // a name may mean one of several things, or another than before
	KindInvalid         Kind = "invalid"         // the service does not accept the request
	KindRateLimited     Kind = "rate_limited"    // too many requests, and waiting was not sensible
	KindUnavailable     Kind = "unavailable"     // no answer, a broken one, or a fault of the service
	KindForeign         Kind = "foreign"         // what answered is not the service: an HTML page, a redirect
	KindUnsupported     Kind = "unsupported"     // kmsync cannot do this yet
	KindCanceled        Kind = "canceled"        // the run is ending: the request was not sent
	KindStale           Kind = "stale"           // what the write rests on grew too old while waiting: it was not sent, or not again
)

// Error is the one error of every provider. It never holds a response body, a
// query string, a header or a value.
type Error struct {
	Op         string        // what was tried, lower case: "list variables"
	Scope      string        // of what: "acme/web (Staging)", "dev:/payments"
	Kind       Kind          //
	Status     int           // HTTP status; 0 when no answer came
	RetryAfter time.Duration // how long the service asked to wait; 0 if it did not
	Code       string        // machine code of the service, from its error body, made of [a-zA-Z0-9._-]
	Hint       string        // what to do, a full sentence; may be empty
	// Sent says that the request may have reached the service.
	Sent bool
}

// Error returns "op of scope: what (status): hint", lower case, without secrets,
// and when to try again, if the service said so.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Scope != "" {
		b.WriteString(" of " + e.Scope)
	}
	b.WriteString(": " + e.Kind.text())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d", e.Status)
		if e.Code != "" {
			b.WriteString(", " + e.Code)
		}
		b.WriteString(")")
	}
	if e.Hint != "" {
		b.WriteString(": " + e.Hint)
	}
	if e.RetryAfter > 0 {
		b.WriteString(separator(e.Hint) + "Try again in " + inWords(e.RetryAfter) + ".")
	}
	return b.String()
}

func separator(hint string) string {
	if hint == "" {
		return ": "
	}
	return " "
}

// inWords rounds up to whole seconds, and leaves out parts that are zero: 1h30m.
func inWords(d time.Duration) string {
	text := (d + time.Second - 1).Truncate(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (k Kind) text() string {
	switch k {
	case KindUnauthenticated:
		return "the credential was not accepted"
	case KindForbidden:
		return "no permission"
	case KindNotFound:
		return "not found"
	case KindConflict:
		return "it exists already"
	case KindAmbiguous:
		return "which one is meant is not certain"
	case KindInvalid:
		return "the service refused the request"
	case KindRateLimited:
		return "rate limit reached"
	case KindUnavailable:
		return "no usable answer"
	case KindForeign:
		return "the answer is not from this service"
	case KindUnsupported:
		return "not supported yet"
	case KindCanceled:
		return "stopped before it was sent"
	case KindStale:
		return "what it rests on was read too long ago"
	}
	return string(k)
}

// InDoubt reports whether a write that failed with this error may have taken
// effect: no answer came, the service failed (5xx) or gave up waiting (408). Any
// other 4xx, 429 too, says that nothing was done.
func (e *Error) InDoubt() bool {
	if !e.Sent {
		return false
	}
	return e.Status < 400 || e.Status == http.StatusRequestTimeout || e.Status >= 500
}

// KindOf returns the kind of a provider's error, or "" for any other error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// InDoubt reports whether err is an [Error] that leaves a write in doubt.
func InDoubt(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.InDoubt()
}
