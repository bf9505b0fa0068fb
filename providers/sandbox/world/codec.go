package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Encode writes the world as people edit it: two spaces, one field a line, in
// a fixed order, a line break at the end.
func Encode(w *World) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(w); err != nil {
		return nil, fmt.Errorf("encode world: %w", err)
	}
	return out.Bytes(), nil
}

// Decode reads a world. name is the file's name, for errors, which say the
// line and what to do; a field the format does not have is an error.
func Decode(name string, text []byte) (*World, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	w := &World{}
	if err := dec.Decode(w); err != nil {
		return nil, explain(name, text, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:%d: something follows the closing brace; remove it", name, lineAt(text, dec.InputOffset()))
	}
	if err := w.Check(); err != nil {
		return nil, fmt.Errorf("%s: correct these places: %w", name, err)
	}
	return w, nil
}

// Clone returns a deep copy.
func (w *World) Clone() *World {
	text, err := Encode(w)
	if err != nil {
		return &World{}
	}
	out := &World{}
	if err := json.Unmarshal(text, out); err != nil {
		return &World{}
	}
	return out
}

func explain(name string, text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s:%d: not valid JSON (%s); correct it, or delete the file to start anew", name, lineAt(text, syntax.Offset), syntax.Error())
	case errors.As(err, &kind):
		return fmt.Errorf("%s:%d: %s cannot be a JSON %s", name, lineAt(text, kind.Offset), kind.Field, kind.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the file ends too early; correct it, or delete it to start anew", name)
	}
	if _, quoted, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return fmt.Errorf("%s%s: unknown field %s; remove it or correct its spelling", name, linesOf(text, quoted), quoted)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n"))
}

// linesOf finds where a quoted field name stands. The decoder does not say,
// so the line is named only when there is one candidate.
func linesOf(text []byte, quoted string) string {
	line, found := 0, 0
	for i, l := range bytes.Split(text, []byte("\n")) {
		_, rest, ok := bytes.Cut(l, []byte(quoted))
		if ok && bytes.HasPrefix(bytes.TrimSpace(rest), []byte(":")) {
			line, found = i+1, found+1
		}
	}
	if found != 1 {
		return ""
	}
	return fmt.Sprintf(":%d", line)
}
