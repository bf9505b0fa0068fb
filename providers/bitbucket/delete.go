package bitbucket

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/internal/httpx"
)

// Delete implements [providers.Writer] by DELETE on the variable; success is 204. Any
// other 2xx is success as well, unless a page came with it. A 404 that speaks of the
// variable is success: it is not there.
func (c *Client) Delete(ctx context.Context, scope providers.Scope, uuid string, notAfter time.Time) error {
	k := variables("delete variable", scope)
	if !isUUID(uuid) {
		return &providers.Error{
			Op: k.op, Scope: k.scope, Kind: providers.KindInvalid,
			Hint: "The variable has no UUID in braces, and nothing else says which one is meant.",
		}
	}
	k.method = http.MethodDelete
	k.template += "/{variable}"
	k.segments = append(k.segments, uuid)
	k.notAfter = notAfter
	k.decode = func([]byte) error { return nil } // refuses pages, and nothing else
	k.settled = noVariable
	return c.send(ctx, k)
}

// elsewhere are words of a 404 that is not about a variable, in lower case: the texts
// are "Repository acme/shop not found.", "No workspace with identifier 'acme'.",
// "Environment not found" and "There is no API hosted at this URL".
var elsewhere = []string{"repository", "workspace", "environment", "account", "project", "pipelines", "api "}

// noVariable reports whether an answer to DELETE root/{uuid} says that the variable is
// not there. It must be an error body of the service. Where that has a code, the code
// decides. Without one the texts must speak of a variable, and of nothing that holds
// variables: else it may be there, and hidden from this credential.
func noVariable(status int, header http.Header, body []byte) bool {
	if status != http.StatusNotFound || httpx.IsForeign(header, body) {
		return false
	}
	top := read[envelope](body)
	if !isObject(top.Error) {
		return false
	}
	inner := read[detail](top.Error)
	if code := dataOf(top, inner).Key; code != nil {
		return read[string](code) == codeNoVariable
	}
	texts := strings.ToLower(string(inner.Message) + " " + string(inner.Detail))
	for _, word := range elsewhere {
		if strings.Contains(texts, word) {
			return false
		}
	}
	return strings.Contains(texts, "variable")
}
