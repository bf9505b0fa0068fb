// Package record says how a ledger in a database writes down what it knows: the
// parts of a row, and the seals that nobody makes without the root key.
package record

import (
	"encoding/binary"
	"strconv"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Seals makes the seals of the rows of one ledger. Each text has its length before
// it, and what is sealed a word of its own. It finds what a torn page leaves of a
// row, and what somebody made who has not the root key. It is not for several
// goroutines.
type Seals struct {
	sealer secret.Sealer
	ledger string // id
	buffer []byte
}

// NewSeals returns what seals the ledger of an id. Two ledgers with one root key,
// which may come from the environment, have unrelated seals.
func NewSeals(key secret.Key, ledger string) *Seals {
	return &Seals{sealer: key.Sealer(), ledger: ledger}
}

func (s *Seals) texts(what string, texts ...string) int64 {
	s.buffer = appendTexts(appendTexts(s.buffer[:0], what, s.ledger), texts...)
	return s.sealer.Sum(s.buffer)
}

// Meta seals what the table meta says: the version of the schema, the serial, and
// when records of an older copy were set aside that nobody has accepted, if so.
func (s *Seals) Meta(version, serial, rolledBack string) string {
	return strconv.FormatInt(s.texts("meta", version, serial, rolledBack), 16)
}

// Destination seals the row of a destination: its UUIDs, its names and its consent.
func (s *Seals) Destination(id string, names ...string) int64 {
	return s.texts("destination", append([]string{id}, names...)...)
}

// Flags seals the columns of an entry that change alone.
func (s *Seals) Flags(destination, key, believed, doubt, session string) int64 {
	return s.texts("flags", destination, key, believed, doubt, session)
}

// Entry seals what a row of entries says, but for the flags.
func (s *Seals) Entry(destination string, e *ledger.Entry, fingerprint []byte, writes string) int64 {
	b := appendTexts(s.buffer[:0], "entry", s.ledger, destination, e.Key, e.Owner.Config, e.Owner.Sync, e.UUID, e.KeyID,
		e.Source.KMS, e.Source.Environment, e.Source.Path, e.Source.Name, e.Source.ID, writes)
	b = strconv.AppendInt(b, int64(e.Source.Version), 10)
	b = strconv.AppendBool(strconv.AppendBool(b, e.Secured), e.Released)
	s.buffer = append(b, fingerprint...)
	return s.sealer.Sum(s.buffer)
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}
