// Package rootkey is where the root key of a ledger is: apart from the ledger, so
// that whoever has the one does not have the other.
package rootkey

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Store is where the root key of a ledger is: in the environment, or else in a
// file of its own for each ledger.
type Store struct {
	// Env is the content of $KMSYNC_LEDGER_KEY, or of the file that
	// $KMSYNC_LEDGER_KEY_FILE names; empty where neither is set.
	Env secret.Value
	// DataDir is the folder of the key files, $XDG_DATA_HOME/kmsync; "" where
	// there is none.
	DataDir string
}

// Path returns the file that keeps the key of a ledger.
func (k Store) Path(id string) (string, error) {
	return private.Path(k.DataDir, "ledger-", id, ".key")
}

// Check reads the key of the environment, if there is one, and fails without
// quoting it.
func (k Store) Check() error {
	if k.Env.IsEmpty() {
		return nil
	}
	_, err := k.FromEnv()
	return err
}

// FromEnv returns the key of the environment.
func (k Store) FromEnv() (secret.Key, error) {
	key, err := secret.ParseKey(k.Env)
	if err != nil {
		return secret.Key{}, fmt.Errorf("read KMSYNC_LEDGER_KEY: %w", err)
	}
	return key, nil
}

// Find returns the key of a ledger, or the zero Key where there is none.
func (k Store) Find(id string, warn func(string)) (secret.Key, error) {
	if !k.Env.IsEmpty() {
		return k.FromEnv()
	}
	if k.DataDir == "" {
		return secret.Key{}, nil
	}
	path, err := k.Path(id)
	if err != nil {
		return secret.Key{}, fmt.Errorf("read ledger key: %w", err)
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Key{}, nil
	}
	if err != nil {
		return secret.Key{}, fmt.Errorf("read ledger key: %w", err)
	}
	key, err := secret.ParseKey(secret.New(string(content)))
	if err != nil {
		return secret.Key{}, fmt.Errorf("read ledger key %s: %w", path, err)
	}
	warnIfOpen(path, warn)
	return key, nil
}

// warnIfOpen warns of a key file that others on this machine may read.
func warnIfOpen(path string, warn func(string)) {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return
	}
	warn(fmt.Sprintf("Others may read the ledger key %s. Set its mode to 0600.", path))
}

// anew is what helps where the key is gone for good.
const anew = "run kmsync ledger rekey to give the ledger a new one, which costs one more write of every secured variable"

// Missing is the error of a ledger whose key is not there.
func (k Store) Missing(id string) error {
	where := "neither $KMSYNC_LEDGER_KEY nor $KMSYNC_LEDGER_KEY_FILE is set"
	if path, err := k.Path(id); err == nil && k.DataDir != "" {
		where += " and there is no file " + path
	}
	return fmt.Errorf("%w: %s; put the key back, or "+anew, ledger.ErrNoKey, where)
}

// Another is the error of a ledger that was made with another key.
func (k Store) Another(id string) error {
	where := "$KMSYNC_LEDGER_KEY or $KMSYNC_LEDGER_KEY_FILE"
	if path, err := k.Path(id); err == nil && k.Env.IsEmpty() {
		where = path
	}
	return fmt.Errorf("%w: the key of %s is another one; put the right key there, or "+anew, ledger.ErrNoKey, where)
}

// Create makes the key of a new ledger and keeps it, before anything is made
// with it. It never replaces a file.
func (k Store) Create(id string, random io.Reader) (secret.Key, error) {
	if k.DataDir == "" {
		return secret.Key{}, errors.New("make ledger key: there is no folder to keep it in; set HOME, XDG_DATA_HOME or KMSYNC_LEDGER_KEY")
	}
	path, err := k.Path(id)
	if err != nil {
		return secret.Key{}, fmt.Errorf("make ledger key: %w", err)
	}
	key, err := secret.NewKey(random)
	if err != nil {
		return secret.Key{}, fmt.Errorf("make ledger key: %w", err)
	}
	var content bytes.Buffer
	if err := key.Save(&content); err != nil {
		return secret.Key{}, fmt.Errorf("make ledger key: %w", err)
	}
	if err := private.MakeDir(k.DataDir); err != nil {
		return secret.Key{}, fmt.Errorf("make ledger key: %w", err)
	}
	if err := private.WriteNew(path, content.Bytes()); err != nil {
		return secret.Key{}, fmt.Errorf("make ledger key: %w", err)
	}
	return key, nil
}

// Remove removes a key that nothing was made with.
func (k Store) Remove(id string) error {
	path, err := k.Path(id)
	if err != nil {
		return err
	}
	return os.Remove(path)
}
