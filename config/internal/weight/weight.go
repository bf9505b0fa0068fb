// Package weight says how much values hold and how much expressions may cost, so
// that a small file cannot ask for much memory or time.
package weight

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
)

// Most is where [Of] stops counting.
const Most = 16 << 20

// Of is how much a value holds, in bytes of text and elements. It is not more
// than a little above [Most]: values may hold one another so often that counting
// would not end.
func Of(v cty.Value) int {
	weight := 0
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		weight += 16
		v, _ = v.Unmark()
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			weight += len(v.AsString())
		}
		if weight > Most {
			return false, errEnough
		}
		return true, nil
	})
	return weight
}

var errEnough = errors.New("enough")
