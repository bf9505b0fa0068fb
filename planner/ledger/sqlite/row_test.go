package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
)

func TestWritesComeBack(t *testing.T) {
	t.Parallel()
	plain := ledger.Write{At: start, Action: "create", Reason: "missing", Version: 3, Run: "ada@host"}
	odd := ledger.Write{
		At: start.Add(time.Second), Action: `a","b`, Reason: "\\ \"],[\" <&> \n\u2028 é", Version: -1, Run: `"]]`,
	}
	for name, writes := range map[string][]ledger.Write{
		"none":        nil,
		"one":         {plain},
		"empty texts": {{At: start}},
		"five":        {plain, plain, {At: start.Add(-time.Hour), Run: "x"}, plain, plain},
		"odd":         {plain, odd, plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeWrites(encodeWrites(writes))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, got, writes)
		})
	}
}

func TestWritesThatAreNone(t *testing.T) {
	t.Parallel()
	const at = "2026-03-01T12:00:00Z"
	for _, text := range []string{
		``, `[`, `[[`, `[["`, `[[]]`, `[[""]]`, `{}`, `[["yesterday","a","b","3","d"]]`, `[["` + at + `","a","b","three","d"]]`,
		`xx` + at + `","a","b","3","d"]]`, `[["` + at + `","a","b","3"]]`, `[["` + at + `","a","b","3","d","e"]]`, `[["` + at + `","\n","b","3"]]`, `[["` + at + `","a","b","3","d"],[]]`,
	} {
		if got, err := decodeWrites(text); err == nil {
			t.Errorf("%s gave %+v", text, got)
		}
	}
}

// TestChecksum changes each part of a row, and moves a letter from one to the
// next.
func TestChecksum(t *testing.T) {
	t.Parallel()
	var buffer []byte
	fingerprint := []byte(strings.Repeat("f", 16))
	sum := func(change func(e *ledger.Entry, destination, writes *string)) int64 {
		e := ledger.Entry{
			Key: "k1", Owner: ledger.Owner{Config: "c1", Sync: "s1"}, UUID: "u1", KeyID: "i1",
			Source: ledger.Source{KMS: "k2", Environment: "e1", Path: "p1", Name: "n1", ID: "d1", Version: 12},
		}
		destination, writes := "d2", "[]"
		change(&e, &destination, &writes)
		return checksum(&buffer, destination, &e, fingerprint, writes)
	}
	seen := map[int64]string{sum(func(*ledger.Entry, *string, *string) {}): "nothing"}
	for name, change := range map[string]func(e *ledger.Entry, destination, writes *string){
		"destination": func(_ *ledger.Entry, destination, _ *string) { *destination = "d3" },
		"key":         func(e *ledger.Entry, _, _ *string) { e.Key = "k3" },
		"config":      func(e *ledger.Entry, _, _ *string) { e.Owner.Config = "c2" },
		"sync":        func(e *ledger.Entry, _, _ *string) { e.Owner.Sync = "s2" },
		"uuid":        func(e *ledger.Entry, _, _ *string) { e.UUID = "u2" },
		"key id":      func(e *ledger.Entry, _, _ *string) { e.KeyID = "i2" },
		"kms":         func(e *ledger.Entry, _, _ *string) { e.Source.KMS = "k3" },
		"environment": func(e *ledger.Entry, _, _ *string) { e.Source.Environment = "e2" },
		"path":        func(e *ledger.Entry, _, _ *string) { e.Source.Path = "p2" },
		"name":        func(e *ledger.Entry, _, _ *string) { e.Source.Name = "n2" },
		"id":          func(e *ledger.Entry, _, _ *string) { e.Source.ID = "d3" },
		"version":     func(e *ledger.Entry, _, _ *string) { e.Source.Version = 13 },
		"secured":     func(e *ledger.Entry, _, _ *string) { e.Secured = true },
		"released":    func(e *ledger.Entry, _, _ *string) { e.Released = true },
		"writes":      func(_ *ledger.Entry, _, writes *string) { *writes = "[1]" },
		"moved":       func(e *ledger.Entry, _, _ *string) { e.Owner = ledger.Owner{Config: "c1s", Sync: "1"} },
		"fingerprint": func(*ledger.Entry, *string, *string) { fingerprint = []byte(strings.Repeat("g", 16)) },
	} {
		got := sum(change)
		fingerprint = []byte(strings.Repeat("f", 16))
		if other, twice := seen[got]; twice {
			t.Errorf("%s and %s have the same checksum", name, other)
		}
		seen[got] = name
	}
}
