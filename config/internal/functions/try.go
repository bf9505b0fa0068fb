package functions

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// telling returns try or can with a result that is as sensitive as what its
// arguments look at: that one of them fails tells something of a value, which the
// function behind forgets.
func telling(f function.Function) function.Function {
	spec := &function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			v, err := f.Call(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err != nil {
				return cty.NilVal, err
			}
			return v.WithMarks(marksOf(args)), nil
		},
	}
	return function.New(spec)
}

// marksOf returns the marks of all that the expressions refer to.
func marksOf(args []cty.Value) cty.ValueMarks {
	marks := cty.ValueMarks{}
	for _, arg := range args {
		closure := customdecode.ExpressionClosureFromVal(arg)
		for _, traversal := range closure.Expression.Variables() {
			_, found := rootOf(closure.EvalContext, traversal).UnmarkDeep()
			if v, diags := traversal.TraverseAbs(closure.EvalContext); !diags.HasErrors() {
				_, found = v.UnmarkDeep()
			}
			maps.Copy(marks, found)
		}
	}
	return marks
}

// rootOf returns the value that a reference begins with, or null.
func rootOf(ctx *hcl.EvalContext, traversal hcl.Traversal) cty.Value {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[traversal.RootName()]; ok {
			return v
		}
	}
	return cty.NullVal(cty.DynamicPseudoType)
}
