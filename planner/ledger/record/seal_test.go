package record_test

import (
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/record"
	"github.com/hanzoai/kmsync/providers/secret"
)

func keyOf(t *testing.T, b string) secret.Key {
	t.Helper()
	key, err := secret.NewKey(strings.NewReader(strings.Repeat(b, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// unlike fails where two of the seals are the same, or one is 0.
func unlike(t *testing.T, seals map[string]any) {
	t.Helper()
	seen := map[any]string{}
	for name, seal := range seals {
		if other, twice := seen[seal]; twice {
			t.Errorf("%s and %s have the same seal", name, other)
		}
		if seal == int64(0) || seal == "0" {
			t.Errorf("%s has no seal", name)
		}
		seen[seal] = name
	}
}

// TestEveryPartOfAnEntryIsSealed changes each part, and moves a letter from one to
// the next.
func TestEveryPartOfAnEntryIsSealed(t *testing.T) {
	t.Parallel()
	type parts struct {
		ledger.Entry
		destination, writes string
		fingerprint         []byte
	}
	seal := func(s *record.Seals, change func(*parts)) int64 {
		p := parts{destination: "d2", writes: "[]", fingerprint: []byte(strings.Repeat("f", 16)), Entry: ledger.Entry{
			Key: "k1", Owner: ledger.Owner{Config: "c1", Sync: "s1"}, UUID: "u1", KeyID: "i1",
			Source: ledger.Source{KMS: "k2", Environment: "e1", Path: "p1", Name: "n1", ID: "d1", Version: 12},
		}}
		change(&p)
		return s.Entry(p.destination, &p.Entry, p.fingerprint, p.writes)
	}
	same := func(*parts) {}
	seals := record.NewSeals(keyOf(t, "x"), "l1")
	all := map[string]any{"nothing": seal(seals, same)}
	for name, change := range map[string]func(*parts){
		"destination":     func(p *parts) { p.destination = "d3" },
		"key":             func(p *parts) { p.Key = "k3" },
		"config":          func(p *parts) { p.Owner.Config = "c2" },
		"sync":            func(p *parts) { p.Owner.Sync = "s2" },
		"uuid":            func(p *parts) { p.UUID = "u2" },
		"key id":          func(p *parts) { p.KeyID = "i2" },
		"kms":             func(p *parts) { p.Source.KMS = "k3" },
		"environment":     func(p *parts) { p.Source.Environment = "e2" },
		"path":            func(p *parts) { p.Source.Path = "p2" },
		"name":            func(p *parts) { p.Source.Name = "n2" },
		"id":              func(p *parts) { p.Source.ID = "d3" },
		"version":         func(p *parts) { p.Source.Version = 13 },
		"secured":         func(p *parts) { p.Secured = true },
		"released":        func(p *parts) { p.Released = true },
		"writes":          func(p *parts) { p.writes = "[1]" },
		"fingerprint":     func(p *parts) { p.fingerprint = []byte(strings.Repeat("g", 16)) },
		"no fingerprint":  func(p *parts) { p.fingerprint = nil },
		"config and sync": func(p *parts) { p.Owner = ledger.Owner{Config: "c1s", Sync: "1"} },
		"both places":     func(p *parts) { p.destination, p.Key = "d2k", "1" },
		"id and writes":   func(p *parts) { p.Source.ID, p.writes = "d1[", "]" },
		"what comes last": func(p *parts) { p.Source.Version, p.writes = 2, "[]1" },
	} {
		all[name] = seal(seals, change)
	}
	all["another root key"] = seal(record.NewSeals(keyOf(t, "y"), "l1"), same)
	all["another ledger"] = seal(record.NewSeals(keyOf(t, "x"), "l2"), same)
	unlike(t, all)
	if again := seal(record.NewSeals(keyOf(t, "x"), "l1"), same); again != all["nothing"] {
		t.Error("the same entry has another seal")
	}
}

// TestEveryOtherTextIsSealed: each text counts, and where it stands, and of what it
// is said.
func TestEveryOtherTextIsSealed(t *testing.T) {
	t.Parallel()
	seals := record.NewSeals(keyOf(t, "x"), "l1")
	elsewhere := record.NewSeals(keyOf(t, "x"), "l2")
	unlike(t, map[string]any{
		"flags":                 seals.Flags("d", "k", "yes", "no", ""),
		"of another place":      seals.Flags("e", "k", "yes", "no", ""),
		"of another key":        seals.Flags("d", "K", "yes", "no", ""),
		"not believed":          seals.Flags("d", "k", "no", "no", ""),
		"in doubt":              seals.Flags("d", "k", "yes", "yes", ""),
		"swapped":               seals.Flags("d", "k", "no", "yes", ""),
		"intended":              seals.Flags("d", "k", "yes", "no", "s"),
		"place and key":         seals.Flags("dk", "", "yes", "no", ""),
		"flags elsewhere":       elsewhere.Flags("d", "k", "yes", "no", ""),
		"destination":           seals.Destination("d", "k", "yes", "no", ""),
		"another one":           seals.Destination("D", "k", "yes", "no", ""),
		"its first name":        seals.Destination("d", "K", "yes", "no", ""),
		"its last name":         seals.Destination("d", "k", "yes", "no", "n"),
		"its names swapped":     seals.Destination("d", "yes", "k", "no", ""),
		"destination elsewhere": elsewhere.Destination("d", "k", "yes", "no", ""),
		"meta":                  seals.Meta("1", "2", ""),
		"meta's version":        seals.Meta("2", "2", ""),
		"meta's serial":         seals.Meta("1", "3", ""),
		"meta's numbers":        seals.Meta("12", "", ""),
		"meta's mark":           seals.Meta("1", "2", "t"),
		"meta's serial as mark": seals.Meta("1", "", "2"),
		"meta elsewhere":        elsewhere.Meta("1", "2", ""),
		"meta of another key":   record.NewSeals(keyOf(t, "y"), "l1").Meta("1", "2", ""),
	})
}

// TestWithoutAKeyThereIsNoSeal, which is why a ledger without its key is refused.
func TestWithoutAKeyThereIsNoSeal(t *testing.T) {
	t.Parallel()
	seals := record.NewSeals(secret.Key{}, "l1")
	if got := seals.Meta("1", "2", ""); got != "0" {
		t.Errorf("meta: %s", got)
	}
	if got := seals.Flags("d", "k", "yes", "no", ""); got != 0 {
		t.Errorf("flags: %d", got)
	}
	if got := seals.Destination("d"); got != 0 {
		t.Errorf("destination: %d", got)
	}
	if got := seals.Entry("d", &ledger.Entry{Key: "k"}, nil, "[]"); got != 0 {
		t.Errorf("entry: %d", got)
	}
}
