package record

import (
	"errors"
	"fmt"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
)

// ConsentTexts returns the columns of a consent, both empty for none.
func ConsentTexts(c *ledger.Consent) (by, at string) {
	if c == nil {
		return "", ""
	}
	return c.By, c.At.UTC().Format(time.RFC3339Nano)
}

// ParseConsent reads what [ConsentTexts] returned.
func ParseConsent(by, at string) (*ledger.Consent, error) {
	if by == "" && at == "" {
		return nil, nil
	}
	if by == "" {
		return nil, errors.New("a consent of nobody")
	}
	when, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return nil, fmt.Errorf("a consent without its time: %w", err)
	}
	return &ledger.Consent{By: by, At: when}, nil
}
