package functions

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var (
	startsWithFunc  = aboutTwo("prefix", strings.HasPrefix)
	endsWithFunc    = aboutTwo("suffix", strings.HasSuffix)
	strContainsFunc = aboutTwo("substr", strings.Contains)

	base64EncodeFunc = onText(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil })
	urlEncodeFunc    = onText(func(s string) (string, error) { return url.QueryEscape(s), nil })
	base64DecodeFunc = onText(func(s string) (string, error) {
		decoded, err := base64.StdEncoding.DecodeString(s)
		switch {
		case err != nil:
			return "", errors.New("the text is not base64")
		case !utf8.Valid(decoded):
			return "", errors.New("the decoded text is not UTF-8")
		}
		return string(decoded), nil
	})

	allTrueFunc = overBools(true)
	anyTrueFunc = overBools(false)
)

// aboutTwo is a function of two texts that is true or false.
func aboutTwo(second string, f func(s, other string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "string", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// onText is a function from a text to a text.
func onText(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "string", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

// overBools is true when all are, or when any is. Without elements it is what
// Terraform says: all of none are true, and none is.
func overBools(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			result := cty.BoolVal(all)
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				switch {
				case !v.IsKnown():
					result = cty.UnknownVal(cty.Bool)
				case (!v.IsNull() && v.True()) != all:
					return cty.BoolVal(!all), nil
				}
			}
			return result, nil
		},
	})
}

// replaceFunc replaces a text, or what a /regular expression/ matches.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "string", Type: cty.String}, {Name: "substr", Type: cty.String}, {Name: "replace", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		pattern := args[1].AsString()
		if len(pattern) > 1 && strings.HasPrefix(pattern, "/") && strings.HasSuffix(pattern, "/") {
			if len(args[0].AsString()) > maxSearched {
				return cty.NilVal, function.NewArgErrorf(0, "the text is longer than %d bytes, which is too long for a regular expression", maxSearched)
			}
			v, err := stdlib.RegexReplace(args[0], cty.StringVal(pattern[1:len(pattern)-1]), args[2])
			if err != nil {
				return cty.NilVal, err
			}
			return convert.Convert(v, cty.String)
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})
