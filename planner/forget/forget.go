// Package forget chooses by address what is to be forgotten of a ledger. It is pure.
package forget

import (
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/ledger"
)

// Place is what is to be forgotten of one destination.
type Place struct {
	Destination *ledger.Destination
	Whole       bool     // its own record and its consent too, with every key
	Keys        []string // in order
}

// Choose finds what the addresses name in a ledger, whoever wrote it: the places by
// name. The error is of the first address that names nothing.
func Choose(named []address.Pattern, state *ledger.State) ([]Place, error) {
	records, destinations := recordsOf(state)
	chosen, err := address.ChooseRecords(named, records)
	if err != nil {
		return nil, err
	}
	var places []Place
	for _, i := range chosen {
		d, key := destinations[i], records[i].Key
		if n := len(places); n == 0 || places[n-1].Destination != d {
			places = append(places, Place{Destination: d})
		}
		last := &places[len(places)-1]
		if key == "" {
			last.Whole = true
		} else {
			last.Keys = append(last.Keys, key)
		}
	}
	return places, nil
}

// Removals returns the same as a ledger is told: a destination goes with its keys.
func Removals(places []Place) (removals []ledger.Removal) {
	for _, p := range places {
		if p.Whole {
			removals = append(removals, ledger.Removal{Destination: p.Destination.ID})
			continue
		}
		for _, key := range p.Keys {
			removals = append(removals, ledger.Removal{Destination: p.Destination.ID, Key: key})
		}
	}
	return removals
}

// recordsOf returns what addresses can name in a ledger, with the destination of
// each: by name, each destination before its keys.
func recordsOf(state *ledger.State) (records []address.Record, destinations []*ledger.Destination) {
	nameOf := func(d *ledger.Destination) address.Destination {
		return address.Destination{Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment}
	}
	sorted := slices.SortedFunc(maps.Values(state.Destinations), func(a, b *ledger.Destination) int {
		return strings.Compare(nameOf(a).String()+"\x00"+a.ID, nameOf(b).String()+"\x00"+b.ID)
	})
	for _, d := range sorted {
		whole := address.Record{Sync: address.Sync{Destination: nameOf(d)}, EnvironmentUUID: d.EnvironmentUUID}
		records, destinations = append(records, whole), append(destinations, d)
		for _, key := range slices.Sorted(maps.Keys(d.Entries)) {
			e, one := d.Entries[key], whole
			one.Key, one.Address = key, e.Owner.Sync
			one.Sources = []address.Source{{Environment: e.Source.Environment, Path: e.Source.Path}}
			records, destinations = append(records, one), append(destinations, d)
		}
	}
	return records, destinations
}
