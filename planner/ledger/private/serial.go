package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var idPattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// CheckID fails where a text cannot be the id of a ledger. The error does not
// quote it.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return errors.New("its id is not 16 hexadecimal digits")
	}
	return nil
}

// Path returns a file that is kept of a ledger in another folder. The id comes out
// of a file that somebody else may have made, so none is used that could lead to
// another file.
func Path(dir, prefix, id, suffix string) (string, error) {
	if err := CheckID(id); err != nil {
		return "", fmt.Errorf("a ledger may not be used: %w", err)
	}
	return filepath.Join(dir, prefix+id+suffix), nil
}

// maxSerial is far beyond what runs can reach, and far below what cannot be
// raised any more.
const maxSerial = 1 << 62

// ParseSerial reads the serial of a ledger. Its error does not quote the text.
func ParseSerial(text string) (int64, error) {
	serial, err := strconv.ParseInt(text, 10, 64)
	if err != nil || serial < 0 || serial > maxSerial {
		return 0, errors.New("its serial is not a number that a ledger reaches")
	}
	return serial, nil
}

// Notes keeps the serials of ledgers outside of them, so that a restored copy of
// one is found out. What goes wrong only warns: a ledger is as good on a machine
// that has no note at all.
type Notes struct {
	Dir  string       // "" where nothing is noted
	Warn func(string) // takes full sentences
}

func (n Notes) path(id string) (string, error) { return Path(n.Dir, "serial-", id, "") }

// Serial returns the highest serial that this machine has seen a ledger reach, or
// 0 where it has seen none.
func (n Notes) Serial(id string) int64 {
	if n.Dir == "" {
		return 0
	}
	serial, err := n.read(id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.Warn(fmt.Sprintf("The note of the ledger's serial is not readable, so that a restored copy of the ledger would not be noticed: %v.", err))
	}
	return serial
}

func (n Notes) read(id string) (int64, error) {
	path, err := n.path(id)
	if err != nil {
		return 0, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	serial, err := ParseSerial(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	return serial, nil
}

// Raise notes a serial that is on disk in the ledger. A note never falls: another
// copy of the ledger may have been written to meanwhile, and then this one is as
// good as restored.
func (n Notes) Raise(id string, serial int64) {
	if n.Dir == "" {
		return
	}
	if err := n.raise(id, serial); err != nil {
		n.Warn(fmt.Sprintf("The ledger's serial could not be noted, so that a restored copy of the ledger will not be noticed: %v.", err))
	}
}

func (n Notes) raise(id string, serial int64) error {
	path, err := n.path(id)
	if err != nil {
		return err
	}
	if noted, err := n.read(id); err == nil && noted >= serial {
		return nil
	}
	if err := MakeDir(n.Dir); err != nil {
		return err
	}
	return Replace(path, []byte(strconv.FormatInt(serial, 10)+"\n"))
}
