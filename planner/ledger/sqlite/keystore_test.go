package sqlite

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/providers/secret"
)

// envKeyText returns the text of a key of 32 times one byte.
func envKeyText(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

func envKey(b byte) secret.Value { return secret.New(envKeyText(b)) }

func TestKeyFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	state := p.load(t)
	content, err := os.ReadFile(p.keyFile(t, state.ID))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := secret.ParseKey(secret.New(string(content)))
	if err != nil || !kept.Equal(state.Key) {
		t.Errorf("the key file holds another key (%v)", err)
	}
	other := newPlace(t)
	other.opt.Keys = p.opt.Keys // the same home
	other.fill(t, 1)
	if got := other.load(t); got.Key.Equal(state.Key) || got.ID == state.ID {
		t.Error("two ledgers have one key or one id")
	}
	if !p.load(t).Key.Equal(state.Key) {
		t.Error("the second ledger changed the first one's key")
	}
}

func TestKeyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.opt.Keys = KeyStore{Env: envKey(1)} // and no home at all
	p.fill(t, 1)
	want, err := secret.ParseKey(envKey(1))
	if err != nil {
		t.Fatal(err)
	}
	if !p.load(t).Key.Equal(want) {
		t.Error("another key than the environment's was used")
	}
	p.opt.Keys.DataDir = p.root + "/data"
	p.session(t, func(session ledger.Session, state *ledger.State) {
		settle(t, session, written("B", state.Key, "value"))
	})
	if _, err := os.Stat(p.opt.Keys.DataDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file was made beside the environment's key: %v", err)
	}
}

func TestAnotherKeyIsNoError(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	made := p.load(t)
	p.opt.Keys.Env = envKey(2)
	state := p.load(t)
	e := entry(state, "KEY_00000")
	if state.Key.Equal(made.Key) || e.KeyID != made.Key.ID() || e.KeyID == state.Key.ID() {
		t.Errorf("the entry's key is %q, the ledger's now %q, want the first one's and another", e.KeyID, state.Key.ID())
	}
	session, locked := p.lock(t)
	defer session.Close()
	if !locked.Key.Equal(state.Key) {
		t.Error("lock has another key than load")
	}
}

func TestMissingKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill(t, 1)
	path := p.keyFile(t, p.load(t).ID)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	err := p.loadError(t, path, "KMSYNC_LEDGER_KEY", "KMSYNC_LEDGER_KEY_FILE", "put the key back", "delete the ledger's folder", "one more write")
	if !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("load: %v, want ErrNoKey", err)
	}
	if _, _, err := p.store().Lock(t.Context(), tester, 0); !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("lock: %v, want ErrNoKey", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new key was made: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if entry(p.load(t), "KEY_00000") == nil {
		t.Error("with its key back the ledger lost its entry")
	}
}

// TestMissingKeyOfAnEmptyLedger needs no refusal: there is nothing to compare.
func TestMissingKeyOfAnEmptyLedger(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.session(t, func(session ledger.Session, _ *ledger.State) { intend(t, session, create("A")) })
	path := p.keyFile(t, p.load(t).ID)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if state := p.load(t); !state.Key.IsZero() || entry(state, "A") == nil {
		t.Errorf("got %+v, want no key, and A in doubt", state)
	}
	session, state := p.lock(t)
	settle(t, session, written("A", state.Key, "value"))
	closeSession(t, session)
	if got := p.load(t); state.Key.IsZero() || !got.Key.Equal(state.Key) {
		t.Error("the new key was not kept")
	}
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	const canary = "c4nary-not-a-key"
	p := newPlace(t)
	p.fill(t, 1)
	path := p.keyFile(t, p.load(t).ID)
	if err := os.WriteFile(path, []byte(canary), private.FileMode); err != nil {
		t.Fatal(err)
	}
	err := p.loadError(t, path)
	if errors.Is(err, ledger.ErrNoKey) || strings.Contains(err.Error(), canary) {
		t.Errorf("got %v, want another error than ErrNoKey, without the content", err)
	}
	fresh := newPlace(t)
	fresh.opt.Keys.Env = secret.New(canary)
	if err := fresh.loadError(t, "KMSYNC_LEDGER_KEY"); strings.Contains(err.Error(), canary) {
		t.Errorf("the error quotes the key: %v", err)
	}
	if _, _, err := fresh.store().Lock(t.Context(), tester, 0); err == nil || len(fresh.files(t)) != 0 {
		t.Errorf("lock: %v and %v, want an error and no files", err, fresh.files(t))
	}
	homeless := newPlace(t)
	homeless.opt.Keys = KeyStore{}
	if _, _, err := homeless.store().Lock(t.Context(), tester, 0); err == nil || !strings.Contains(err.Error(), "KMSYNC_LEDGER_KEY") {
		t.Errorf("no place for a key: %v", err)
	}
	if state := homeless.load(t); state.ID != "" {
		t.Error("a ledger was made whose key could not be kept")
	}
}
