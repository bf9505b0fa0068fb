package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	keySize         = 32 // bytes of a root key
	fingerprintSize = 16 // bytes of a fingerprint
)

// Key is the root key of a ledger: 32 random bytes. Like a [Value] it cannot
// be printed. The zero Key is no key: see [Key.IsZero].
type Key struct{ bytes func() []byte }

// NewKey reads a new root key from random, for instance crypto/rand.Reader.
func NewKey(random io.Reader) (Key, error) {
	raw := make([]byte, keySize)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Key{}, fmt.Errorf("read random bytes: %w", err)
	}
	return keyOf(raw), nil
}

// ParseKey reads a root key from its text: 32 bytes in standard base64, blanks
// around it ignored. The error never quotes the text.
func ParseKey(text Value) (Key, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text.Reveal()))
	if err != nil || len(raw) != keySize {
		return Key{}, errors.New("a ledger key is 32 bytes in standard base64")
	}
	return keyOf(raw), nil
}

func keyOf(raw []byte) Key { return Key{bytes: func() []byte { return raw }} }

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.bytes == nil }

// Save writes the text that [ParseKey] reads, and a line end, to the file that
// keeps the key.
// A zero Key cannot be saved.
func (k Key) Save(w io.Writer) error {
	if k.IsZero() {
		return errors.New("there is no ledger key to save")
	}
	_, err := io.WriteString(w, base64.StdEncoding.EncodeToString(k.bytes())+"\n")
	return err
}

// ID names the key in public, so that a ledger can tell which key its
// fingerprints were made with: 64 bits in hex, unrelated to any fingerprint. A
// zero Key has the name "".
func (k Key) ID() string {
	if k.IsZero() {
		return ""
	}
	mac := hmac.New(sha256.New, k.bytes())
	mac.Write([]byte("kmsync ledger key id"))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Fingerprint is [DestinationKey.Fingerprint] of [Key.For].
func (k Key) Fingerprint(destination, name string, v Value) Fingerprint {
	return k.For(destination).Fingerprint(name, v)
}

// DestinationKey makes the fingerprints of one destination. Like a [Key] it cannot
// be printed. The zero DestinationKey makes none.
type DestinationKey struct {
	make func(name string, v Value) Fingerprint
}

// For returns what makes the fingerprints of a destination (a repository UUID,
// with the UUID of the deployment environment if there is one), by a key derived
// for it with HKDF (RFC 5869). That of a zero Key is zero.
func (k Key) For(destination string) DestinationKey {
	if k.IsZero() {
		return DestinationKey{}
	}
	derived, err := hkdf.Key(sha256.New, k.bytes(), nil, "kmsync fingerprint v1 "+destination, sha256.Size)
	if err != nil {
		panic("hkdf: " + err.Error()) // only for a length above 255 hashes
	}
	return DestinationKey{make: func(name string, v Value) Fingerprint {
		mac := hmac.New(sha256.New, derived)
		for _, part := range []string{destination, name, v.Reveal()} {
			var length [8]byte
			binary.BigEndian.PutUint64(length[:], uint64(len(part)))
			mac.Write(length[:])
			mac.Write([]byte(part))
		}
		return fingerprintOf(mac.Sum(nil)[:fingerprintSize])
	}}
}

// Sealer makes seals of what a ledger holds: nobody makes one without the root key.
// Like a [Key] it cannot be printed. The zero Sealer seals everything with 0.
type Sealer struct{ sum func(message []byte) int64 }

// Sealer returns what makes seals, by a key derived with HKDF (RFC 5869). That of
// a zero Key is zero. It is not for several goroutines.
func (k Key) Sealer() Sealer {
	if k.IsZero() {
		return Sealer{}
	}
	derived, err := hkdf.Key(sha256.New, k.bytes(), nil, "kmsync ledger seal v1", sha256.Size)
	if err != nil {
		panic("hkdf: " + err.Error()) // only for a length above 255 hashes
	}
	mac, sum := hmac.New(sha256.New, derived), make([]byte, 0, sha256.Size)
	return Sealer{sum: func(message []byte) int64 {
		mac.Reset()
		mac.Write(message)
		return int64(binary.BigEndian.Uint64(mac.Sum(sum)))
	}}
}

// Sum returns the seal of a message: HMAC-SHA-256 (RFC 2104), cut to 64 bits.
func (s Sealer) Sum(message []byte) int64 {
	if s.sum == nil {
		return 0
	}
	return s.sum(message)
}

// String returns a fixed word, never the key.
func (s Sealer) String() string { return redacted }

// GoString returns a fixed word, never the key.
func (s Sealer) GoString() string { return redacted }

// Fingerprint returns the keyed fingerprint of the exact bytes of v as they are
// sent to the variable name. Equal secrets in two destinations, or under two
// names, give unrelated fingerprints.
//
// It is HMAC-SHA-256 (RFC 2104), cut to 128 bits, with every part
// length-prefixed: destination, name, value.
func (d DestinationKey) Fingerprint(name string, v Value) Fingerprint {
	if d.make == nil {
		return Fingerprint{}
	}
	return d.make(name, v)
}

// String returns a fixed word, never the key.
func (d DestinationKey) String() string { return redacted }

// GoString returns a fixed word, never the key.
func (d DestinationKey) GoString() string { return redacted }

// Equal reports whether two keys are the same, in a time that does not depend
// on where they differ. No key is equal to no key only.
func (k Key) Equal(other Key) bool {
	if k.IsZero() || other.IsZero() {
		return k.IsZero() == other.IsZero()
	}
	return subtle.ConstantTimeCompare(k.bytes(), other.bytes()) == 1
}

// String returns a fixed word, never the key.
func (k Key) String() string { return redacted }

// GoString returns a fixed word, never the key.
func (k Key) GoString() string { return redacted }

// Format prints a fixed word for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs a fixed word.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON always fails.
func (k Key) MarshalJSON() ([]byte, error) { return nil, errEncoded }

// MarshalText always fails.
func (k Key) MarshalText() ([]byte, error) { return nil, errEncoded }

// Fingerprint is what the ledger keeps of a value that was written. It is not
// shown anywhere. The zero Fingerprint is none.
//
// Its bytes sit behind a closure, like the text of a [Value]: fmt prints an
// array in an unexported field byte by byte, without asking the type's methods.
type Fingerprint struct{ bytes func() []byte }

// ParseFingerprint reads the 16 bytes that [Fingerprint.Bytes] gave a store to
// keep. No bytes are no fingerprint. The error never quotes the bytes.
func ParseFingerprint(raw []byte) (Fingerprint, error) {
	switch len(raw) {
	case 0:
		return Fingerprint{}, nil
	case fingerprintSize:
		return fingerprintOf(bytes.Clone(raw)), nil
	}
	return Fingerprint{}, fmt.Errorf("a fingerprint is %d bytes, not %d", fingerprintSize, len(raw))
}

func fingerprintOf(raw []byte) Fingerprint { return Fingerprint{bytes: func() []byte { return raw }} }

// IsZero reports whether there is no fingerprint.
func (f Fingerprint) IsZero() bool { return f.bytes == nil }

// Bytes returns a copy of the 16 bytes, for the store of a ledger and for
// nothing else; nil where there is no fingerprint.
func (f Fingerprint) Bytes() []byte {
	if f.IsZero() {
		return nil
	}
	return bytes.Clone(f.bytes())
}

// Equal compares in a time that does not depend on where the two differ. No
// fingerprint equals nothing, itself included.
func (f Fingerprint) Equal(other Fingerprint) bool {
	if f.IsZero() || other.IsZero() {
		return false
	}
	return subtle.ConstantTimeCompare(f.bytes(), other.bytes()) == 1
}

// String returns a fixed word: fingerprints are not for reading.
func (f Fingerprint) String() string { return redacted }

// GoString returns a fixed word.
func (f Fingerprint) GoString() string { return redacted }

// Format prints a fixed word for every verb.
func (f Fingerprint) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue logs a fixed word.
func (f Fingerprint) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON always fails.
func (f Fingerprint) MarshalJSON() ([]byte, error) { return nil, errEncoded }

// MarshalText always fails.
func (f Fingerprint) MarshalText() ([]byte, error) { return nil, errEncoded }
