package view

import (
	"io"
	"time"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/planner/codec"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
)

// Lines is events for programs: one JSON object a line, each with a type and the
// time it was shown at, UTC. Minor versions only add fields and types.
type Lines struct {
	sink
	now func() time.Time
}

// NewLines returns Lines that write to w and read the time from now.
func NewLines(w io.Writer, now func() time.Time) *Lines {
	return &Lines{sink: sink{w: w}, now: now}
}

// Event writes the line of one event.
func (l *Lines) Event(e applier.Event) {
	document, err := codec.JSON(l.document(e), "")
	if err != nil {
		if l.err == nil {
			l.err = err
		}
		return
	}
	l.write(document)
}

func (l *Lines) document(e applier.Event) eventLine {
	head := eventLine{lineHead: lineHead{Time: l.now().UTC().Format(time.RFC3339Nano)}}
	switch e := e.(type) {
	case applier.Started:
		head.Type, head.Changes = "started", &e.Changes
	case applier.Wrote:
		return head.of("wrote", e.Address, e.Destination, e.Change)
	case applier.Recorded:
		return head.of("recorded", e.Address, e.Destination, e.Change)
	case applier.Stopped:
		return head.of("stopped", e.Address, e.Destination, e.Change)
	case applier.Held:
		return head.of("held", e.Address, e.Destination, e.Change)
	case applier.Failed:
		line := head.of("failed", e.Address, e.Destination, e.Change)
		if e.Err != nil {
			line.Error = e.Err.Error()
		}
		line.Kind, line.Doubtful, line.Taken = providers.KindOf(e.Err), &e.Doubtful, &e.Taken
		return line
	case applier.Skipped:
		return head.of("skipped", e.Address, e.Destination, e.Change)
	case applier.Waiting:
		seconds := e.For.Seconds()
		head.Type, head.Service, head.Seconds = "waiting", e.Service, &seconds
	case applier.Finished:
		result := resultDocument(e.Result)
		head.Type, head.Result = "finished", &result
	}
	return head
}

// of completes a line about a key.
func (l eventLine) of(kind, address string, d graph.DestinationRef, c plan.Change) eventLine {
	d.Connection = "" // where it is, not by whom
	destination := codec.Destination(d)
	l.Type, l.Address, l.Destination = kind, address, &destination
	l.Key, l.Action, l.Reason, l.Version = c.Key, c.Action, c.Reason, c.Version
	l.BlockedBy, l.Detail = c.BlockedBy, c.Detail
	return l
}

// lineHead begins every line.
type lineHead struct {
	Type string `json:"type"`
	Time string `json:"time"`
}

// eventLine has the fields of every type; a line shows those of its own.
type eventLine struct {
	lineHead
	Changes     *int                       `json:"changes,omitempty"`
	Address     string                     `json:"address,omitempty"`
	Destination *codec.DestinationDocument `json:"destination,omitempty"`
	Key         string                     `json:"key,omitempty"`
	Action      verdict.Action             `json:"action,omitempty"`
	Reason      verdict.Reason             `json:"reason,omitempty"`
	Version     int                        `json:"version,omitempty"`
	BlockedBy   verdict.Block              `json:"blocked_by,omitempty"`
	Detail      string                     `json:"detail,omitempty"`
	Error       string                     `json:"error,omitempty"`
	Kind        providers.Kind             `json:"kind,omitempty"`
	Doubtful    *bool                      `json:"doubtful,omitempty"`
	Taken       *bool                      `json:"taken,omitempty"`
	Service     string                     `json:"service,omitempty"`
	Seconds     *float64                   `json:"seconds,omitempty"`
	Result      *resultDocument            `json:"result,omitempty"`
}

// resultDocument is applier.Result, field by field.
type resultDocument struct {
	Created     int  `json:"created"`
	Updated     int  `json:"updated"`
	Renamed     int  `json:"renamed"`
	Deleted     int  `json:"deleted"`
	Adopted     int  `json:"adopted"`
	Forgotten   int  `json:"forgotten"`
	Released    int  `json:"released"`
	Failed      int  `json:"failed"`
	Taken       int  `json:"taken"`
	Stopped     int  `json:"stopped"`
	Skipped     int  `json:"skipped"`
	Held        int  `json:"held"`
	SyncErrors  int  `json:"sync_errors"`
	Interrupted bool `json:"interrupted"`
}
