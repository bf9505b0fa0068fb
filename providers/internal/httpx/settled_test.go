package httpx

import (
	"net/http"
	"testing"

	"github.com/hanzoai/kmsync/providers"
)

// del is a delete that takes a 404 for done.
func del() Request {
	r := put()
	r.Method, r.Body = http.MethodDelete, nil
	r.Settled = func(status int, _ http.Header, _ []byte) bool { return status == http.StatusNotFound }
	return r
}

// A refusal that is recognised counts as an answer. One that broke off on its way is not
// shown to Settled, which would judge half of it.
func TestSettled(t *testing.T) {
	t.Parallel()
	w := start(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNotFound) }, nil)
	if got, err := w.Do(t.Context(), del()); err != nil || got.Status != http.StatusNotFound {
		t.Errorf("got %+v, %v", got, err)
	}
	w.wantHits(t, 1)
	w = start(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", "1000")
		rw.WriteHeader(http.StatusNotFound)
		_, _ = rw.Write([]byte("{}"))
	}, nil)
	_, err := w.Do(t.Context(), del())
	mustFail(t, err, providers.KindInvalid)
	w = start(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) }, nil)
	_, err = w.Do(t.Context(), del())
	mustFail(t, err, providers.KindInvalid)
}

// Only a delete may be answered by 204, with whatever type: it has no body.
func TestNoContent(t *testing.T) {
	t.Parallel()
	handler := func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(http.StatusNoContent)
	}
	if _, err := start(t, handler, nil).Do(t.Context(), del()); err != nil {
		t.Error(err)
	}
	_, err := start(t, handler, nil).Do(t.Context(), put())
	mustFail(t, err, providers.KindForeign)
}
