package secret_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/secret"
)

// TestUnmarshalKeepsEveryByte reads what it can carry unchanged and refuses the
// rest: the decoder alone would put U+FFFD in place of what it cannot read.
func TestUnmarshalKeepsEveryByte(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"plain"`: "plain", `""`: "", `null`: "", `"a\n\"\\"`: "a\n\"\\", `"\u00e9é"`: "éé",
		`"\ud83d\ude00"`: "😀", `"\ufffd"`: "\uFFFD", `"\uFFFD` + "\uFFFD" + `"`: "\uFFFD\uFFFD", `"\\ufffd"`: `\ufffd`,
		`"\\\ufffd"`: `\` + "\uFFFD",
	} {
		var v secret.Value
		if err := json.Unmarshal([]byte(text), &v); err != nil || v.Reveal() != want {
			t.Errorf("%s: got %q, %v", text, v.Reveal(), err)
		}
	}
	for _, text := range []string{
		`1`, `{}`, `["canary"]`, "\"canary\xff\"", `"canary\ud800"`, `"\udc00canary"`, `"\ufffd\ud800"`, "\"\uFFFD\xff\"",
		`"\\ufffd\ud800"`,
	} {
		var v secret.Value
		err := json.Unmarshal([]byte(text), &v)
		if err == nil {
			t.Errorf("%q: read as %q", text, v.Reveal())
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error quotes its input: %v", err)
		}
	}
}
