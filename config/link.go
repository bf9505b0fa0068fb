package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// pick returns the label of the kms or connection block that a source or
// destination uses: the one it refers to, or the only one declared. It returns ""
// when there is none; what is wrong has been reported then.
func (l *loader) pick(b *block, kind string) string {
	if attr := b.attributes[kind]; attr != nil {
		if attr.target == nil {
			return ""
		}
		return attr.target.label
	}
	declared := l.declared[kind]
	switch {
	case len(declared) == 1:
		return declared[0].label
	case len(declared) > 1:
		addresses := make([]string, len(declared))
		for i := range declared {
			addresses[i] = declared[i].address
		}
		l.report(errorAt(b.header, summaryAmbiguous, fmt.Sprintf("Several %s blocks are declared: %s. Choose one of them, as in: %s = %s", kind, strings.Join(addresses, ", "), kind, addresses[0])))
	case !l.lost[kind]:
		// One mistake, wherever it shows: the other syncs lack the same block.
		l.lost[kind] = true
		l.report(errorAt(b.header, summaryUndeclared, fmt.Sprintf("No %s block is declared. Write one beside the syncs:\n\n%s", kind, l.language.block(kind).example)))
	}
	return ""
}

// checkNames reports names that two syncs share.
func (l *loader) checkNames() {
	first := map[string]*Sync{}
	for _, s := range l.config.Syncs {
		name := s.Name.Value
		if name == "" {
			continue // reported where it is wrong
		}
		if other := first[name]; other != nil {
			l.report(errorAt(nameRange(s), summaryNameClash, fmt.Sprintf(
				"%s is named %q, as %s is at %s. Give one of them another name.", s.Address, name, other.Address, place(nameRange(other)))))
			continue
		}
		first[name] = s
	}
}

// nameRange is where a sync got its name.
func nameRange(s *Sync) hcl.Range {
	if s.Name.IsSet() {
		return s.Name.Range
	}
	return s.Range
}
