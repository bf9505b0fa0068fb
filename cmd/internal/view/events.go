package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/applier"
	"github.com/hanzoai/kmsync/cmd/internal/view/phrase"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/providers"
)

// Events shows what an apply does while it does it.
type Events interface {
	// Event shows one event. Events come from one goroutine, in order.
	Event(e applier.Event)
	// Err is the first error of the writer, after which nothing more is written.
	Err() error
}

// sink writes whole lines until the writer fails.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) write(text []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(text)
	}
}

// Err returns the first error of the writer.
func (s *sink) Err() error { return s.err }

// Progress is plain lines for people, one an event, for stderr. The end of the
// run is not among them: that is [Result], on stdout.
type Progress struct {
	sink
	style Style
}

// NewProgress returns a Progress that writes to w.
func NewProgress(w io.Writer, style Style) *Progress {
	return &Progress{sink: sink{w: w}, style: style}
}

// Event writes the line of one event.
func (p *Progress) Event(e applier.Event) {
	out := &page{style: p.style}
	out.event(e)
	p.write([]byte(out.text.String()))
}

func (p *page) event(e applier.Event) {
	switch e := e.(type) {
	case applier.Started:
		p.line(dim, "applying "+number(e.Changes, "change"))
	case applier.Wrote:
		p.done(e.Address, e.Change, " in "+e.Destination.String())
	case applier.Recorded:
		p.done(e.Address, e.Change, ", in the ledger only")
	case applier.Stopped:
		p.undone(e.Address, e.Change, yellow, phrase.Problem(e.Change))
	case applier.Held:
		p.undone(e.Address, e.Change, yellow, phrase.Withheld(e.Change))
	case applier.Failed:
		p.undone(e.Address, e.Change, red, failure(e))
	case applier.Skipped:
		p.undone(e.Address, e.Change, yellow, "not tried: the run is ending")
	case applier.Waiting:
		p.line(dim, fmt.Sprintf("waiting %s: %s asked to slow down", seconds(e.For), e.Service))
	}
}

func (p *page) done(address string, c plan.Change, where string) {
	p.put(plain, address+": ")
	p.put(markOf(c).paint, phrase.Done(c.Action))
	p.line(plain, " "+keyLabel(c)+where)
}

func (p *page) undone(address string, c plan.Change, paint colour, text string) {
	p.put(plain, address+": "+c.Key+" ")
	p.line(paint, text)
}

func failure(e applier.Failed) string {
	text := "failed"
	if e.Doubtful {
		text = "failed, and may have taken effect"
	}
	if e.Err != nil {
		text += ": " + strings.TrimSuffix(e.Err.Error(), ".")
	}
	return text + "; " + remedy(e)
}

// remedy says how to go on. What a right or a credential refuses, another run
// would meet again.
func remedy(e applier.Failed) string {
	command := phrase.Command(e.Change)
	again := "run " + command + " again to go on"
	switch {
	case e.Doubtful || e.Taken:
		return again
	case providers.KindOf(e.Err) == providers.KindForbidden:
		return "mend the rights of the credential, then " + again
	case providers.KindOf(e.Err) == providers.KindUnauthenticated:
		return "mend the credential, then " + again
	case providers.KindOf(e.Err) == providers.KindRateLimited:
		return "run " + command + " again then to go on"
	}
	return again
}

// seconds rounds up, so that a short wait is not shown as none.
func seconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
