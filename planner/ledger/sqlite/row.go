package sqlite

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
)

// rowID is the primary key of entries.
type rowID struct{ destination, key string }

// row is what a session remembers of one row of entries, so that no write has to
// read first: nobody else writes while it holds the lock.
type row struct {
	stored   bool           // whether there is one
	believed bool           // the column
	doubted  bool           // since before this session
	open     int            // intents of this session that were not answered
	shown    *shown         // what a doubt shows of it while it is not believed
	writes   []ledger.Write // the newest first; shared with the state, so never changed
}

// shown is what the last intent without an answer says of a key.
type shown struct {
	owner  ledger.Owner
	source ledger.Source
	before *shown // by the intent before it, if that has no answer either
}

// doubts returns the columns doubt and intent_session, for a session of that id.
func (r row) doubts(id string) (doubt, session string) {
	if r.open == 0 {
		id = ""
	}
	return flag(r.doubted || r.open > 1), id
}

// flag returns what stands for a bool in the columns that no checksum covers: no
// flipped byte makes one word into the other.
func flag(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

func parseFlag(word string) (bool, error) {
	if word != "yes" && word != "no" {
		return false, fmt.Errorf("%q is neither yes nor no", word)
	}
	return word == "yes", nil
}

// checksum sums what a row says, but for the columns that change alone. Each text
// has its length before it. buffer is only there to be used again. It finds what a
// torn page leaves of a row; against somebody who means to deceive it proves
// nothing.
func checksum(buffer *[]byte, destination string, e *ledger.Entry, fingerprint []byte, writes string) int64 {
	b := appendTexts((*buffer)[:0], destination, e.Key, e.Owner.Config, e.Owner.Sync, e.UUID, e.KeyID,
		e.Source.KMS, e.Source.Environment, e.Source.Path, e.Source.Name, e.Source.ID, writes)
	b = strconv.AppendInt(b, int64(e.Source.Version), 10)
	b = strconv.AppendBool(strconv.AppendBool(b, e.Secured), e.Released)
	*buffer = append(b, fingerprint...)
	return sum(*buffer)
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

func sum(b []byte) int64 { return int64(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))) }

// prepend puts a write before the others and drops those beyond
// [ledger.MaxWrites].
func prepend(write ledger.Write, others []ledger.Write) []ledger.Write {
	all := append(make([]ledger.Write, 0, ledger.MaxWrites), write)
	return append(all, others[:min(len(others), ledger.MaxWrites-1)]...)
}

// encodeWrites returns the column writes: [["time","action","reason","version","run"],…]
func encodeWrites(writes []ledger.Write) string {
	parts := make([][5]string, len(writes))
	for i, w := range writes {
		parts[i] = [5]string{timeText(w.At), w.Action, w.Reason, strconv.Itoa(w.Version), w.Run}
	}
	text, _ := json.Marshal(parts) // which cannot fail
	return string(text)
}

// decodeWrites reads what encodeWrites returned. Nearly every text holds no
// escape, and is then cut at the quotes: a ledger holds tens of thousands.
func decodeWrites(text string) ([]ledger.Write, error) {
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
