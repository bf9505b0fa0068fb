package sqlite

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/ledger/private"
	"github.com/hanzoai/kmsync/planner/ledger/rootkey"
	"github.com/hanzoai/kmsync/planner/ledger/table"
	"github.com/hanzoai/kmsync/providers/secret"
)

// place is a ledger in a temporary folder, with the places around it.
type place struct {
	root string
	opt  Options

	mu       sync.Mutex
	warnings []string
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func newPlace(t testing.TB) *place {
	t.Helper()
	return placeAt(t.TempDir())
}

func placeAt(root string) *place {
	p := &place{root: root}
	p.opt = Options{
		Dir:      filepath.Join(p.root, "conf", ".kmsync"),
		Keys:     rootkey.Store{DataDir: filepath.Join(p.root, "data")},
		StateDir: filepath.Join(p.root, "state"),
		Now:      func() time.Time { return start },
		Random:   rand.Reader,
		Warn: func(text string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.warnings = append(p.warnings, text)
		},
	}
	return p
}

func (p *place) store() *Store { return New(p.opt) }
func (p *place) db() string    { return filepath.Join(p.opt.Dir, "ledger.db") }

func (p *place) load(t testing.TB) *ledger.State {
	t.Helper()
	state, err := p.store().Load(t.Context())
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return state
}

// loadError expects a refusal that names everything in want.
func (p *place) loadError(t testing.TB, want ...string) error {
	t.Helper()
	state, err := p.store().Load(t.Context())
	if err == nil {
		t.Fatalf("load gave %+v, want an error", state)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name %q", err, part)
		}
	}
	return err
}

var tester = ledger.Holder{Run: "ada@host", PID: 77, Since: start, Doing: "apply"}

func (p *place) lock(t testing.TB) (ledger.Session, *ledger.State) {
	t.Helper()
	session, state, err := p.store().Lock(t.Context(), tester, 0)
	if err != nil {
		t.Fatalf("lock: %v", err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session, state
}

func closeSession(t testing.TB, session ledger.Session) {
	t.Helper()
	if err := session.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// session runs do in a session of its own.
func (p *place) session(t testing.TB, do func(ledger.Session, *ledger.State)) {
	t.Helper()
	session, state := p.lock(t)
	do(session, state)
	closeSession(t, session)
}

var staging = ledger.Destination{
	ID: "{repo}/{env}", RepositoryUUID: "{repo}", EnvironmentUUID: "{env}",
	Workspace: "acme", Repository: "web", Environment: "Staging",
}

var source = ledger.Source{KMS: "hanzo", Environment: "dev", Path: "/payments", Name: "DB", ID: "id-1", Version: 3}

func intend(t testing.TB, session ledger.Session, intents ...ledger.Intent) {
	t.Helper()
	if err := session.Intend(t.Context(), staging, intents); err != nil {
		t.Fatalf("intend: %v", err)
	}
}

func settle(t testing.TB, session ledger.Session, outcomes ...ledger.Outcome) {
	t.Helper()
	if err := session.Settle(t.Context(), staging, outcomes); err != nil {
		t.Fatalf("settle: %v", err)
	}
}

func written(key string, k secret.Key, value string) ledger.Outcome {
	return ledger.Outcome{
		Kind: ledger.Written,
		Entry: ledger.Entry{
			Key: key, Owner: ledger.Owner{Config: "shop", Sync: "sync.a"}, UUID: "{var-" + key + "}", Secured: true,
			Fingerprint: k.Fingerprint(staging.ID, key, secret.New(value)), KeyID: k.ID(), Source: source,
		},
		Write: ledger.Write{At: start, Action: "create", Reason: "missing", Version: 3, Run: "ada@host"},
	}
}

func create(key string) ledger.Intent {
	return ledger.Intent{Key: key, Owner: ledger.Owner{Config: "shop", Sync: "sync.a"}, Source: source}
}

// entry returns the entry of a key in staging, or nil.
func entry(state *ledger.State, key string) *ledger.Entry {
	destination, ok := state.Destinations[staging.ID]
	if !ok {
		return nil
	}
	return destination.Entries[key]
}

func diff(t testing.TB, got, want any) {
	t.Helper()
	sameFingerprint := cmp.Comparer(func(a, b secret.Fingerprint) bool { return bytes.Equal(a.Bytes(), b.Bytes()) })
	if d := cmp.Diff(want, got, sameFingerprint); d != "" {
		t.Errorf("wrong (-want +got):\n%s", d)
	}
}

// change runs SQL on the file behind the store's back.
func (p *place) change(t testing.TB, statement string, args ...any) {
	t.Helper()
	db, err := table.Open(p.db(), "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// count returns the single number of a query.
func (p *place) count(t testing.TB, query string) int {
	t.Helper()
	db, err := table.Open(p.db(), "mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil && err != sql.ErrNoRows {
		t.Fatal(err)
	}
	return n
}

// files returns every name under the place's root, with its content.
func (p *place) files(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == p.root {
			return err
		}
		name, err := filepath.Rel(p.root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			files[name] = "(folder)"
			return nil
		}
		if d.Type() == os.ModeSymlink {
			files[name], err = os.Readlink(path)
			return err
		}
		content, err := os.ReadFile(path)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// keyFile returns the file of a ledger's key.
func (p *place) keyFile(t testing.TB, id string) string {
	t.Helper()
	path, err := p.opt.Keys.Path(id)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// link makes a link at name to a target, which need not be there.
func link(t testing.TB, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), private.DirMode); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// write makes a file, and the folders above it.
func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), private.DirMode); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), private.FileMode); err != nil {
		t.Fatal(err)
	}
}
