package functions

import (
	"encoding/json"
	"fmt"
	"strings"

	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"go.yaml.in/yaml/v4"
)

// onceEach guards a function that decodes a text: an object that has a name twice is
// refused, since the decoder would take the last without a word. twice finds such a
// name in a text.
func onceEach(f function.Function, twice func(text string) (string, bool)) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if !isText(args[0]) {
			return nil
		}
		if name, found := twice(args[0].AsString()); found {
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

// jsonNameTwice returns a name that an object of a JSON text has twice. What is no
// JSON is left to the decoder.
func jsonNameTwice(text string) (string, bool) {
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
			name := normal(t)
			if top.names[name] {
				return name, true
			}
			top.names[name], top.value = true, true
			continue
		}
		if _, opened := token.(json.Delim); top != nil && !opened {
			top.value = false
		}
	}
}

// yamlNameTwice returns a name that a mapping of a YAML text has twice. What is no
// YAML is left to the decoder.
func yamlNameTwice(text string) (string, bool) {
	var document yaml.Node
	if yaml.Unmarshal([]byte(text), &document) != nil {
		return "", false
	}
	return nodeNameTwice(&document)
}

func nodeNameTwice(n *yaml.Node) (string, bool) {
	names := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			name := keyOf(child)
			if names[name] {
				return name, true
			}
			names[name] = true
		}
		if name, twice := nodeNameTwice(child); twice {
			return name, true
		}
	}
	return "", false
}

// keyOf returns the name that the decoder makes of a key: 0x10 is 16, and yes is true.
func keyOf(n *yaml.Node) string {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return normal(n.Value)
	}
	v, err := ctyyaml.Unmarshal([]byte(n.Value), cty.DynamicPseudoType)
	if err == nil {
		v, err = convert.Convert(v, cty.String)
	}
	if err != nil || v.IsNull() || !v.IsKnown() {
		return normal(n.Value)
	}
	return v.AsString()
}

// normal is a text as values have it, which hold one form of each character.
func normal(text string) string { return cty.StringVal(text).AsString() }
