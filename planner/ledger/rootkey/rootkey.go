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
	_, err := k.fromEnv()
	return err
}

func (k Store) fromEnv() (secret.Key, error) {
	key, err := secret.ParseKey(k.Env)
	if err != nil {
		return secret.Key{}, fmt.Errorf("read KMSYNC_LEDGER_KEY: %w", err)
	}
	return key, nil
}

// Find returns the root key of a ledger that goes by keyID, and where it is. It
// fails with [ledger.ErrNoKey] where there is none, or only another.
func (k Store) Find(id, keyID string, warn func(string)) (key secret.Key, at string, err error) {
	places, err := k.places(id, warn)
	if err != nil {
		return secret.Key{}, "", err
	}
	for _, p := range places {
		if p.key.ID() == keyID {
			return p.key, p.at, nil
		}
	}
	if len(places) == 0 {
		return secret.Key{}, "", k.missing(id)
	}
	return secret.Key{}, "", k.another(id)
}

// Environment is where a key of the environment is.
const Environment = "$KMSYNC_LEDGER_KEY or $KMSYNC_LEDGER_KEY_FILE"

// place is a key and where it was found.
type place struct {
	key secret.Key
	at  string
}

// places returns the keys that there may be for a ledger: that of the environment
// alone, else those of its files.
func (k Store) places(id string, warn func(string)) ([]place, error) {
	if !k.Env.IsEmpty() {
		key, err := k.fromEnv()
		return []place{{key, Environment}}, err
	}
	if k.DataDir == "" {
		return nil, nil
	}
	path, err := k.Path(id)
	if err != nil {
		return nil, fmt.Errorf("read ledger key: %w", err)
	}
	var found []place
	for _, at := range []string{path, path + next} {
		key, err := Read(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		warnIfOpen(at, warn)
		found = append(found, place{key, at})
	}
	return found, nil
}

// Read reads a key from its file. The error does not quote it.
func Read(path string) (secret.Key, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return secret.Key{}, fmt.Errorf("read ledger key: %w", err)
	}
	key, err := secret.ParseKey(secret.New(string(content)))
	if err != nil {
		return secret.Key{}, fmt.Errorf("read ledger key %s: %w", path, err)
	}
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

// missing is the error of a ledger whose key is not there.
func (k Store) missing(id string) error {
	where := "neither $KMSYNC_LEDGER_KEY nor $KMSYNC_LEDGER_KEY_FILE is set"
	if path, err := k.Path(id); err == nil && k.DataDir != "" {
		where += " and there is no file " + path
	}
	return fmt.Errorf("%w: %s; put the key back, or "+anew, ledger.ErrNoKey, where)
}

// another is the error of a ledger that was made with another key.
func (k Store) another(id string) error {
	where := Environment
	if path, err := k.Path(id); err == nil && k.Env.IsEmpty() {
		where = path
	}
	return fmt.Errorf("%w: the key of %s is another one; put the right key there, or "+anew, ledger.ErrNoKey, where)
}

// Create returns the key for a new ledger: that of the environment, else a new one,
// which is kept before anything is made with it. It never replaces a file.
func (k Store) Create(id string, random io.Reader) (key secret.Key, at string, err error) {
	if !k.Env.IsEmpty() {
		key, err := k.fromEnv()
		return key, Environment, err
	}
	path, err := k.keep()
	if err == nil {
		path, err = k.Path(id)
	}
	if err == nil {
		key, err = write(path, random)
	}
	if err != nil {
		return secret.Key{}, "", fmt.Errorf("make ledger key: %w", err)
	}
	return key, path, nil
}

// keep makes the folder of the key files.
func (k Store) keep() (string, error) {
	if k.DataDir == "" {
		return "", errors.New("there is no folder to keep it in; set HOME, XDG_DATA_HOME or KMSYNC_LEDGER_KEY")
	}
	return k.DataDir, private.MakeDir(k.DataDir)
}

func write(path string, random io.Reader) (secret.Key, error) {
	key, err := secret.NewKey(random)
	if err != nil {
		return secret.Key{}, err
	}
	var content bytes.Buffer
	if err := key.Save(&content); err != nil {
		return secret.Key{}, err
	}
	return key, private.WriteNew(path, content.Bytes())
}

// Remove removes the file of a key that nothing was made with.
func (k Store) Remove(id string) error {
	if !k.Env.IsEmpty() {
		return nil
	}
	path, err := k.Path(id)
	if err != nil {
		return err
	}
	return os.Remove(path)
}
