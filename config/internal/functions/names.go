package functions

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// onceEach guards a function that decodes JSON: an object that has a name twice is
// refused, since the decoder would take the last without a word.
func onceEach(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if !isText(args[0]) {
			return nil
		}
		if name, twice := nameTwice(args[0].AsString()); twice {
			return fmt.Errorf("the name %q is there twice", name)
		}
		return nil
	})
}

// level is an object or an array that is being read.
type level struct {
	names map[string]bool // nil in an array
	value bool            // a name was read, and its value comes next
}

// nameTwice returns a name that an object of a JSON text has twice. What is no JSON
// is left to the decoder.
func nameTwice(text string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	var levels []*level
	for {
		token, err := decoder.Token()
		if err != nil {
			return "", false
		}
		var top *level
		if len(levels) > 0 {
			top = levels[len(levels)-1]
		}
		switch t := token.(type) {
		case json.Delim:
			switch {
			case t == '}' || t == ']':
				levels = levels[:len(levels)-1]
				continue
			case top != nil:
				top.value = false
			}
			next := &level{}
			if t == '{' {
				next.names = map[string]bool{}
			}
			levels = append(levels, next)
		case string:
			if top == nil || top.names == nil || top.value {
				break
			}
			if top.names[t] {
				return t, true
			}
			top.names[t], top.value = true, true
			continue
		}
		if _, opened := token.(json.Delim); top != nil && !opened {
			top.value = false
		}
	}
}
