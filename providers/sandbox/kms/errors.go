package kms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
)

// StatusBody renders an error of any status in the service's envelope, for
// planned faults.
func StatusBody(status int) []byte {
	code := strings.ReplaceAll(http.StatusText(status), " ", "")
	switch status {
	case http.StatusTooManyRequests:
		code = "RateLimitExceeded"
	case http.StatusUnauthorized:
		code = "UnauthorizedError"
	case http.StatusForbidden:
		code = "ForbiddenError"
	}
	text, err := marshal(answer.Body{ReqID: "req-sandboxfault00", StatusCode: status, Message: "Planned fault of the sandbox", Error: code})
	if err != nil {
		return nil
	}
	return text
}

// envelope completes an error. objects is the switch that makes its message an
// object.
func (s *Service) envelope(g *generation, p *answer.Problem, objects bool) answer.Body {
	body := p.Body
	if text, ok := body.Message.(string); ok && objects && !p.Bare { // the framework knows nothing of the switch
		body.Message = map[string]string{"text": text}
	}
	if g.requestIDs && !p.Bare {
		body.ReqID = "req-" + strings.ReplaceAll(s.store.NewUUID(), "-", "")[:14]
	}
	return body
}

// marshal renders without escaping <, > and &, as the service does.
func marshal(body any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func writeText(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
