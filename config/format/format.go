// Package format brings files of a configuration into canonical form: [Format] from
// source to source, [Files] in place.
package format

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/hanzoai/kmsync/config/internal/files"
)

// Format returns src, a file in HCL's native syntax, in canonical form: only
// indentation and the blanks between tokens change, never a line break, a comment,
// or the text of a template. To format the result again changes nothing. CRLF at
// the end of a line stays. name is what diagnostics call the file.
//
// A source that cannot be read as a configuration file is refused with what is
// wrong and where, and the result is nil. One that cannot be formatted without
// changing its tokens, such as a. 0. 1, is returned as it is.
func Format(name string, src []byte) ([]byte, hcl.Diagnostics) {
	if _, diags := files.Parse(name, src); diags.HasErrors() {
		return nil, diags
	}
	before := make(chan hclsyntax.Tokens, 1)
	go func() { before <- tokens(src) }() // meanwhile
	formatted := hclwrite.Format(src)
	if !bytes.Equal(src, formatted) && !sameTokens(<-before, tokens(formatted)) {
		return src, nil
	}
	return formatted, nil
}

// sameTokens reports whether two sources differ in nothing but blanks.
func sameTokens(a, b hclsyntax.Tokens) bool {
	return slices.EqualFunc(a, b, func(x, y hclsyntax.Token) bool {
		return x.Type == y.Type && bytes.Equal(x.Bytes, y.Bytes)
	})
}

func tokens(src []byte) hclsyntax.Tokens {
	found, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	return found
}
