package address

import (
	"fmt"
	"slices"
	"strings"
)

// Record is a key of the ledger as addresses name it, or a destination of it as a
// whole, which has no key.
type Record struct {
	Sync
	EnvironmentUUID string
	Key             string
}

// ChooseRecords returns the places in the list of the records that the addresses
// name. A destination as a
// whole is named by the address of a destination only. The error is of the first
// address that names nothing, and says what was probably meant.
func ChooseRecords(addresses []Pattern, records []Record) (chosen []int, err error) {
	syncs := make([]Sync, len(records))
	for i, r := range records {
		syncs[i] = r.Sync
	}
	named := make([]bool, len(records))
	for _, p := range addresses {
		p, any := p.resolve(syncs), false
		for i, r := range records {
			if p.names(r) {
				named[i], any = true, true
			}
		}
		if !any {
			return nil, fmt.Errorf("%s names nothing in the ledger%s kmsync ledger show lists all", Quote(p.text), p.nearestRecord(records))
		}
	}
	for i := range records {
		if named[i] {
			chosen = append(chosen, i)
		}
	}
	return chosen, nil
}

func (p Pattern) names(r Record) bool {
	if r.Key == "" {
		if p.form != ofDestination {
			return false
		}
	} else if p.key != "" && !glob(p.key, r.Key) {
		return false
	}
	byUUID := r.Sync
	byUUID.Destination.Environment = r.EnvironmentUUID
	return p.Matches(r.Sync) || p.form == ofDestination && p.Matches(byUUID)
}

// nearestRecord says what the pattern probably means.
func (p Pattern) nearestRecord(records []Record) string {
	var names []string
	for _, r := range records {
		switch p.form {
		case ofSync:
			if p.key == "" {
				names = append(names, r.Address)
			} else if r.Key != "" {
				names = append(names, r.Address+"/"+r.Key)
			}
		case ofKey:
			names = append(names, r.Key)
		case ofDestination:
			names = append(names, r.Destination.String())
		case ofSource:
			names = append(names, sourcesOf([]Sync{r.Sync})...)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	slices.Sort(names)
	suggestion := didYouMean(p.text, names)
	if p.form == ofKey && suggestion == "." {
		suggestion = p.notAKey(records)
	}
	return suggestion
}

// notAKey says what a bare word that is no key may be the name of.
func (p Pattern) notAKey(records []Record) string {
	var addresses []string
	for _, r := range records {
		if r.Key == "" && strings.EqualFold(r.Destination.Repository, p.text) {
			return didYouMean(r.Destination.String(), []string{r.Destination.String()})
		}
		addresses = append(addresses, r.Address)
	}
	slices.Sort(addresses)
	return didYouMean("sync."+p.text, addresses)
}
