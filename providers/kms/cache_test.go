package kms

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers"
)

func tagged(r reply, tag string) reply { r.header = "ETag: " + tag; return r }

// A tag is sent back as it came, weak or strong, and 304 means the kept answer.
func TestNotModifiedIsTheKeptAnswer(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{`"abc"`, `W/"abc"`} {
		s := serve(t, map[string][]reply{listRoute: {tagged(listOf(own("A", "1")), tag), {status: 304}, {status: 304}, tagged(listOf(own("B", "1")), `"new"`), {status: 304}}})
		c := s.client(nil)
		for i, want := range []string{"A", "A", "A", "B", "B"} {
			got, err := c.List(t.Context(), dev)
			if err != nil || len(got.Secrets) != 1 || got.Secrets[0].Name != want {
				t.Fatalf("%s, list %d: %+v, %v", tag, i+1, got.Secrets, err)
			}
			got.Secrets[0].Name = "mine now"
		}
		for i, want := range []string{"", tag, tag, tag, `"new"`} {
			if got := s.seen[i+1].Header.Get("If-None-Match"); got != want {
				t.Errorf("list %d sent %q, want %q", i+1, got, want)
			}
		}
	}
}

// What one login has seen is not shown to another, nor one project's to the next, nor
// a folder as a tree, nor an answer that has no tag.
func TestKeptAnswersAreNotMixed(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{
		loginRoute: {login(accessToken1), login("canary-2")},
		listRoute: {
			tagged(listOf(own("A", "1")), `"x"`),
			{status: 401, body: unauth},
			tagged(listOf(own("B", "1")), `"y"`),
			tagged(listOf(own("C", "1")), `"z"`), tagged(listOf(own("D", "1")), `"z"`), listOf(own("E", "1")), listOf(own("F", "1")),
		},
	})
	c := s.client(nil)
	other := c.Project("00000000-0000-4000-8000-000000000009")
	list := func(c *Client, want string) {
		t.Helper()
		got, err := c.List(t.Context(), dev)
		if err != nil || got.Secrets[0].Name != want {
			t.Fatalf("got %+v, %v, want %s", got.Secrets, err, want)
		}
	}
	list(c, "A")
	list(c, "B") // by another login
	list(other, "C")
	if _, err := c.ListTree(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	list(c, "E") // without a tag
	list(c, "F")
	var sent []string
	for _, r := range s.seen {
		if r.Method == http.MethodGet {
			tag, ok := r.Header["If-None-Match"]
			sent = append(sent, strings.Join(tag, ", ")+map[bool]string{true: "?"}[ok])
		}
	}
	for i, want := range []string{"", `"x"?`, "", "", "", `"y"?`, ""} {
		if sent[i] != want {
			t.Errorf("list %d sent %q, want %q", i+1, sent[i], want)
		}
	}
}

// 304 to a question that had no tag is not the service's.
func TestNotModifiedOutOfTheBlue(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {{status: 304}}})
	_, err := s.client(nil).List(t.Context(), dev)
	wantKind(t, err, providers.KindForeign)
}

// An answer that was refused is not kept.
func TestRefusedAnswerIsNotKept(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string][]reply{listRoute: {tagged(listOf(own("A", "1", map[string]any{"secretPath": "/other"})), `"x"`), listOf(own("A", "1"))}})
	c := s.client(nil)
	_, err := c.List(t.Context(), dev)
	wantKind(t, err, providers.KindInvalid)
	if _, err := c.List(t.Context(), dev); err != nil {
		t.Fatal(err)
	}
	if got := s.seen[2].Header.Get("If-None-Match"); got != "" {
		t.Errorf("sent %q", got)
	}
}
