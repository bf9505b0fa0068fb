package sqlite

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/providers/secret"
)

// TestATornFileIsFoundOut overwrites each sector and each page of a good file by
// what is left there when a disk, a copy or a checkpoint stops half-way: it is an
// error, or it does no harm to what is known of a key.
func TestATornFileIsFoundOut(t *testing.T) {
	t.Parallel()
	const keys, sector, page = 60, 512, 4096
	p := newPlace(t)
	p.fill(t, keys)
	older, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	p.session(t, func(session ledger.Session, state *ledger.State) {
		for i := range keys { // some longer, some in doubt, some gone
			outcome := written(keyOf(i), state.Key, "other")
			outcome.Entry.Source.Name = "A_LONGER_NAME"
			switch i % 3 {
			case 0:
				settle(t, session, outcome)
			case 1:
				intend(t, session, create(keyOf(i)))
			case 2:
				outcome.Kind = ledger.Forgotten
				settle(t, session, outcome)
			}
		}
	})
	p.fill(t, keys/2)
	good, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	want := p.load(t).Destinations[staging.ID].Entries
	sameFingerprint := cmp.Comparer(func(a, b secret.Fingerprint) bool { return bytes.Equal(a.Bytes(), b.Bytes()) })
	found, harmless := 0, 0
	try := func(kind string, at int, by []byte) {
		bad := bytes.Clone(good)
		copy(bad[at:], by)
		if bytes.Equal(bad, good) {
			return
		}
		if err := os.WriteFile(p.db(), bad, private.FileMode); err != nil {
			t.Fatal(err)
		}
		state, err := p.store().Load(t.Context())
		if err != nil {
			found++
			return
		}
		harmless++
		d := state.Destinations[staging.ID]
		if d == nil || !cmp.Equal(d.Entries, want, sameFingerprint) {
			t.Errorf("%s at %d went unnoticed", kind, at)
		}
	}
	for at := 0; at < len(good); at += sector {
		try("zeros", at, make([]byte, sector))
		try("rubbish", at, bytes.Repeat([]byte{0xA5}, sector))
		try("the next page's sector", at, good[min(at+page, len(good)-sector):][:sector])
		if at+sector <= len(older) {
			try("the older sector", at, older[at:at+sector])
		}
	}
	for at := 0; at+2*page <= len(good); at += page {
		try("the next page", at, good[at+page:at+2*page])
		try("the page before", at+page, good[at:at+page])
	}
	if found < harmless { // the search does not work
		t.Errorf("%d were found and %d did no harm", found, harmless)
	}
}

// TestAFlippedBitIsFoundOut flips bits of the rows of a small ledger with two keys
// in doubt: it is an error, or does no harm.
func TestAFlippedBitIsFoundOut(t *testing.T) {
	t.Parallel()
	const page = 4096
	p := newPlace(t)
	p.session(t, func(s ledger.Session, state *ledger.State) {
		settle(t, s, written("A", state.Key, "value"))
		intend(t, s, create("A"), create("B"))
	})
	good, err := os.ReadFile(p.db())
	if err != nil {
		t.Fatal(err)
	}
	want := p.load(t).Destinations
	sameFingerprint := cmp.Comparer(func(a, b secret.Fingerprint) bool { return bytes.Equal(a.Bytes(), b.Bytes()) })
	flips, found := 0, 0
	for at := 2 * page; at < len(good); at++ { // after the schema and meta
		if bytes.Count(good[max(at-8, 2*page):min(at+9, len(good))], []byte{0}) > 16 {
			continue // free space
		}
		for bit := range 3 {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << bit
			if err := os.WriteFile(p.db(), bad, private.FileMode); err != nil {
				t.Fatal(err)
			}
			flips++
			state, err := p.store().Load(t.Context())
			if err != nil {
				found++
				continue
			}
			if !cmp.Equal(state.Destinations, want, sameFingerprint) {
				t.Errorf("bit %d of byte %d went unnoticed", bit, at)
			}
		}
	}
	if flips < 1000 || found < flips/2 { // the search does not work
		t.Errorf("%d of %d were found", found, flips)
	}
}
