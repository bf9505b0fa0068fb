package lang

import "github.com/hanzoai/kmsync/config/internal/spec"

// Usable reports whether it is known what an argument says: it was not written, or
// its whole value is there. What is not usable was reported, or depends on a
// variable without a value.
func (b *Block) Usable(name string) bool {
	attr := b.attributes[name]
	if attr == nil {
		return !b.Misspelt(name)
	}
	switch attr.spec.Kind {
	case spec.Strings, spec.StringMap:
		return attr.whole
	case spec.KMSRef, spec.ConnectionRef:
		return attr.target != nil
	}
	return attr.value.IsWhollyKnown()
}
