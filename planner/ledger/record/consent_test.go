package record_test

import (
	"testing"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/record"
)

func TestAConsentComesBack(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 13, 5, 6, 7, time.FixedZone("", 3600))
	for _, c := range []*ledger.Consent{nil, {By: "ada@host", At: at}} {
		by, when := record.ConsentTexts(c)
		got, err := record.ParseConsent(by, when)
		switch {
		case err != nil, (got == nil) != (c == nil):
			t.Errorf("%v came back as %v (%v)", c, got, err)
		case c != nil && (got.By != c.By || !got.At.Equal(c.At)):
			t.Errorf("%v came back as %v", c, got)
		}
	}
}

func TestConsentsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, test := range [][2]string{{"", "2026-03-01T13:05:06Z"}, {"ada", ""}, {"ada", "today"}} {
		if got, err := record.ParseConsent(test[0], test[1]); err == nil || got != nil {
			t.Errorf("%q: got %v, want an error", test, got)
		}
	}
}
