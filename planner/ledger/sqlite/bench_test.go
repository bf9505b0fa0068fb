package sqlite

import (
	"fmt"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
)

// BenchmarkIntendSettle notes the writes of a destination with 40 keys: one
// commit before, and one for each answer.
func BenchmarkIntendSettle(b *testing.B) {
	b.ReportAllocs()
	p := newPlace(b)
	session, state := p.lock(b)
	var intents []ledger.Intent
	var outcomes []ledger.Outcome
	for i := range 40 {
		key := fmt.Sprintf("KEY_%d", i)
		intents = append(intents, create(key))
		outcomes = append(outcomes, written(key, state.Key, "value"))
	}
	for b.Loop() {
		intend(b, session, intents...)
		for _, outcome := range outcomes {
			settle(b, session, outcome)
		}
	}
}

// BenchmarkSettle notes one answer a time, in a ledger of 2,000 keys that each
// have all the writes they remember.
func BenchmarkSettle(b *testing.B) {
	b.ReportAllocs()
	const keys = 2_000
	p := newPlace(b)
	for range ledger.MaxWrites {
		p.fill(b, keys)
	}
	session, state := p.lock(b)
	outcomes := make([]ledger.Outcome, keys)
	for i := range outcomes {
		outcomes[i] = written(fmt.Sprintf("KEY_%05d", i), state.Key, "value")
	}
	settle(b, session, outcomes[0]) // the first commit waits for the disk
	i := 0
	for b.Loop() {
		i = (i + 1) % keys
		settle(b, session, outcomes[i])
	}
}

// BenchmarkLoad reads entries, each with all the writes it remembers.
func BenchmarkLoad(b *testing.B) {
	for _, keys := range []int{2_000, 10_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			b.ReportAllocs()
			p := newPlace(b)
			for range ledger.MaxWrites {
				p.fill(b, keys)
			}
			for b.Loop() {
				p.load(b)
			}
		})
	}
}
