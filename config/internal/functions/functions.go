// Package functions holds the functions of the configuration language: those of
// go-cty's standard library under Terraform's names, a few that Terraform has
// beside them, and those that read files of the configuration directory. There is
// no clock, no randomness, no network, no program and no environment among them.
package functions

import (
	"io/fs"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// All returns the functions by name. dir is the directory of the configuration, in
// which no path and no link leads out.
func All(dir fs.FS) map[string]function.Function {
	all := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc,
		"signum": stdlib.SignumFunc, "sum": sumFunc,

		"chomp": stdlib.ChompFunc, "endswith": endsWithFunc, "format": formatting(stdlib.FormatFunc),
		"formatdate": stdlib.FormatDateFunc, "formatlist": formatting(stdlib.FormatListFunc),
		"indent": indenting(stdlib.IndentFunc), "join": joining(stdlib.JoinFunc), "lower": stdlib.LowerFunc,
		"regex": searching(stdlib.RegexFunc, 1), "regexall": searching(stdlib.RegexAllFunc, 1), "replace": replacing(replaceFunc),
		"split": stdlib.SplitFunc, "startswith": startsWithFunc, "strcontains": strContainsFunc,
		"strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,

		"alltrue": allTrueFunc, "anytrue": anyTrueFunc, "chunklist": stdlib.ChunklistFunc,
		"coalesce": coalesceFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "index": indexFunc,
		"keys": stdlib.KeysFunc, "length": lengthFunc, "lookup": lookupFunc, "merge": stdlib.MergeFunc,
		"one": oneFunc, "range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc, "setproduct": crossing(stdlib.SetProductFunc),
		"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc,
		"sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"base64decode": base64DecodeFunc, "base64encode": growing(base64EncodeFunc),
		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": onceEach(parsing(stdlib.JSONDecodeFunc), jsonNameTwice), "jsonencode": growing(stdlib.JSONEncodeFunc),
		"urlencode": growing(urlEncodeFunc), "yamldecode": onceEach(expanding(yaml.YAMLDecodeFunc), yamlNameTwice), "yamlencode": growing(yaml.YAMLEncodeFunc),

		"can": telling(tryfunc.CanFunc), "try": telling(tryfunc.TryFunc),
		"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":  stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"toset":  stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	}
	for name, f := range files(dir) {
		all[name] = f
	}
	for _, name := range []string{"abs", "jsondecode", "max", "min", "parseint", "pow", "sum", "tonumber", "yamldecode"} {
		all[name] = counting(all[name])
	}
	for name, f := range all {
		if name != "can" && name != "try" { // these evaluate their arguments themselves
			all[name] = calm(f)
		}
	}
	return all
}
