package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// tlsCommand is "tls NAME FILE": the script's sandbox over TLS, at the address that the
// variable NAME gets, with a certificate that nobody signed and FILE holds.
func tlsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tls NAME FILE")
	}
	server := httptest.NewUnstartedServer(stageOf(ts).server)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are meant to
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), certificate, 0o600))
}

// proxyCommand is "proxy NAME": a proxy, at the address that the variable NAME
// gets, that answers every request with 407 and a login page of its own.
func proxyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxy NAME")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = io.WriteString(w, "<html>log in to the proxy</html>")
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}
