package graph

import (
	"fmt"

	"github.com/hanzoai/kmsync/config"
)

// OverlapError says that two syncs, which are written with destinations of
// different names, have one destination, and that one of them claims keys there by
// overwrite-destination that the other can produce.
type OverlapError struct {
	First, Second *config.Sync
	Place         DestinationRef // by the names in force
	Example       string         // a key; "" where none is known
}

// Error names both syncs, where they are declared, and a key.
func (e *OverlapError) Error() string {
	text := fmt.Sprintf("%s and %s both write to %s, which they spell differently. By overwrite-destination one claims its whole range of keys there, ",
		declared(e.First), declared(e.Second), e.Place)
	if e.Example != "" {
		text += fmt.Sprintf("and the other can make keys in that range, such as %s.", e.Example)
	} else {
		text += "and that the other makes none of them cannot be proven."
	}
	return text + " Give one of them a key_schema of its own, or remove overwrite-destination; nothing of either is written."
}

// declared names a sync with the place that says which keys it makes.
func declared(s *config.Sync) string {
	at := s.Range
	if s.Options.KeySchema.IsSet() {
		at = s.Options.KeySchema.Range
	}
	return fmt.Sprintf("%s (%s:%d)", s.Address, at.Filename, at.Start.Line)
}
