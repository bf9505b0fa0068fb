// Package sanitize makes text of servers, files and people safe to print.
package sanitize

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns text as one line that is safe to send to a terminal. Line
// breaks and tabs become a blank. Other control characters, and those that hide
// or reorder text (Unicode Cc, Cf, Zl, Zp, bytes that are no UTF-8), become
// visible as \x1b or \u202e. It leaves its own output as it is.
func Text(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, IsUnsafe) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !IsUnsafe(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// IsUnsafe reports whether a terminal might obey the rune, or show nothing for it,
// instead of showing it.
func IsUnsafe(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, invisible)
}

// invisible are letters and marks that show nothing, so that two names with and
// without one look the same.
var invisible = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x034F, Hi: 0x034F, Stride: 1}, // combining grapheme joiner
	{Lo: 0x115F, Hi: 0x1160, Stride: 1}, // Hangul fillers
	{Lo: 0x17B4, Hi: 0x17B5, Stride: 1}, // Khmer inherent vowels
	{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille pattern blank
	{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
	{Lo: 0xFFA0, Hi: 0xFFA0, Stride: 1}, // halfwidth Hangul filler
}}
