package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// An estate is a random configuration with the world that it is about. The test keeps
// both as it made them, so that it can say for itself what each variable is to hold.
type estate struct {
	r     *rand.Rand
	syncs []*syncText
	moved [][2]string
	gone  []removedText
	made  int // names and values that were given out
}

// syncText is one sync as the file has it.
type syncText struct {
	name, place, prefix  string // place is a repository, or a repository/environment
	sources              []sourceText
	disabled, overwrites bool
	keepsVariables       bool
	protect              string // a glob over keys; "" for none
	unsecured, encoded   string
	allowEmpty           bool
}

type sourceText struct {
	folder           string // dev:/a
	include, exclude string
	rename           [2]string
	override         bool
}

type removedText struct {
	from string
	keep bool
}

var (
	estateFolders = []string{"dev:/", "dev:/a", "dev:/b", "prod:/a"}
	estatePlaces  = []string{"web", "web/Staging", "web/Production", "api"}
	estateNames   = []string{"K1", "K2", "K3", "K4", "K5"}
)

// found makes an estate.
func found(r *rand.Rand) *estate {
	e := &estate{r: r}
	places := estatePlaces[:1+r.IntN(len(estatePlaces))]
	for i := range 1 + r.IntN(4) {
		e.syncs = append(e.syncs, e.newSync(string("pqrs"[i]), pick(r, places)))
	}
	return e
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// oneIn is true once in n times.
func (e *estate) oneIn(n int) bool { return e.r.IntN(n) == 0 }

func (e *estate) newSync(name, place string) *syncText {
	s := &syncText{name: name, place: place, prefix: pick(e.r, []string{"", strings.ToUpper(name) + "_", "X_"}), allowEmpty: !e.oneIn(3)}
	for range 1 + e.r.IntN(5)/4 {
		s.sources = append(s.sources, e.newSource(len(s.sources) > 0))
	}
	s.disabled, s.keepsVariables = e.oneIn(10), e.oneIn(10)
	if e.oneIn(6) {
		s.protect = "*K2"
	}
	if e.oneIn(6) {
		s.unsecured = "*K4"
	}
	if e.oneIn(6) {
		s.encoded = "*K5"
	}
	e.overwrite(s, e.oneIn(5))
	return s
}

// overwrite turns overwrite-destination on or off. Then each sync has a range of its own.
func (e *estate) overwrite(s *syncText, on bool) {
	if s.overwrites = on; on {
		s.prefix = strings.ToUpper(s.name[:1]) + "_"
	}
	for _, other := range e.syncs {
		if other.place == s.place && (other.overwrites || on) {
			s.prefix, other.prefix = strings.ToUpper(s.name)+"_", strings.ToUpper(other.name)+"_"
		}
	}
}

func (e *estate) newSource(later bool) sourceText {
	s := sourceText{folder: pick(e.r, estateFolders), override: later && e.oneIn(2)}
	if e.oneIn(40) {
		s.folder = "dev:/nowhere" // which is not there
	}
	switch e.r.IntN(6) {
	case 0:
		s.include = pick(e.r, []string{"K*", "?1", "K1"})
	case 1:
		s.exclude = pick(e.r, estateNames)
	case 2:
		s.rename = [2]string{pick(e.r, estateNames), fmt.Sprintf("R%d", e.r.IntN(3))}
	}
	return s
}

// blocks are the blocks of the configuration, each by itself.
func (e *estate) blocks() []string {
	blocks := []string{"kms \"demo\" {\n  project = \"demo\"\n}\n", "connection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\n"}
	for _, s := range e.syncs {
		blocks = append(blocks, s.block())
	}
	for _, m := range e.moved {
		blocks = append(blocks, fmt.Sprintf("moved {\n  from = %s\n  to   = %s\n}\n", m[0], m[1]))
	}
	for _, g := range e.gone {
		blocks = append(blocks, fmt.Sprintf("removed {\n  from = %s\n  keep = %t\n}\n", g.from, g.keep))
	}
	return blocks
}

func (s *syncText) block() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sync %q {\n  enabled = %t\n", s.name, !s.disabled)
	for _, source := range s.sources {
		environment, path, _ := strings.Cut(source.folder, ":")
		fmt.Fprintf(&b, "  source {\n    environment = %q\n    secret_path = %q\n", environment, path)
		if source.include != "" {
			fmt.Fprintf(&b, "    include = [%q]\n", source.include)
		}
		if source.exclude != "" {
			fmt.Fprintf(&b, "    exclude = [%q]\n", source.exclude)
		}
		if source.rename[0] != "" {
			fmt.Fprintf(&b, "    rename = { %s = %q }\n", source.rename[0], source.rename[1])
		}
		if source.override {
			b.WriteString("    override = true\n")
		}
		b.WriteString("  }\n")
	}
	repository, environment, _ := strings.Cut(s.place, "/")
	fmt.Fprintf(&b, "  destination \"bitbucket\" {\n    repository = %q\n", repository)
	if environment != "" {
		fmt.Fprintf(&b, "    deployment_environment = %q\n", environment)
	}
	b.WriteString("  }\n  options {\n")
	fmt.Fprintf(&b, "    allow_empty = %t\n    disable_secret_deletion = %t\n", s.allowEmpty, s.keepsVariables)
	if s.protect != "" {
		fmt.Fprintf(&b, "    protect = [%q]\n", s.protect)
	}
	if s.unsecured != "" {
		fmt.Fprintf(&b, "    unsecured = [%q]\n", s.unsecured)
	}
	if s.encoded != "" {
		fmt.Fprintf(&b, "    encoding = { %q = \"base64\" }\n", s.encoded)
	}
	if s.prefix != "" {
		fmt.Fprintf(&b, "    key_schema = %q\n", s.prefix+"{{secretKey}}")
	}
	if s.overwrites {
		b.WriteString("    initial_sync_behavior = \"overwrite-destination\"\n")
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

// write puts the blocks into files, in their order and in one file; or, by chance, in
// another order and in several.
func (e *estate) write(t *testing.T, dir string, shuffled *rand.Rand) {
	t.Helper()
	blocks, files := e.blocks(), map[string]string{}
	if shuffled != nil {
		shuffled.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	}
	for _, block := range blocks {
		name := "main.sync.hcl"
		if shuffled != nil {
			name = pick(shuffled, []string{"a", "main", "z"}) + ".sync.hcl"
		}
		files[name] += block
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// value is a new value: mostly a text, sometimes one that cannot be sent.
func (e *estate) value() string {
	e.made++
	switch e.r.IntN(20) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("made-up %d\nof two lines", e.made)
	}
	return fmt.Sprintf("made-up-%d", e.made)
}

// uuid is one that no variable had before.
func (e *estate) uuid() string {
	e.made++
	return fmt.Sprintf("{00000000-0000-4000-8000-%012x}", e.made)
}

// world makes the world that the estate begins with.
func (e *estate) world() *world.World {
	w := world.Default()
	project := &w.KMS.Projects[0]
	for _, folder := range estateFolders {
		slug, path, _ := strings.Cut(folder, ":")
		f := world.Folder{Path: path, Secrets: []world.Secret{}}
		for _, name := range estateNames {
			if e.oneIn(2) {
				f.Secrets = append(f.Secrets, e.secret(name))
			}
		}
		at := project.Environment(slug)
		at.Folders = append(at.Folders, f)
	}
	acme := w.Bitbucket.Workspace("acme")
	acme.Repositories = append(acme.Repositories, world.Repository{
		Slug: "api", UUID: "{a1e0c2d4-0002-4b00-8000-0000000000a1}", Variables: []world.Variable{}, Environments: []world.DeploymentEnvironment{},
	})
	for _, place := range estatePlaces {
		for range e.r.IntN(3) {
			e.byHand(w, place)
		}
	}
	return w
}

func (e *estate) secret(name string) world.Secret {
	e.made++
	return world.Secret{Key: name, Value: e.value(), Version: 1, ID: fmt.Sprintf("6e0c1b52-0009-4a00-8000-%012x", e.made)}
}

// byHand makes a variable, of a name that a sync may want or of another, if there is none.
func (e *estate) byHand(w *world.World, place string) {
	list := variablesOf(w, place)
	key := pick(e.r, []string{"P_", "Q_", "X_", ""}) + pick(e.r, append(slices.Clip(estateNames), "HAND", "R1"))
	if !slices.ContainsFunc(*list, func(v world.Variable) bool { return strings.EqualFold(v.Key, key) }) {
		*list = append(*list, world.Variable{Key: key, UUID: e.uuid(), Value: "by hand", Secured: !e.oneIn(4)})
	}
}

func variablesOf(w *world.World, place string) *[]world.Variable {
	repository, environment, _ := strings.Cut(place, "/")
	r := w.Bitbucket.Workspace("acme").Repository(repository)
	if environment == "" {
		return &r.Variables
	}
	return &r.Environment(environment).Variables
}

func folderOf(w *world.World, folder string) *world.Folder {
	slug, path, _ := strings.Cut(folder, ":")
	return w.KMS.Project("demo").Environment(slug).Folder(path)
}
