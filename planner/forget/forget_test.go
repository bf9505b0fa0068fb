package forget_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/forget"
	"github.com/hanzoai/kmsync/planner/ledger"
)

func state() *ledger.State {
	s := &ledger.State{Destinations: map[string]*ledger.Destination{}}
	add := func(id, repository, environment, sync, folder string, keys ...string) {
		d := &ledger.Destination{ID: id, Workspace: "acme", Repository: repository, Environment: environment, Entries: map[string]*ledger.Entry{}}
		_, d.EnvironmentUUID, _ = strings.Cut(id, "/")
		for _, key := range keys {
			d.Entries[key] = &ledger.Entry{Key: key, Owner: ledger.Owner{Sync: sync, Config: "any"}, Source: ledger.Source{Environment: "dev", Path: folder}}
		}
		s.Destinations[id] = d
	}
	add("{web}", "web", "", "sync.web", "/web", "A", "B")
	add("{web}/{staging}", "web", "Staging", `sync.service["web"]`, "/web", "A")
	add("{old}/{gone}", "web", "Staging", "sync.web", "/old", "C")
	add("{legacy}", "legacy", "", "sync.legacy", "/legacy")
	add("{acme}", "", "", "sync.all", "/", "ALL")
	return s
}

// TestChoose: an address names what it names in --target, and a destination's address
// also the destination's own record.
func TestChoose(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sync.web":                "{old}/{gone} C; {web} A B",
		"sync.web/A":              "{web} A",
		"sync.*/A":                "{web} A; {web}/{staging} A",
		`sync.service["web"]`:     "{web}/{staging} A",
		"A":                       "{web} A; {web}/{staging} A",
		"dev:/web":                "{web} A B; {web}/{staging} A",
		"acme/web":                "{web} whole A B",
		"ACME/web":                "{web} whole A B",
		"acme/web/Staging":        "{old}/{gone} whole C; {web}/{staging} whole A",
		"acme/web/{staging}":      "{web}/{staging} whole A",
		"acme/web (Staging)":      "{old}/{gone} whole C; {web}/{staging} whole A",
		"acme/web/*":              "{old}/{gone} whole C; {web}/{staging} whole A",
		"acme/legacy":             "{legacy} whole",
		"acme":                    "{acme} whole ALL",
		"acme/web sync.web/C ALL": "{acme} ALL; {old}/{gone} C; {web} whole A B",
	} {
		var named []address.Pattern
		for _, one := range strings.Split(strings.ReplaceAll(text, " (", "\x00("), " ") {
			p, err := address.Parse(strings.ReplaceAll(one, "\x00", " "))
			if err != nil {
				t.Fatal(err)
			}
			named = append(named, p)
		}
		places, err := forget.Choose(named, state())
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		removals := map[ledger.Removal]bool{}
		for _, r := range forget.Removals(places) {
			removals[r] = true
		}
		var got []string
		for _, p := range places {
			line := p.Destination.ID
			if p.Whole {
				line += " whole"
			}
			if p.Whole != removals[ledger.Removal{Destination: p.Destination.ID}] {
				t.Errorf("%s: the removals of %s are %v", text, p.Destination.ID, removals)
			}
			for _, key := range p.Keys {
				line += " " + key
				if p.Whole == removals[ledger.Removal{Destination: p.Destination.ID, Key: key}] {
					t.Errorf("%s: the removals of %s are %v", text, p.Destination.ID, removals)
				}
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(sorted(want), sorted(strings.Join(got, "; "))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// sorted makes two lists of places comparable.
func sorted(list string) map[string]bool {
	parts := map[string]bool{}
	for _, part := range strings.Split(list, "; ") {
		parts[part] = true
	}
	return parts
}

// TestChooseNothing: one address that names nothing stops all, with what was probably
// meant.
func TestChooseNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sync.wep":         "sync.wep names nothing in the ledger. Did you mean sync.web? kmsync ledger show lists all",
		"sync.web/AA":      "Did you mean sync.web/A?",
		"acme/legaci":      "Did you mean acme/legacy?",
		"acme/web/staging": "Did you mean acme/web/Staging?",
		"dev:/wep":         "Did you mean dev:/web?",
		"ALLE":             "Did you mean ALL?",
		"legacy":           "Did you mean acme/legacy?",
		"service-web":      "Did you mean 'sync.service[\"web\"]'?",
		"acme/web/A":       "acme/web/A names nothing in the ledger",
		"entirely":         "entirely names nothing in the ledger. kmsync",
	} {
		p, err := address.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		good, err := address.Parse("sync.web")
		if err != nil {
			t.Fatal(err)
		}
		if places, err := forget.Choose([]address.Pattern{good, p}, state()); err == nil || places != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v", text, fmt.Sprint(places), err)
		}
	}
}
