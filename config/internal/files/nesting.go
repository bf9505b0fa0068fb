package files

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const (
	maxNesting   = 64
	maxOperators = 512
	// harmless is how many characters that could nest or operate a file may hold
	// without being looked at closely: one level takes the parser 8 KB of stack,
	// of 1 GB that Go allows.
	harmless = 10_000
)

// checkNesting refuses expressions that nest so deeply that HCL's parser, which
// recurses, would overflow the stack: no recover catches that. It bounds how deep
// brackets and templates nest and how many operators stand in one expression of
// one level. Files so small that nothing can happen are not bounded: reading them
// twice would cost more than parsing.
func checkNesting(name string, src []byte) *hcl.Diagnostic {
	if !couldNest(src) {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	type level struct {
		opener    hclsyntax.TokenType
		operators int
	}
	levels := []level{{opener: hclsyntax.TokenOBrace}}
	for _, token := range tokens {
		top := &levels[len(levels)-1]
		switch token.Type {
		case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenComment:
		case hclsyntax.TokenComma, hclsyntax.TokenEqual:
			top.operators = 0
		case hclsyntax.TokenNewline:
			if top.opener == hclsyntax.TokenOBrace {
				top.operators = 0
			}
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			top.operators++
			levels = append(levels, level{opener: token.Type})
		default:
			top.operators++
		}
		if len(levels) > maxNesting || levels[len(levels)-1].operators > maxOperators {
			return errorAt(token.Range, summaryNesting, fmt.Sprintf(
				"The expression nests more than %d levels, or holds more than %d operators. Write it more simply.", maxNesting, maxOperators))
		}
	}
	return nil
}

// couldNest counts the characters that every level and every operator needs one
// of, wherever they stand.
func couldNest(src []byte) bool {
	count := 0
	for _, c := range src {
		switch c {
		case '(', '[', '{', '!', '-', '+', '*', '/', '%', '<', '>', '=', '&', '|', '?', '.':
			count++
		}
	}
	return count > harmless
}
