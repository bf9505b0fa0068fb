package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/secret"
)

func keyOf(t *testing.T, b byte) secret.Key {
	t.Helper()
	key, err := secret.NewKey(bytes.NewReader(bytes.Repeat([]byte{b}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestKnownFingerprint holds answers that were computed with Python's hmac and
// hashlib (HKDF written out by RFC 5869: extract with a salt of 32 zero bytes,
// one block of expand). A change of them makes every ledger worthless.
func TestKnownFingerprint(t *testing.T) {
	t.Parallel()
	key := must(secret.NewKey(bytes.NewReader(must(hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")))))
	for _, test := range []struct{ destination, name, value, want string }{
		{"{repo}/{env}", "KMS_DB_URL", "postgres://u:p@h/db", "39213522535b9c52ac99964b8d2d6953"},
		{"{repo}", "A", "", "1f382d8cebf939f44644cbb8af206ecc"},
		{"{repo}", "Ä", "line\nbreak\x00\xff", "87034d46ea43361280ce7b00d5a49213"},
	} {
		got := key.Fingerprint(test.destination, test.name, secret.New(test.value))
		if hex.EncodeToString(got.Bytes()) != test.want {
			t.Errorf("%q %q: got %x, want %s", test.destination, test.name, got.Bytes(), test.want)
		}
	}
	if got := key.ID(); got != "22b367cd7ffc3a2b" {
		t.Errorf("the key's id is %s", got)
	}
}

// TestKnownSeal holds answers that were computed as those of TestKnownFingerprint.
func TestKnownSeal(t *testing.T) {
	t.Parallel()
	sealer := must(secret.NewKey(bytes.NewReader(must(hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"))))).Sealer()
	for range 2 { // it is made anew for each message
		for message, want := range map[string]int64{"": 116942848549007424, "entry": 5666103517804570214, "line\nbreak\x00\xff": 4079342037948637595} {
			if got := sealer.Sum([]byte(message)); got != want {
				t.Errorf("%q: got %d, want %d", message, got, want)
			}
		}
	}
	if got := (secret.Key{}).Sealer().Sum([]byte("entry")); got != 0 {
		t.Errorf("without a key: %d, want 0", got)
	}
}

// TestFingerprintsAreUnrelated: a change of any part changes all of it, and the
// parts cannot run into each other.
func TestFingerprintsAreUnrelated(t *testing.T) {
	t.Parallel()
	key, other := keyOf(t, 1), keyOf(t, 2)
	of := func(k secret.Key, destination, name, value string) secret.Fingerprint {
		return k.Fingerprint(destination, name, secret.New(value))
	}
	all := map[string]secret.Fingerprint{
		"base":              of(key, "d", "ab", "c"),
		"other key":         of(other, "d", "ab", "c"),
		"other destination": of(key, "e", "ab", "c"),
		"other name":        of(key, "d", "aB", "c"),
		"other value":       of(key, "d", "ab", "C"),
		"name and value":    of(key, "d", "a", "bc"),
		"all in the name":   of(key, "d", "abc", ""),
		"all in the value":  of(key, "d", "", "abc"),
		"dest and name":     of(key, "da", "b", "c"),
		"nothing":           of(key, "", "", ""),
	}
	for a, x := range all {
		for b, y := range all {
			if x.Equal(y) != (a == b) {
				t.Errorf("%s and %s: equal is %v", a, b, x.Equal(y))
			}
			if a != b && bytes.Equal(x.Bytes()[:4], y.Bytes()[:4]) {
				t.Errorf("%s and %s begin alike", a, b)
			}
		}
	}
	if !of(key, "d", "ab", "c").Equal(all["base"]) {
		t.Error("the same parts give another fingerprint")
	}
}

func TestNoFingerprintEqualsNothing(t *testing.T) {
	t.Parallel()
	var none secret.Fingerprint
	some := keyOf(t, 1).Fingerprint("d", "n", secret.New("v"))
	if none.Equal(secret.Fingerprint{}) || none.Equal(some) || some.Equal(none) {
		t.Error("no fingerprint equals something")
	}
	if !none.IsZero() || some.IsZero() || none.Bytes() != nil || len(some.Bytes()) != 16 {
		t.Errorf("zero: %v and %v, %d bytes", none.IsZero(), some.IsZero(), len(some.Bytes()))
	}
}

func TestParseFingerprint(t *testing.T) {
	t.Parallel()
	some := keyOf(t, 1).Fingerprint("d", "n", secret.New("v"))
	raw := some.Bytes()
	parsed, err := secret.ParseFingerprint(raw)
	if err != nil || !parsed.Equal(some) {
		t.Errorf("round trip: %v", err)
	}
	raw[0]++ // neither of the two may share these bytes
	if !parsed.Equal(some) || !bytes.Equal(parsed.Bytes(), some.Bytes()) {
		t.Error("a fingerprint changed with the bytes it was made from or gave out")
	}
	for _, nothing := range [][]byte{nil, {}} {
		if none, err := secret.ParseFingerprint(nothing); err != nil || !none.IsZero() {
			t.Errorf("no bytes: %v", err)
		}
	}
	for _, bad := range []string{"c4nary-of-15-by", "c4nary-of-17-bytes", "c", strings.Repeat("c4nary-of-", 8)} {
		got, err := secret.ParseFingerprint([]byte(bad))
		if err == nil || !got.IsZero() || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	key := keyOf(t, 7)
	var saved strings.Builder
	if err := key.Save(&saved); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(saved.String(), "=\n") {
		t.Error("the saved text does not end with its line")
	}
	for _, content := range []string{saved.String(), strings.TrimSpace(saved.String()), "\t " + saved.String() + "\r\n"} {
		parsed, err := secret.ParseKey(secret.New(content))
		if err != nil || !parsed.Equal(key) || parsed.ID() != key.ID() {
			t.Errorf("%q: %v", content, err)
		}
	}
	for name, content := range map[string]string{
		"empty":        "",
		"no base64":    "c4nary c4nary c4nary c4nary c4nary c4nary!!!",
		"31 bytes":     base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("c"), 31)),
		"33 bytes":     base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("c"), 33)),
		"hex":          strings.Repeat("c4", 32),
		"not padded":   strings.TrimRight(strings.TrimSpace(saved.String()), "="),
		"two of them":  saved.String() + saved.String(),
		"URL alphabet": strings.Repeat("-_", 21) + "-=",
	} {
		got, err := secret.ParseKey(secret.New(content))
		if err == nil || !got.IsZero() {
			t.Errorf("%s: accepted", name)
			continue
		}
		if content != "" && strings.Contains(err.Error(), content[:6]) {
			t.Errorf("%s: the error quotes the text: %v", name, err)
		}
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	if _, err := secret.NewKey(strings.NewReader(strings.Repeat("x", 31))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("too little randomness: %v", err)
	}
	a, b := keyOf(t, 1), keyOf(t, 2)
	if a.Equal(b) || !a.Equal(keyOf(t, 1)) || a.ID() == b.ID() || len(a.ID()) != 16 {
		t.Errorf("ids %s and %s, equal %v", a.ID(), b.ID(), a.Equal(b))
	}
}

// TestNoKeyDoesNothing: a ledger that does not exist yet has no key.
func TestNoKeyDoesNothing(t *testing.T) {
	t.Parallel()
	var none secret.Key
	some := keyOf(t, 1)
	if !none.IsZero() || some.IsZero() || none.Equal(some) || some.Equal(none) || !none.Equal(secret.Key{}) {
		t.Error("no key is taken for a key")
	}
	if none.ID() != "" || !none.Fingerprint("d", "n", secret.New("v")).IsZero() {
		t.Error("no key has an id or makes fingerprints")
	}
	var out strings.Builder
	if err := none.Save(&out); err == nil || out.Len() != 0 {
		t.Errorf("no key was saved: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestSaveReportsAFailedWrite(t *testing.T) {
	t.Parallel()
	if err := keyOf(t, 1).Save(failing{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}
