package kms

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"sync"
)

// maxTags bounds how many answers are remembered.
const maxTags = 4096

// tags gives entity tags. A tag stands for the state of the service, it is
// not a hash of the body: a value that was changed and restored has a new one.
type tags map[string]tagged

type tagged struct {
	// first is the answer this process gave first, body the present one.
	first, body [sha256.Size]byte
	// changes counts how often the answer has changed.
	changes int
}

// tag returns the tag of an answer; key is everything it depends on.
func (t tags) tag(mu *sync.Mutex, key string, body []byte) string {
	mu.Lock()
	defer mu.Unlock()
	now := sha256.Sum256(body)
	last, ok := t[key]
	if !ok {
		if len(t) >= maxTags {
			clear(t)
		}
		last.first = now
	}
	if !ok || last.body != now {
		last.body = now
		last.changes++
		t[key] = last
	}
	sum := sha256.Sum256([]byte(key + "\x00" + string(last.first[:]) + strconv.Itoa(last.changes)))
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:20]) + `"`
}
