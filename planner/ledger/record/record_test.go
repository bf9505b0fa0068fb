package record_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/record"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func TestWritesComeBack(t *testing.T) {
	t.Parallel()
	plain := ledger.Write{At: start, Action: "create", Reason: "missing", Version: 3, Run: "ada@host"}
	odd := ledger.Write{
		At: start.Add(time.Second), Action: `a","b`, Reason: "\\ \"],[\" <&> \n\u2028 é", Version: -1, Run: `"]]`,
	}
	for name, writes := range map[string][]ledger.Write{
		"none":        nil,
		"one":         {plain},
		"empty texts": {{At: start}},
		"five":        {plain, plain, {At: start.Add(-time.Hour), Run: "x"}, plain, plain},
		"odd":         {plain, odd, plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := record.DecodeWrites(record.EncodeWrites(writes))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(writes, got); d != "" {
				t.Errorf("wrong (-want +got):\n%s", d)
			}
		})
	}
}

func TestWritesThatAreNone(t *testing.T) {
	t.Parallel()
	const at = "2026-03-01T12:00:00Z"
	for _, text := range []string{
		``, `[`, `[[`, `[["`, `[[]]`, `[[""]]`, `{}`, `[["yesterday","a","b","3","d"]]`, `[["` + at + `","a","b","three","d"]]`,
		`xx` + at + `","a","b","3","d"]]`, `[["` + at + `","a","b","3"]]`, `[["` + at + `","a","b","3","d","e"]]`, `[["` + at + `","\n","b","3"]]`, `[["` + at + `","a","b","3","d"],[]]`,
	} {
		if got, err := record.DecodeWrites(text); err == nil {
			t.Errorf("%s gave %+v", text, got)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		if got, err := record.ParseFlag(record.Flag(on)); got != on || err != nil {
			t.Errorf("%v came back as %v, %v", on, got, err)
		}
	}
	for _, word := range []string{"", "nO", "true", "1", "yes "} {
		if _, err := record.ParseFlag(word); err == nil {
			t.Errorf("%q is a flag", word)
		}
	}
}
