package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
)

// Flag returns what stands for a bool in the columns that change alone.
func Flag(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// ParseFlag reads what [Flag] returned.
func ParseFlag(word string) (bool, error) {
	if word != "yes" && word != "no" {
		return false, fmt.Errorf("%q is neither yes nor no", word)
	}
	return word == "yes", nil
}

// EncodeWrites returns the column writes: [["time","action","reason","version","run"],…]
func EncodeWrites(writes []ledger.Write) string {
	parts := make([][5]string, len(writes))
	for i, w := range writes {
		parts[i] = [5]string{w.At.UTC().Format(time.RFC3339Nano), w.Action, w.Reason, strconv.Itoa(w.Version), w.Run}
	}
	text, _ := json.Marshal(parts) // which cannot fail
	return string(text)
}

// DecodeWrites reads what EncodeWrites returned. Nearly every text holds no
// escape, and is then cut at the quotes: a ledger holds tens of thousands.
func DecodeWrites(text string) ([]ledger.Write, error) {
	if text == "[]" {
		return nil, nil
	}
	var parts [][]string
	inner, begins := strings.CutPrefix(text, `[["`)
	inner, ends := strings.CutSuffix(inner, `"]]`)
	if begins && ends && !strings.Contains(inner, `\`) {
		for one := range strings.SplitSeq(inner, `"],["`) {
			parts = append(parts, strings.SplitN(one, `","`, 6))
		}
	} else if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return nil, err
	}
	writes := make([]ledger.Write, len(parts))
	for i, p := range parts {
		if len(p) != 5 {
			return nil, fmt.Errorf("a write of %d parts", len(p))
		}
		at, err := time.Parse(time.RFC3339Nano, p[0])
		version, versionErr := strconv.Atoi(p[3])
		if err := errors.Join(err, versionErr); err != nil {
			return nil, err
		}
		writes[i] = ledger.Write{At: at, Action: p[1], Reason: p[2], Version: version, Run: p[4]}
	}
	return writes, nil
}
