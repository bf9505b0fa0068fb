package rootkey

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/providers/secret"
)

// next is what the name of the key's file ends with until the ledger is sealed with
// that key. A kill before leaves the old ledger, whose key is in its place, and one
// after it the new ledger, whose key is found here: a key is known by its id.
const next = ".next"

// Present returns the root key that a ledger has, wherever it is: in its place, in
// the files beside the environment's key, or given as old. The zero Key is none.
func (k Store) Present(id, keyID string, old secret.Key, warn func(string)) (key secret.Key, at string, err error) {
	places, err := k.places(id, warn)
	if err == nil && !k.Env.IsEmpty() {
		var more []place
		more, err = Store{DataDir: k.DataDir}.places(id, warn)
		places = append(places, more...)
	}
	if err != nil {
		return secret.Key{}, "", err
	}
	for _, p := range append(places, place{old, ""}) {
		if !p.key.IsZero() && p.key.ID() == keyID {
			return p.key, p.at, nil
		}
	}
	return secret.Key{}, "", nil
}

// Next returns the key that a ledger is to have in place of its present one: that of
// the environment, else a new one in a file beside the present one's, which is for
// nothing until [Store.Promote].
func (k Store) Next(id string, present secret.Key, random io.Reader) (key secret.Key, at string, err error) {
	if !k.Env.IsEmpty() {
		key, err := k.fromEnv()
		if err == nil && key.Equal(present) {
			err = fmt.Errorf("%s is the key that the ledger has: put the new key there, and the one that it has "+
				"into a file for --old-key-file; or unset it, and a new key is made and kept in a file", Environment)
		}
		return key, Environment, err
	}
	path, err := k.keep()
	if err == nil {
		path, err = k.Path(id)
	}
	if err == nil {
		if err = os.Remove(path + next); errors.Is(err, fs.ErrNotExist) { // of a run that was killed
			err = nil
		}
	}
	if err == nil {
		key, err = write(path+next, random)
	}
	if err != nil {
		return secret.Key{}, "", fmt.Errorf("make ledger key: %w", err)
	}
	return key, path, nil
}

// IsNext reports whether a key was found where only [Store.Next] leaves one.
func IsNext(at string) bool { return filepath.Ext(at) == next }

// Promote puts the key that [Store.Next] made into its place, over the one before.
// The ledger is sealed with it by now.
func (k Store) Promote(id string) error {
	path, err := k.Path(id)
	if err == nil {
		err = os.Rename(path+next, path)
	}
	if err == nil {
		err = private.SyncDir(k.DataDir)
	}
	if err != nil {
		return fmt.Errorf("keep ledger key: %w", err)
	}
	return nil
}
