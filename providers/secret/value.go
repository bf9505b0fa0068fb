// Package secret holds values that cannot be printed.
//
// A [Value] is a secret string. Every way Go has of turning a value into text
// (fmt, encoding/json, text/template, log/slog, panic) shows the word
// "(secret)" instead, or fails. What the rest of the program must know of a
// value (is it empty, does it hold a line break, is it equal to another) are
// methods here, so that the text itself is needed in two places only: where a
// request body and where an Authorization header is built. Those two call
// [Value.Reveal]; an architecture test finds any other call.
//
// A [Key] is the root key of a ledger, and makes a [Fingerprint] of a value:
// the only trace of a secret that is ever stored.
package secret

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// redacted is what every printed secret looks like.
const redacted = "(secret)"

// errEncoded refuses to encode a secret. It is an error and not a mask, since
// a mask in a request body would overwrite a production secret with a mask.
var errEncoded = errors.New("a secret value cannot be encoded")

// ErrNotUnicode is the error of [Value.UnmarshalJSON] for text that is not Unicode.
var ErrNotUnicode = errors.New("a secret value must be Unicode text")

// Value is a secret string. The zero Value is the empty string.
//
// The text sits behind a closure: fmt prints unexported string fields, and
// follows pointers in them, without asking the type's own methods.
type Value struct{ reveal func() string }

// New returns the secret s.
func New(s string) Value {
	return Value{reveal: func() string { return s }}
}

// Reveal returns the secret text. Call it only where a request body or an
// Authorization header is built.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// IsEmpty reports whether the value has no bytes.
func (v Value) IsEmpty() bool { return v.Reveal() == "" }

// HasLineBreak reports whether the value holds a carriage return or a line
// feed. Bitbucket Pipelines cannot carry such values.
func (v Value) HasLineBreak() bool { return strings.ContainsAny(v.Reveal(), "\r\n") }

// HasNUL reports whether the value holds a zero byte. An environment variable
// ends there.
func (v Value) HasNUL() bool { return strings.ContainsRune(v.Reveal(), 0) }

// masks are the texts that the KMS sends in place of a value that the identity
// may not read (GET /api/v4/secrets with viewSecretValue=false).
var masks = []string{"<hidden-by-kms>", "<hidden-by-infisical>"}

// IsMask reports whether the value is a mask text of the KMS, not a secret.
func (v Value) IsMask() bool {
	for _, mask := range masks {
		if v.Reveal() == mask {
			return true
		}
	}
	return false
}

// Size returns the length of the value in characters (not bytes), the unit of
// Bitbucket's limit for a build.
func (v Value) Size() int { return utf8.RuneCountInString(v.Reveal()) }

// IsUTF8 reports whether the value is text that JSON can carry unchanged.
func (v Value) IsUTF8() bool { return utf8.ValidString(v.Reveal()) }

// Base64 returns the value in the standard base64 alphabet, padded, on one line.
func (v Value) Base64() Value {
	return New(base64.StdEncoding.EncodeToString([]byte(v.Reveal())))
}

// TrimSpace returns the value without blanks and line ends around it, for
// credentials that were read from a file.
func (v Value) TrimSpace() Value { return New(strings.TrimSpace(v.Reveal())) }

// HasPrefix reports whether the value starts with prefix, to tell kinds of
// tokens apart.
func (v Value) HasPrefix(prefix string) bool { return strings.HasPrefix(v.Reveal(), prefix) }

// Equal reports whether two values are the same bytes, in a time that does not
// depend on where they differ.
func (v Value) Equal(other Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(other.Reveal())) == 1
}

// String returns a fixed word, never the secret.
func (v Value) String() string { return redacted }

// GoString returns a fixed word, never the secret.
func (v Value) GoString() string { return redacted }

// Format prints a fixed word for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs a fixed word.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON always fails: see errEncoded.
func (v Value) MarshalJSON() ([]byte, error) { return nil, errEncoded }

// MarshalText always fails: see errEncoded.
func (v Value) MarshalText() ([]byte, error) { return nil, errEncoded }

// UnmarshalJSON reads a JSON string; null and "" are the empty value. Text that
// the decoder would alter (bytes that are not UTF-8, half of a surrogate pair) is
// an error: an altered secret must not be written anywhere. Errors never quote
// the input.
func (v *Value) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("a secret value must be a JSON string")
	}
	if s == nil {
		*v = Value{}
		return nil
	}
	if !utf8.Valid(data) || strings.Count(*s, replacement) != spelledReplacements(string(data)) {
		return ErrNotUnicode
	}
	*v = New(*s)
	return nil
}

// replacement is what the JSON decoder puts where it could not read a character.
const replacement = string(utf8.RuneError)

// spelledReplacements counts the replacement characters that a JSON text itself
// holds, as they are or escaped.
func spelledReplacements(text string) int {
	text = strings.ReplaceAll(strings.ToLower(text), `\\`, "")
	return strings.Count(text, replacement) + strings.Count(text, `\ufffd`)
}
