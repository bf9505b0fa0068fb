package secret

import (
	"regexp"
	"strings"
)

// reference is the KMS's syntax for a reference to another secret.
var reference = regexp.MustCompile(`\$\{[A-Za-z0-9._@-]+\}`)

// HasReference reports whether the value holds something that the KMS would
// read as a reference to another secret: ${NAME} or ${env.folder.NAME}.
func (v Value) HasReference() bool { return reference.MatchString(v.Reveal()) }

// References returns what stands between "${" and "}" in each reference of the value,
// each once, in order; of more than most, the first ones and one more. They are names,
// which errors may show.
func (v Value) References(most int) []string {
	var names []string
	known := map[string]bool{}
	for text := v.Reveal(); len(names) <= most; {
		at := reference.FindStringIndex(text)
		if at == nil {
			break
		}
		if name := text[at[0]+2 : at[1]-1]; !known[name] {
			known[name], names = true, append(names, name)
		}
		text = text[at[1]:]
	}
	return names
}

// Expand returns the value with each reference replaced by what of returns for it.
// What it puts in is not looked at again.
func (v Value) Expand(of func(reference string) Value) Value {
	return New(reference.ReplaceAllStringFunc(v.Reveal(), func(found string) string {
		return of(found[2 : len(found)-1]).Reveal()
	}))
}

// ExpandedSize returns how many bytes [Value.Expand] would make, without making them.
func (v Value) ExpandedSize(of func(reference string) Value) int {
	text := v.Reveal()
	size := len(text)
	for _, at := range reference.FindAllStringIndex(text, -1) {
		size += len(of(text[at[0]+2:at[1]-1]).Reveal()) - (at[1] - at[0])
	}
	return size
}

// QuoteLines returns a value of several lines as the KMS does for a secret with
// skipMultilineEncoding: in double quotes, with \n for each line feed. A value of
// one line stays as it is.
func (v Value) QuoteLines() Value {
	text := v.Reveal()
	if !strings.Contains(text, "\n") {
		return v
	}
	return New(`"` + strings.ReplaceAll(text, "\n", `\n`) + `"`)
}
