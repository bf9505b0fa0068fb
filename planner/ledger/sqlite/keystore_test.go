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
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
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
	p.opt.Keys = rootkey.Store{Env: envKey(1)} // and no home at all
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

// TestAnotherKeyIsRefused: nobody can tell what was made with it.
func TestAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	for name, give := range map[string]func(t *testing.T, p *place, path string) (named string){
		"by the environment": func(_ *testing.T, p *place, _ string) string {
			p.opt.Keys.Env = envKey(2)
			return "KMSYNC_LEDGER_KEY_FILE is another one"
		},
		"in its file": func(t *testing.T, _ *place, path string) string {
			t.Helper()
			write(t, path, envKeyText(2))
			return path + " is another one"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill(t, 1)
			named := give(t, p, p.keyFile(t, p.load(t).ID))
			before := p.files(t)
			err := p.loadError(t, named, "put the right key there", "kmsync ledger rekey", "one more write")
			if _, _, lockErr := p.store().Lock(t.Context(), tester, 0); !errors.Is(err, ledger.ErrNoKey) || !errors.Is(lockErr, ledger.ErrNoKey) {
				t.Errorf("load: %v; lock: %v; want ErrNoKey", err, lockErr)
			}
			diff(t, p.files(t), before)
		})
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
	err := p.loadError(t, path, "KMSYNC_LEDGER_KEY", "KMSYNC_LEDGER_KEY_FILE", "put the key back", "kmsync ledger rekey", "one more write")
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

// TestMissingKeyOfAnEmptyLedger: without it nothing tells who made that ledger.
func TestMissingKeyOfAnEmptyLedger(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(ledger.Session, *ledger.State){
		"nothing": func(ledger.Session, *ledger.State) {},
		"doubts":  func(s ledger.Session, _ *ledger.State) { intend(t, s, create("A")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.session(t, fill)
			if err := os.Remove(p.keyFile(t, p.load(t).ID)); err != nil {
				t.Fatal(err)
			}
			before := p.files(t)
			err := p.loadError(t)
			if _, _, lockErr := p.store().Lock(t.Context(), tester, 0); !errors.Is(err, ledger.ErrNoKey) || !errors.Is(lockErr, ledger.ErrNoKey) {
				t.Errorf("load: %v; lock: %v; want ErrNoKey", err, lockErr)
			}
			diff(t, p.files(t), before)
		})
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
	homeless.opt.Keys = rootkey.Store{}
	if _, _, err := homeless.store().Lock(t.Context(), tester, 0); err == nil || !strings.Contains(err.Error(), "KMSYNC_LEDGER_KEY") {
		t.Errorf("no place for a key: %v", err)
	}
	if state := homeless.load(t); state.ID != "" {
		t.Error("a ledger was made whose key could not be kept")
	}
}
