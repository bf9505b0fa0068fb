package secret_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/secret"
)

func TestWhatAValueTells(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text                             string
		size                             int
		empty, lines, mask, refers, utf8 bool
		base64                           string
	}{
		{text: "", empty: true, utf8: true},
		{text: "plain", size: 5, utf8: true, base64: "cGxhaW4="},
		{text: " ", size: 1, utf8: true, base64: "IA=="},
		{text: "äöü€", size: 4, utf8: true, base64: "w6TDtsO84oKs"},
		{text: "a\nb", size: 3, lines: true, utf8: true, base64: "YQpi"},
		{text: "a\r", size: 2, lines: true, utf8: true, base64: "YQ0="},
		{text: "a\u2028b", size: 3, utf8: true, base64: "YeKAqGI="},
		{text: "\xff", size: 1, base64: "/w=="},
		{text: "<hidden-by-kms>", size: 15, mask: true, utf8: true, base64: "PGhpZGRlbi1ieS1rbXM+"},
		{text: "<hidden-by-infisical>", size: 21, mask: true, utf8: true, base64: "PGhpZGRlbi1ieS1pbmZpc2ljYWw+"},
		{text: "<hidden-by-kms> ", size: 16, utf8: true, base64: "PGhpZGRlbi1ieS1rbXM+IA=="},
		{text: "${A}", size: 4, refers: true, utf8: true, base64: "JHtBfQ=="},
		{text: "x${dev.a-b._c@1}y", size: 17, refers: true, utf8: true, base64: "eCR7ZGV2LmEtYi5fY0AxfXk="},
		{text: "$A {A} ${} ${a b} ${a", size: 21, utf8: true, base64: "JEEge0F9ICR7fSAke2EgYn0gJHth"},
	} {
		v := secret.New(test.text)
		if v.Reveal() != test.text || v.Size() != test.size || v.IsEmpty() != test.empty || v.HasLineBreak() != test.lines ||
			v.IsMask() != test.mask || v.HasReference() != test.refers || v.IsUTF8() != test.utf8 {
			t.Errorf("%q: size %d, empty %v, line break %v, mask %v, reference %v, UTF-8 %v",
				test.text, v.Size(), v.IsEmpty(), v.HasLineBreak(), v.IsMask(), v.HasReference(), v.IsUTF8())
		}
		if got := v.Base64().Reveal(); got != test.base64 {
			t.Errorf("%q in base64: %q, want %q", test.text, got, test.base64)
		}
	}
	long := secret.New(strings.Repeat("x", 200)).Base64()
	if long.HasLineBreak() || long.Size() != 268 {
		t.Error("a long value in base64 is not one padded line")
	}
}

func TestTheZeroValueIsEmpty(t *testing.T) {
	t.Parallel()
	var zero secret.Value
	if !zero.IsEmpty() || zero.Reveal() != "" || zero.Size() != 0 || !zero.Equal(secret.New("")) || !zero.Base64().IsEmpty() {
		t.Error("the zero value is not the empty text")
	}
}

func TestEqualTrimAndPrefix(t *testing.T) {
	t.Parallel()
	v := secret.New(" st.token\r\n")
	trimmed := v.TrimSpace()
	if !trimmed.Equal(secret.New("st.token")) || trimmed.Equal(v) || v.Reveal() != " st.token\r\n" {
		t.Error("TrimSpace takes away something else than the blanks around, or changes its value")
	}
	if !trimmed.HasPrefix("st.") || v.HasPrefix("st.") || trimmed.HasPrefix("st.token2") {
		t.Error("HasPrefix is wrong")
	}
	if trimmed.Equal(secret.New("st.tokeN")) || trimmed.Equal(secret.New("st.toke")) {
		t.Error("different values are equal")
	}
}

func TestReadingJSON(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		`{"v":"a\"b\u00e4\n"}`: "a\"bä\n",
		`{"v":""}`:             "",
		`{"v":null}`:           "",
		`{}`:                   "kept",
	} {
		got := struct{ V secret.Value }{secret.New("kept")}
		if err := json.Unmarshal([]byte(input), &got); err != nil || got.V.Reveal() != want {
			t.Errorf("%s: %q (%v), want %q", input, got.V.Reveal(), err, want)
		}
	}
	for _, input := range []string{`{"v":4711}`, `{"v":true}`, `{"v":["c4nary"]}`, `{"v":{"c4nary":"c4nary"}}`} {
		var got struct{ V secret.Value }
		err := json.Unmarshal([]byte(input), &got)
		if err == nil || strings.Contains(err.Error(), "c4nary") || strings.Contains(err.Error(), "4711") {
			t.Errorf("%s: %v, want an error that does not quote", input, err)
		}
	}
}
