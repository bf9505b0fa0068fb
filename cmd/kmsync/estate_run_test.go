package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// play is an estate on a sandbox, with what the test knows of what was done there.
type play struct {
	*estate
	t       *testing.T
	name    string // of the world, to run it again
	stage   *stage
	dir     string
	seen    int             // effects of the journal
	written map[string]bool // by UUID: kmsync wrote it
	allowed map[string]bool // by place: somebody allowed deletes while a sync overwrites there
	tally   *tally
}

// tally counts what came in all worlds of a test, so that they show something.
type tally struct {
	mu    sync.Mutex
	kinds map[string]int
}

func (c *tally) add(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds = map[string]int{}
	}
	c.kinds[kind]++
}

// hold fails a whole run of a test in which a kind came seldom.
func (c *tally) hold(t *testing.T, least map[string]int) {
	t.Helper()
	t.Logf("%v", c.kinds)
	for kind, n := range least {
		if !testing.Short() && *seed == 0 && !t.Failed() && c.kinds[kind] < n {
			t.Errorf("%s came %d times, want at least %d", kind, c.kinds[kind], n)
		}
	}
}

func begun(t *testing.T, name string, r *rand.Rand, count *tally) *play {
	t.Helper()
	p := &play{estate: found(r), t: t, name: name, dir: t.TempDir(), written: map[string]bool{}, allowed: map[string]bool{}, tally: count}
	p.stage = &stage{work: p.dir}
	server, err := sandbox.Start(t.Context(), sandbox.Options{World: p.world(), Now: p.stage.now})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	p.stage.server = server
	return p
}

// env is what a command in this process sees, and what it says on stderr.
func (p *play) env(args ...string) (cli.Env, *bytes.Buffer) {
	made := p.stage.server.Credentials()
	variables := map[string]string{
		"HOME": p.dir, "USER": "tester", "KMS_ADDRESS": p.stage.server.Address(), "KMS_CLIENT_ID": made.ClientID, "KMS_CLIENT_SECRET": made.ClientSecret,
		"BITBUCKET_ADDRESS": p.stage.server.Address(), "BITBUCKET_ACCESS_TOKEN": made.AccessToken,
	}
	said := &bytes.Buffer{}
	return cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: said, Dir: p.dir, Host: "host",
		Now: p.stage.now, Sleep: p.stage.sleep, Random: random{}, Version: "test",
		Getenv: func(name string) string { return variables[name] },
	}, said
}

// kmsync runs a command in this process.
func (p *play) kmsync(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	env, said := p.env(args...)
	out := &bytes.Buffer{}
	env.Stdout = out
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	code = cli.Main(ctx, env)
	return code, out.String(), said.String()
}

// document is what the test reads of plan --json.
type document struct {
	Complete bool
	Digest   string
	Syncs    []struct {
		Address     string
		Status      string
		Destination struct {
			Repository  string
			Environment string `json:"deployment_environment"`
		}
		Changes []struct {
			Key, Action, Reason string
			BlockedBy           string `json:"blocked_by"`
			RenamedFrom         string `json:"renamed_from"`
		}
	}
}

func placeOfPlan(repository, environment string) string {
	return strings.TrimSuffix(repository+"/"+environment, "/")
}

// plan runs plan --json.
func (p *play) plan(flags ...string) (code int, d document, text string) {
	p.t.Helper()
	code, text, said := p.kmsync(append([]string{"plan", "--json", "--detailed-exitcode"}, flags...)...)
	if err := json.Unmarshal([]byte(text), &d); err != nil || d.Digest == "" {
		p.t.Fatalf("%s: plan: exit code %d: %v\n%s%s\n%s", p.name, code, err, text, said, strings.Join(p.blocks(), ""))
	}
	return code, d, text
}

// effects are what a plan says that it does, each as "delete web KEY", sorted.
func (d document) effects() []string {
	var all []string
	for _, s := range d.Syncs {
		place := placeOfPlan(s.Destination.Repository, s.Destination.Environment)
		listed := map[string]bool{}
		for _, c := range s.Changes {
			listed[c.Key] = true
		}
		for _, c := range s.Changes {
			switch {
			case c.BlockedBy != "":
			case c.Action == "rename" && strings.EqualFold(c.Key, c.RenamedFrom):
				all = append(all, "update "+place+" "+c.Key)
			case c.Action == "rename":
				if all = append(all, "create "+place+" "+c.Key); !listed[c.RenamedFrom] { // it goes with this line
					all = append(all, "delete "+place+" "+c.RenamedFrom)
				}
			case c.Action == "create", c.Action == "update", c.Action == "delete":
				all = append(all, c.Action+" "+place+" "+c.Key)
			}
			if c.BlockedBy == "" && c.Reason == "not_readable" && c.Action == "update" {
				all = append(all, "update "+place+" "+c.Key) // secured first, then readable
			}
		}
	}
	slices.Sort(all)
	return all
}

// blocked are the keys that a rule stops, and those that are kept.
func (d document) blocked() map[string]bool {
	all := map[string]bool{}
	for _, s := range d.Syncs {
		for _, c := range s.Changes {
			if c.BlockedBy != "" || c.Action == "keep" {
				all[placeOfPlan(s.Destination.Repository, s.Destination.Environment)+" "+c.Key] = true
			}
		}
	}
	return all
}

// refusedBy are the keys that a rule refuses.
func (d document) refusedBy(rule string) map[string]bool {
	all := map[string]bool{}
	for _, s := range d.Syncs {
		for _, c := range s.Changes {
			if c.BlockedBy == rule {
				all[placeOfPlan(s.Destination.Repository, s.Destination.Environment)+" "+c.Key] = true
			}
		}
	}
	return all
}

// journal returns the effects since the last call.
func (p *play) journal() []sandbox.Effect {
	all := p.stage.server.Journal()
	since := all[p.seen:]
	p.seen = len(all)
	return since
}

func texts(effects []sandbox.Effect) []string {
	var all []string
	for _, e := range effects {
		all = append(all, e.Action+" "+placeOfPlan(e.Repository, e.Environment)+" "+e.Key)
	}
	slices.Sort(all)
	return all
}

// wanted is what the variables of a place are to hold: by key, the values that one of the
// sources gives for it.
type wanted map[string][]string

// wants says what the syncs that are enabled want, by place; plain is false for what is
// to be readable.
func (p *play) wants(w *world.World) (all map[string]wanted, readable map[string]bool, doubtful bool) {
	all, readable = map[string]wanted{}, map[string]bool{}
	for _, s := range p.syncs {
		if s.disabled {
			continue
		}
		if slices.ContainsFunc(s.sources, func(source sourceText) bool { return folderOf(w, source.folder) == nil }) {
			doubtful = true // nothing of it is known
			continue
		}
		if all[s.place] == nil {
			all[s.place] = wanted{}
		}
		for _, source := range s.sources {
			taken := 0
			for _, secret := range folderOf(w, source.folder).Secrets {
				if !source.takes(secret.Key) {
					continue
				}
				taken++
				key, value := s.prefix+secret.Key, secret.Value
				if secret.Key == source.rename[0] {
					key = s.prefix + source.rename[1]
				}
				if matches(s.encoded, key) {
					value = base64.StdEncoding.EncodeToString([]byte(value))
				}
				all[s.place][key] = append(all[s.place][key], value)
				if matches(s.unsecured, key) {
					readable[s.place+" "+key] = true
				}
			}
			doubtful = doubtful || (taken == 0 && !s.allowEmpty)
		}
	}
	return all, readable, doubtful
}

func matches(glob, name string) bool {
	fits, err := path.Match(glob, name)
	return err == nil && fits && glob != ""
}

func (s sourceText) takes(name string) bool {
	return (s.include == "" || matches(s.include, name)) && !matches(s.exclude, name)
}

// protects reports whether a sync protects a key, one that is disabled too.
func (p *play) protects(place, key string) bool {
	return slices.ContainsFunc(p.syncs, func(s *syncText) bool { return s.place == place && matches(s.protect, key) })
}

// hold holds what was done against the promises. It knows what the estate says, what the
// world was, and what kmsync wrote before.
func (p *play) hold(before *world.World, effects []sandbox.Effect) {
	p.t.Helper()
	wants, _, doubtful := p.wants(before)
	for _, e := range effects {
		place := placeOfPlan(e.Repository, e.Environment)
		p.tally.add(e.Action)
		said := fmt.Sprintf("%s: %s %s %s", p.name, e.Action, place, e.Key)
		isWanted := len(wants[place][e.Key]) > 0
		overwritten := false
		for _, s := range p.syncs {
			overwritten = overwritten || (s.place == place && s.overwrites && !s.disabled && strings.HasPrefix(e.Key, s.prefix))
		}
		switch {
		case p.protects(place, e.Key):
			p.t.Errorf("%s: it is protected", said)
		case e.Action != "delete" && !isWanted:
			p.t.Errorf("%s: nothing wants it", said)
		case e.Action != "delete":
			p.written[e.UUID] = true
			continue
		case isWanted:
			p.t.Errorf("%s: it is wanted", said)
		case doubtful:
			p.t.Errorf("%s: a source is not there, or empty and that is not allowed", said)
		case !p.written[e.UUID] && !overwritten:
			p.t.Errorf("%s: kmsync did not write it", said)
		case !p.written[e.UUID] && !p.allowed[place]:
			p.t.Errorf("%s: kmsync did not write it, and nobody consented", said)
		}
	}
}

// holdValues holds each variable that is wanted, and that no rule stops, against what it is
// to hold.
func (p *play) holdValues(after document) {
	p.t.Helper()
	w := p.stage.server.World()
	wants, readable, _ := p.wants(w)
	stopped := after.blocked()
	for place, keys := range wants {
		for key, values := range keys {
			if stopped[place+" "+key] || p.protects(place, key) {
				continue
			}
			i := slices.IndexFunc(*variablesOf(w, place), func(v world.Variable) bool { return v.Key == key })
			if i < 0 {
				p.t.Errorf("%s: %s %s is not there", p.name, place, key)
				continue
			}
			v := (*variablesOf(w, place))[i]
			if !slices.Contains(values, v.Value) || (v.Secured && readable[place+" "+key]) || (!v.Secured && !readable[place+" "+key]) {
				p.t.Errorf("%s: %s %s is %q, secured %t, want one of %q", p.name, place, key, v.Value, v.Secured, values)
			}
		}
	}
}
