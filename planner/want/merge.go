package want

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// Map holds what the active syncs of one destination ask for, by key. A key that
// is asked for more than once has several wants, all refused.
type Map map[string][]*Want

// Single returns the one want behind a key, or nil.
func (m Map) Single(key string) *Want {
	if same := m[key]; len(same) == 1 {
		return same[0]
	}
	return nil
}

// Merge joins what the active syncs of one destination ask for, and refuses what
// clashes: one key from two secrets, keys that differ by case only, and a key
// that differs by case only from a live variable, unless that may be renamed to it.
func Merge(wants []*Want, live []providers.Variable, renames func(*Want, providers.Variable) bool) Map {
	byKey, byFold := Map{}, map[string][]string{}
	for _, w := range wants {
		if len(byKey[w.Key]) == 0 {
			fold := strings.ToLower(w.Key)
			byFold[fold] = append(byFold[fold], w.Key)
		}
		byKey[w.Key] = append(byKey[w.Key], w)
	}
	for _, same := range byKey {
		for i, w := range same {
			if len(same) > 1 {
				other := same[(i+1)%len(same)]
				w.refuse(verdict.DuplicateKey, "%s of %s%s and %s of %s%s both give it",
					w.SecretKey, w.Source, w.place(other, ""), other.SecretKey, other.Source, other.place(w, other.Node.Sync.Address))
			}
		}
	}
	for _, keys := range byFold {
		for i, key := range keys {
			if len(keys) > 1 {
				refuseAll(byKey[key], verdict.CaseClash, "it differs from %s by case only", keys[(i+1)%len(keys)])
			}
		}
	}
	for _, v := range live {
		for _, key := range byFold[strings.ToLower(v.Key)] {
			if single := byKey.Single(key); key != v.Key && (single == nil || !renames(single, v)) {
				refuseAll(byKey[key], verdict.CaseClash, "it differs by case only from the variable %s, which is there already", v.Key)
			}
		}
	}
	return byKey
}

// place tells a want from another of the same key: by its place in the file where
// both are of one sync, else by the given name.
func (w *Want) place(other *Want, name string) string {
	if at := w.Through.Range; w.Node == other.Node && at.Filename != "" {
		if w.Range.Filename != "" {
			at = w.Range
		}
		name = fmt.Sprintf("%s:%d", at.Filename, at.Start.Line)
	}
	if name == "" {
		return ""
	}
	return " (" + name + ")"
}

// Refuse stops the want, unless something stopped it before.
func (w *Want) Refuse(by verdict.Block, detail string) { w.refuse(by, "%s", detail) }

// Refuse stops what is wanted under a key, for a reason that lies elsewhere.
func (m Map) Refuse(key string, by verdict.Block, detail string) { refuseAll(m[key], by, "%s", detail) }

func refuseAll(wants []*Want, by verdict.Block, format string, args ...any) {
	for _, w := range wants {
		w.refuse(by, format, args...)
	}
}

// MaxBuildSize is how many characters of names and values one build may see, as
// Atlassian's documentation says.
const MaxBuildSize = 120_000

// RefuseOversize refuses the creates that would pass the limit of a build, in
// the order of their keys, and reports whether the variables that are there pass
// it already. others counts what a build sees from elsewhere.
func (m Map) RefuseOversize(live []providers.Variable, others int) (total int, over bool) {
	total = others
	there := map[string]bool{}
	for _, v := range live {
		there[v.Key] = true
		total += len(v.Key) + v.Value.Size()
		if w := m.Single(v.Key); w != nil {
			total += w.Value.Size() - v.Value.Size()
		}
	}
	over = total > MaxBuildSize
	for _, key := range slices.Sorted(maps.Keys(m)) {
		w := m[key][0]
		if there[key] || w.Block != verdict.NotBlocked {
			continue
		}
		size := len(key) + w.Value.Size()
		if total+size > MaxBuildSize {
			w.refuse(verdict.TooLarge, "with it, names and values of one build would pass %d characters", MaxBuildSize)
			continue
		}
		total += size
	}
	return total, over
}
