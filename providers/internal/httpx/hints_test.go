package httpx

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// A value that is not Unicode text is named as what it is, not as an answer of another
// shape: the bytes are not shown.
func TestAnswerWithAValueThatIsNotUnicode(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"half of a surrogate pair": `{"value":"canary\ud800"}`, "bytes": "{\"value\":\"canary\xff\"}",
	} {
		w := start(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(body))
		}, nil)
		r := get()
		r.Decode = func(body []byte) error {
			var got struct {
				Value secret.Value `json:"value"`
			}
			return json.Unmarshal(body, &got)
		}
		_, err := w.Do(t.Context(), r)
		e := mustFail(t, err, providers.KindInvalid)
		if !strings.Contains(e.Hint, "is not Unicode text") || !strings.Contains(e.Hint, w.Host()) || strings.Contains(e.Hint, "canary") {
			t.Errorf("%s: hint %q", name, e.Hint)
		}
		w.wantHits(t, 1)
	}
}
