package want

import (
	"maps"
	"slices"
)

// maxNear bounds the work: what is longer, in bytes, is no slip of the hand.
const maxNear = 128

// nearest returns the name most like the given one, or "" when none is near: at
// most a third of its letters, and one, may differ.
func nearest(given string, names map[string]bool) string {
	best, distance := "", len(given)/3+2
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if len(given) > maxNear || len(name) > maxNear {
			continue
		}
		if d := edits(given, name); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// edits counts the letters to insert, remove or replace between two names.
func edits(a, b string) int {
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := []int{i + 1}
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row = append(row, min(replaced, last[j+1]+1, row[j]+1))
		}
		last = row
	}
	return last[len(b)]
}
