package rules

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

const (
	maxElements = 10_000 // that for_each goes over
	maxKey      = 128    // bytes of a key
)

const forEachRule = "for_each takes a map, or a set of strings, and makes a block for each element. "

// ForEach says what is wrong with a value of for_each, or "". unknown says what to
// do where it is not known.
func ForEach(v cty.Value, unknown func() string) string {
	ty := v.Type()
	switch {
	case v.IsMarked() || ty.IsSetType() && v.ContainsMarked():
		return forEachRule + "This is sensitive, and addresses show the keys. Take it from a variable without sensitive = true."
	case !v.IsKnown() || ty == cty.DynamicPseudoType && !v.IsNull():
		return forEachRule + unknown()
	case ty.IsSetType() && !v.IsWhollyKnown():
		return forEachRule + unknown()
	case v.IsNull():
		return forEachRule + "This is null. Write {} for no element."
	case ty.IsTupleType() || ty.IsListType():
		return forEachRule + "This is a list, whose elements have no names. Write toset(...) around it, if they are strings."
	case ty.IsSetType() && ty.ElementType() != cty.String && v.LengthInt() > 0:
		return forEachRule + "This is a set of other values. Write a map with a name for each element."
	case !ty.IsSetType() && !ty.IsMapType() && !ty.IsObjectType():
		return forEachRule + "This is neither. Write a map, or toset([\"...\"])."
	case v.LengthInt() > maxElements:
		return forEachRule + fmt.Sprintf("This holds more than %d elements. Write fewer.", maxElements)
	}
	return ""
}

// ForEachKey says what is wrong with a key of for_each, or "".
func ForEachKey(key cty.Value) string {
	switch {
	case key.IsNull() || !key.IsKnown() || key.Type() != cty.String:
		return forEachRule + "One of the elements is null. Remove it."
	case key.AsString() == "":
		return forEachRule + "One of the keys is empty. Give it a name."
	case len(key.AsString()) > maxKey:
		return forEachRule + fmt.Sprintf("One of the keys is longer than %d bytes. Shorten it.", maxKey)
	case strings.Contains(key.AsString(), "*"):
		return forEachRule + "One of the keys holds a *, which stands for any text in addresses. Rename it."
	case !utf8.ValidString(key.AsString()) || strings.ContainsFunc(key.AsString(), func(r rune) bool { return !unicode.IsPrint(r) }):
		return forEachRule + "One of the keys holds a character that cannot be printed. Remove it."
	}
	return ""
}
