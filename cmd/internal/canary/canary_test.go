package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/cmd/internal/canary"
)

// TestFind hides a secret in every way it must be found, at every offset.
func TestFind(t *testing.T) {
	t.Parallel()
	const secret = `canary <"&> 7/+é`
	quoted, err := json.Marshal(map[string]string{"v": secret})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"raw": "x" + secret + "y", "json": string(quoted), "query": url.Values{"v": {secret}}.Encode(),
		"path": url.PathEscape(secret), "html": html.EscapeString(secret),
		"hex": hex.EncodeToString([]byte(secret)), "upper hex": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	} {
		if canary.Find([]byte(text), []string{"another one", secret}) == "" {
			t.Errorf("%s: not found", name)
		}
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
		for before := range 4 {
			for after := range 4 {
				text := e.EncodeToString([]byte(strings.Repeat("b", before) + secret + strings.Repeat("a", after)))
				if canary.Find([]byte(text), []string{secret}) == "" {
					t.Errorf("base64 with %d bytes before and %d after: not found", before, after)
				}
			}
		}
	}
	if found := canary.Find([]byte("nothing to see"), []string{secret, "", "see"}); found != "" {
		t.Errorf("found where there is nothing: %s", found)
	}
	if found := canary.Find([]byte(secret), []string{secret}); strings.Contains(found, "canary") {
		t.Errorf("the finding shows the secret: %s", found)
	}
}
