package bitbucket

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
)

// answer is a reply to be written. Status 0 means that there is none yet.
type answer struct {
	status int
	header http.Header
	body   []byte
	// effect tells that the world was changed.
	effect bool
}

func (a answer) write(w http.ResponseWriter) {
	if len(a.body) > 0 {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	maps.Copy(w.Header(), a.header)
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// reply renders a body without escaping <, > and &.
func reply(status int, body any) answer {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	return answer{status: status, body: bytes.TrimSuffix(out.Bytes(), []byte("\n"))}
}

// failure is an error before it takes one of the service's shapes.
type failure struct {
	status  int
	message string
	// detail is a text or an object, whichever the service uses.
	detail    any
	fields    map[string]string
	code      string
	arguments map[string]string
}

type errorBody struct {
	Type  string      `json:"type,omitempty"`
	Error errorObject `json:"error"`
	Data  *errorData  `json:"data,omitempty"`
}

type errorObject struct {
	Message string            `json:"message"`
	Detail  any               `json:"detail,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	Data    *errorData        `json:"data,omitempty"`
}

type errorData struct {
	Key       string            `json:"key,omitempty"`
	Arguments map[string]string `json:"arguments"`
}

// answer renders the failure. The lean form has no "type", only text as
// "detail", and "data" at the top.
func (f failure) answer(lean bool) answer {
	body := errorBody{Type: "error", Error: errorObject{Message: f.message, Detail: f.detail, Fields: f.fields}}
	if f.code != "" || f.arguments != nil {
		body.Error.Data = &errorData{Key: f.code, Arguments: f.arguments}
		if f.arguments == nil {
			body.Error.Data.Arguments = map[string]string{}
		}
	}
	if lean {
		body.Type = ""
		body.Data, body.Error.Data = body.Error.Data, nil
		if _, text := f.detail.(string); f.detail != nil && !text {
			body.Error.Detail = "The request was not accepted."
		}
	}
	return reply(f.status, body)
}

// StatusBody renders an error of any status in the service's shape, for
// planned faults.
func StatusBody(status int) []byte {
	message := "Planned fault of the sandbox"
	if status == http.StatusTooManyRequests {
		message = tooMany
	}
	return failure{status: status, message: message}.answer(false).body
}
