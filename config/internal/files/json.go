package files

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/hanzoai/kmsync/config/internal/weight"
)

const (
	maxJSONNesting = 64
	// maxTemplate bounds the texts of a JSON file in which expressions may stand: each
	// is parsed by itself, by a parser that recurses.
	maxTemplate = 64 << 10
)

// checkJSON refuses JSON that nests too deeply, and texts whose expressions do, or
// loop inside of a loop: what those make is not counted. What is no JSON is left to the parser.
func checkJSON(name string, src []byte) *hcl.Diagnostic {
	decoder := json.NewDecoder(bytes.NewReader(src))
	depth := 0
	for {
		token, err := decoder.Token()
		if err != nil { // the end, or no JSON
			return checkRest(name, src, int(decoder.InputOffset()))
		}
		at := func() hcl.Range { return place(name, src[:decoder.InputOffset()]) }
		switch t := token.(type) {
		case json.Delim:
			if depth++; t == '}' || t == ']' {
				depth -= 2
			}
			if depth > maxJSONNesting {
				return errorAt(at(), summaryNesting, fmt.Sprintf("The file nests more than %d levels. Write it more simply.", maxJSONNesting))
			}
		case string:
			if diag := checkText(at, []byte(t)); diag != nil {
				return diag
			}
		}
	}
}

// maxRest bounds the brackets behind the first mistake of a JSON file: HCL's parser,
// which recurses, goes on behind it.
const maxRest = 1_000

// checkRest refuses a file that is no JSON and holds many brackets behind the place
// where it ceases to be.
func checkRest(name string, src []byte, from int) *hcl.Diagnostic {
	if bytes.Count(src[from:], []byte("["))+bytes.Count(src[from:], []byte("{")) <= maxRest {
		return nil
	}
	return errorAt(place(name, src[:from]), summaryNesting, "From here on the file is no JSON, and too long to look further. Correct it.")
}

// checkText looks at one text of a JSON file.
func checkText(at func() hcl.Range, text []byte) *hcl.Diagnostic {
	if !bytes.Contains(text, []byte("${")) && !bytes.Contains(text, []byte("%{")) && len(text) < maxTemplate {
		return nil
	}
	if len(text) >= maxTemplate || couldNest(text) {
		return errorAt(at(), summaryNesting, "A text of the file is too long for one that may hold expressions. Write it more simply.")
	}
	expr, diags := hclsyntax.ParseTemplate(text, "", hcl.InitialPos)
	if !diags.HasErrors() && weight.Deeper(expr, 1) != nil {
		return errorAt(at(), summaryNesting, "A text of the file holds a loop inside of a loop. Take the inner one out into locals, or write the file as *.sync.hcl.")
	}
	return nil
}

// place is the end of what was read of a file.
func place(name string, read []byte) hcl.Range {
	line := bytes.LastIndexByte(read, '\n') + 1
	at := hcl.Pos{Byte: len(read), Line: bytes.Count(read, []byte("\n")) + 1, Column: utf8.RuneCount(read[line:]) + 1}
	return hcl.Range{Filename: name, Start: at, End: at}
}
