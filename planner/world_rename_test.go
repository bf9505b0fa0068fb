package planner

import (
	"fmt"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// Worlds of a rename: the secret KEY was written as KEY, and may be wanted as NEW,
// which may be another secret's name, or refused, and may be there already.

func renameSources() []option {
	key := providers.Secret{ID: "s1", Name: "KEY", Version: 2, Value: secret.New("value")}
	with := func(change func(*world), secrets ...providers.Secret) func(*world) {
		return func(w *world) { w.secrets = secrets; change(w) }
	}
	named := func(from, to string) func(*world) {
		return func(w *world) {
			w.syncs[0].Sources[0].Rename = map[string]config.Located[string]{from: set(to)}
		}
	}
	empty := key
	empty.Value = secret.New("")
	other := providers.Secret{ID: "s2", Name: "NEW", Version: 1, Value: secret.New("other")}
	inKMS := key
	inKMS.Name = "NEW"
	again := key
	again.ID = "s3"
	twice := func(w *world) {
		second := *w.syncs[0].Sources[0]
		named("KEY", "NEW")(w)
		w.syncs[0].Sources = append(w.syncs[0].Sources, &second)
	}
	return []option{
		{"not renamed", with(func(*world) {}, key)},
		{"renamed", with(named("KEY", "NEW"), key)},
		{"renamed in the KMS", with(func(*world) {}, inKMS)},
		{"renamed by case", with(named("KEY", "Key"), key)},
		{"renamed and empty", with(named("KEY", "NEW"), empty)},
		{"renamed and made anew", with(named("KEY", "NEW"), again)},
		{"renamed onto another", with(named("KEY", "NEW"), key, other)},
		{"renamed and missing", with(named("KEY", "NEW"), other)},
		{"both names", with(twice, key)},
		{"excluded", with(func(w *world) { w.syncs[0].Sources[0].Exclude = []config.Located[string]{set("K*")} }, key, other)},
		{"gone", with(func(*world) {}, other)},
	}
}

func oldNames() []option {
	var options []option
	for _, uuid := range []string{"", liveUUID, otherUUID} {
		for _, owner := range []string{syncA, "sync.gone", "sync.off"} {
			for _, bits := range []int{0, 1, 2, 4} {
				e := ledger.Entry{
					Key: "KEY", Owner: ledger.Owner{Sync: owner}, UUID: liveUUID, Secured: true, KeyID: testKey.ID(),
					Fingerprint: testKey.Fingerprint(repositoryUUID, "KEY", secret.New("value")),
					Source:      ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "KEY", ID: "s1", Version: 1},
					InDoubt:     bits&1 != 0, Released: bits&2 != 0,
				}
				if bits&4 != 0 {
					e.Source.ID = ""
				}
				options = append(options, option{fmt.Sprintf("KEY %q of %s %03b", uuid, owner, bits), func(w *world) {
					if uuid != "" {
						w.live = append(w.live, providers.Variable{UUID: uuid, Key: "KEY", Secured: true})
					}
					copied := e
					w.entries["KEY"] = &copied
				}})
			}
		}
	}
	return options
}

func newNames() []option {
	there := func(e *ledger.Entry) func(*world) {
		return func(w *world) {
			w.live = append(w.live, providers.Variable{UUID: newUUID, Key: "NEW", Secured: true})
			if e != nil {
				copied := *e
				w.entries["NEW"] = &copied
			}
		}
	}
	recorded := func(owner string, ago time.Duration, doubt bool) *ledger.Entry {
		return &ledger.Entry{
			Key: "NEW", Owner: ledger.Owner{Sync: owner}, UUID: newUUID, Secured: true, KeyID: testKey.ID(), InDoubt: doubt,
			Fingerprint: testKey.Fingerprint(repositoryUUID, "NEW", secret.New("value")),
			Source:      ledger.Source{KMS: "k", Environment: "dev", Path: "/app", Name: "KEY", ID: "s1", Version: 1},
			Writes:      []ledger.Write{{At: sceneNow.Add(-ago), Action: string(verdict.Rename)}},
		}
	}
	return []option{
		{"NEW absent", func(*world) {}},
		{"NEW gone", func(w *world) { w.entries["NEW"] = recorded(syncA, 0, false) }},
		{"NEW not ours", there(nil)},
		{"NEW just written", there(recorded(syncA, time.Minute, false))},
		{"NEW written long ago", there(recorded(syncA, 99*time.Hour, false))},
		{"NEW in doubt", there(recorded(syncA, time.Minute, true))},
		{"NEW of a sync that is off", there(recorded("sync.off", time.Minute, false))},
	}
}

func renameOptions() []option {
	sync := func(name string, change func(*config.Sync)) option {
		return option{name, func(w *world) { change(w.syncs[0]) }}
	}
	overlap := func(s *config.Sync) { s.Options.Overlap = set(72 * time.Hour) }
	off := func(w *world) {
		w.syncs = append(w.syncs, newSync("off"))
		w.syncs[1].Enabled = set(false)
	}
	return []option{
		sync("plain", func(*config.Sync) {}),
		sync("overwrite", func(s *config.Sync) { s.Options.OverwriteDestination = set(true) }),
		sync("deletion disabled", func(s *config.Sync) { s.Options.DisableSecretDeletion = set(true) }),
		sync("KEY protected", func(s *config.Sync) { s.Options.Protect = []config.Located[string]{set("K*")} }),
		sync("NEW protected", func(s *config.Sync) { s.Options.Protect = []config.Located[string]{set("NEW")} }),
		sync("overlap", overlap),
		sync("overlap, deletion disabled", func(s *config.Sync) { overlap(s); s.Options.DisableSecretDeletion = set(true) }),
		{"a sync that is off", off},
		{"doubt", func(w *world) {
			overlap(w.syncs[0])
			w.doubts = []providers.Doubt{{Kind: providers.DoubtIncomplete, Detail: "Not everything was seen."}}
		}},
	}
}

// TestEveryWorldOfARename holds the promises of [TestEveryWorldOfOneKey] in worlds
// where one secret has two names.
func TestEveryWorldOfARename(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	worlds([][]option{renameSources(), oldNames(), newNames(), renameOptions()}, func(name func() string, w *world) {
		if seen["worlds"]++; testing.Short() && seen["worlds"]%17 != 0 {
			return
		}
		for _, s := range w.check(t, name).Syncs {
			for _, c := range s.Changes {
				seen[string(c.Action)+" "+string(c.Reason)]++
			}
		}
	})
	for _, kind := range []string{"rename renamed", "delete renamed", "keep rename_waits", "keep overlap", "delete schema_changed", "delete not_included"} {
		if seen[kind] < 5 {
			t.Errorf("%s came in %d of %d worlds", kind, seen[kind], seen["worlds"])
		}
	}
}
