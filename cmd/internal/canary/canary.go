// Package canary finds secrets where they must not be. Tests use it to search
// everything that kmsync printed or wrote.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// minimum is the length in bytes from which on a secret is searched for: shorter
// ones occur by chance.
const minimum = 6

// Find returns how the first of the secrets occurs in text, for instance "a
// secret of 12 bytes, in base64", or "". It looks for each secret raw, JSON-, URL-
// and HTML-escaped, in base64 (both alphabets, at every offset) and in hex. It
// never returns the secret itself.
func Find(text []byte, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < minimum {
			continue
		}
		for form, spellings := range Forms(secret) {
			for _, spelling := range spellings {
				if len(spelling) >= minimum && bytes.Contains(text, []byte(spelling)) {
					return fmt.Sprintf("a secret of %d bytes, %s", len(secret), form)
				}
			}
		}
	}
	return ""
}

// Forms returns the spellings of a secret that are searched for, by name.
func Forms(secret string) map[string][]string {
	quoted, _ := json.Marshal(secret) // a string always encodes
	raw := []byte(secret)
	return map[string][]string{
		"raw":          {secret},
		"JSON-escaped": {strings.Trim(string(quoted), `"`)},
		"URL-escaped":  {url.QueryEscape(secret), url.PathEscape(secret)},
		"HTML-escaped": {html.EscapeString(secret)},
		"in base64":    append(offsets(base64.RawStdEncoding, raw), offsets(base64.RawURLEncoding, raw)...),
		"in hex":       {hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw))},
	}
}

// offsets returns the characters that a secret gives in base64 whatever stands
// before and after it, for the three ways it can lie on the grid.
func offsets(e *base64.Encoding, raw []byte) []string {
	var out []string
	for before := range 3 {
		encoded := e.EncodeToString(append(make([]byte, before), raw...))
		first := (before*8 + 5) / 6         // the first characters hold bits of what stands before
		last := (before + len(raw)) * 8 / 6 // the last may hold bits of what stands after
		out = append(out, encoded[first:last])
	}
	return out
}
