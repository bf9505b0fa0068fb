package view

import (
	"encoding/json"
	"time"
)

// Plan writes the line that comes before all events of an apply: the plan, as
// [codec.Encode] gives it. The error is that of the document or of the writer.
func (l *Lines) Plan(document []byte) error {
	line, err := json.Marshal(planLine{
		lineHead: lineHead{Type: "plan", Time: l.now().UTC().Format(time.RFC3339Nano)}, Plan: document,
	})
	if err != nil {
		return err
	}
	l.write(append(line, '\n'))
	return l.err
}

type planLine struct {
	lineHead
	Plan json.RawMessage `json:"plan"`
}
