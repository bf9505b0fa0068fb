package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/hanzoai/kmsync/config/internal/weight"
)

const (
	// maxResult bounds, in bytes, what one call may make of its arguments.
	maxResult = 4 << 20
	// maxWidth bounds the numbers in a format, and the spaces of an indent.
	maxWidth = 1024
	// maxPairs bounds the elements of a product.
	maxPairs = 10_000
)

// guarded returns the function with a check of its arguments before the call. The
// check sees known, unmarked arguments only.
func guarded(f function.Function, check func(args []cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      passing(f.Params()),
		VarParam:    passingVar(f.VarParam()),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := check(plain(args)); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return f.Call(args)
		},
	})
}

// calm returns the function with a plain error in place of a panic, whose own text
// holds a trace.
func calm(f function.Function) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      passing(f.Params()),
		VarParam:    passingVar(f.VarParam()),
		Type: func(args []cty.Value) (cty.Type, error) {
			ty, err := f.ReturnTypeForValues(args)
			return ty, withoutTrace(err)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			return v, withoutTrace(err)
		},
	})
}

func withoutTrace(err error) error {
	if _, panicked := errors.AsType[function.PanicError](err); panicked {
		return errors.New("it cannot work with these arguments")
	}
	return err
}

// passing lets everything through to the function behind, which knows better.
func passing(params []function.Parameter) []function.Parameter {
	out := make([]function.Parameter, len(params))
	for i, p := range params {
		p.AllowMarked, p.AllowUnknown, p.AllowDynamicType = true, true, true
		out[i] = p
	}
	return out
}

func passingVar(p *function.Parameter) *function.Parameter {
	if p == nil {
		return nil
	}
	return &passing([]function.Parameter{*p})[0]
}

func plain(args []cty.Value) []cty.Value {
	out := make([]cty.Value, len(args))
	for i, arg := range args {
		out[i], _ = arg.UnmarkDeep()
	}
	return out
}

// joining guards join: the separator stands between all elements.
func joining(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		elements, separator := 0, 1
		for i, arg := range args {
			if i == 0 && isText(arg) {
				separator += len(arg.AsString())
			} else {
				elements += weight.Of(arg)
			}
		}
		return bounded(elements, elements/16*separator)
	})
}

// replacing guards replace: no text holds more places than characters, and $1
// stands for no more than the text.
func replacing(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if len(args) != 3 || !isText(args[0]) || !isText(args[2]) {
			return nil
		}
		return bounded((1 + len(args[0].AsString())) * (1 + len(args[2].AsString())))
	})
}

// growing guards a function whose result is some times as long as what it is
// given: calls inside of each other would multiply.
func growing(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		total := 0
		for _, arg := range args {
			total += weight.Of(arg)
		}
		return bounded(total)
	})
}

// bounded refuses sizes of which one is larger than a result may be.
func bounded(sizes ...int) error {
	if slices.Max(sizes) > maxResult {
		return errTooLarge
	}
	return nil
}

// crossing guards a function that pairs the elements of its arguments.
func crossing(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		product, heaviest := 1, 0
		for _, arg := range args {
			if arg.IsKnown() && !arg.IsNull() && arg.CanIterateElements() {
				product *= max(1, arg.LengthInt())
				heaviest += weight.Of(arg) / max(1, arg.LengthInt())
			}
			if product > maxPairs {
				return errTooLarge
			}
		}
		return bounded(product * heaviest)
	})
}

var errTooLarge = errors.New("the result would be too large")

var longNumber = regexp.MustCompile(`%[^a-zA-Z%]*([0-9]{4,}|\*)`)

// formatting guards a function whose first argument is a format: each verb may
// take any of the others, and lists make rows.
func formatting(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if !isText(args[0]) {
			return nil
		}
		text := args[0].AsString()
		if longNumber.MatchString(text) {
			return errors.New("a width in the format is too large")
		}
		rows, lists, others := 1, 0, 0
		for _, arg := range args[1:] {
			if ty := arg.Type(); arg.IsKnown() && !arg.IsNull() && (ty.IsListType() || ty.IsSetType() || ty.IsTupleType()) {
				rows = max(rows, arg.LengthInt())
				lists += weight.Of(arg)
			} else {
				others += weight.Of(arg)
			}
		}
		verbs := strings.Count(text, "%")
		return bounded(rows*len(text), rows*verbs*others, verbs*lists, verbs*maxWidth)
	})
}

// indenting guards a function that puts spaces before the lines of a text.
func indenting(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		spaces := args[0]
		if spaces.Type() != cty.Number || !spaces.IsKnown() || spaces.IsNull() || !isText(args[1]) {
			return nil
		}
		if spaces.GreaterThan(cty.NumberIntVal(maxWidth)).True() {
			return errTooLarge
		}
		n, _ := spaces.AsBigFloat().Int64()
		return bounded(len(args[1].AsString()), int(n)*strings.Count(args[1].AsString(), "\n"))
	})
}

// yamlAlias is an alias of YAML, or what looks like one.
var yamlAlias = regexp.MustCompile(`\*[^\s*,\]}]`)

// expanding guards yamldecode: aliases of what holds aliases multiply, n of them
// by 3 to the power of n/3 at most.
func expanding(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if !isText(args[0]) || !strings.Contains(args[0].AsString(), "&") {
			return nil
		}
		size := max(1, len(args[0].AsString()))
		for range (len(yamlAlias.FindAllString(args[0].AsString(), -1)) + 2) / 3 {
			if size *= 3; size > maxResult {
				return errors.New("the text holds too many aliases; write out what they stand for")
			}
		}
		return nil
	})
}

// parsing guards jsondecode, whose own words for what is no JSON help nobody.
func parsing(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if isText(args[0]) && !json.Valid([]byte(args[0].AsString())) {
			return errors.New("the text is not JSON")
		}
		return nil
	})
}

func isText(v cty.Value) bool { return v.Type() == cty.String && v.IsKnown() && !v.IsNull() }

// maxSearched bounds the text that a regular expression is looked for in: to find
// all that match may take the square of its length.
const maxSearched = 8 << 10

// searching guards a function that looks for a regular expression in the argument
// at that place.
func searching(f function.Function, at int) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if at < len(args) && isText(args[at]) && len(args[at].AsString()) > maxSearched {
			return fmt.Errorf("the text is longer than %d bytes, which is too long for a regular expression", maxSearched)
		}
		return nil
	})
}

var errHuge = errors.New("the number is too large")

// counting refuses numbers that would take minutes to write down.
func counting(f function.Function) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(), Params: passing(f.Params()), VarParam: passingVar(f.VarParam()),
		Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err == nil && weight.IsHuge(v) {
				return cty.NilVal, errHuge
			}
			return v, err
		},
	})
}
