//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

var (
	benchPairs        = flag.Int("pairs", 5, "how often a benchmark runs kmsync and the bare client")
	benchRepositories = flag.Int("repositories", 50, "repositories in the world of the benchmarks")
	benchKeys         = flag.Int("keys", 40, "keys of each repository in the world of the benchmarks")
	benchLatency      = flag.Duration("latency", 20*time.Millisecond, "latency of both services in the benchmarks")
)

// Names in the world of the benchmarks.
const (
	benchProject     = "platform"
	benchEnvironment = "prod"
	benchWorkspace   = "acme"
	benchPrefix      = "KMS_" // of the key schema
	inFlight         = 8      // requests at a time, of both clients; kmsync's default
)

// shape is the size of the world: a sync for each repository, from a folder of
// its own or all from one.
type shape struct {
	Repositories, Keys int
	OneFolder          bool
}

func (s shape) repository(r int) string { return fmt.Sprintf("service-%03d", r) }

func (s shape) folder(r int) string {
	if s.OneFolder {
		return "/shared"
	}
	return "/services/" + s.repository(r)
}

func (s shape) folders() []string {
	var all []string
	for r := range s.Repositories {
		all = append(all, s.folder(r))
	}
	return slices.Compact(all)
}

// world returns a world of this shape in which nothing is applied yet.
func (s shape) world() *world.World {
	w := world.Default()
	w.Latency = world.Duration(*benchLatency)
	environment := world.Environment{Slug: benchEnvironment}
	for _, path := range s.folders() {
		folder := world.Folder{Path: path}
		for k := range s.Keys {
			sum := sha256.Sum256([]byte(fmt.Sprint(path, k)))
			folder.Secrets = append(folder.Secrets, world.Secret{Key: fmt.Sprintf("SETTING_%03d", k), Value: hex.EncodeToString(sum[:])})
		}
		environment.Folders = append(environment.Folders, folder)
	}
	w.KMS.Projects = []world.Project{{Slug: benchProject, Environments: []world.Environment{environment}}}
	workspace := world.Workspace{Slug: benchWorkspace}
	for r := range s.Repositories {
		workspace.Repositories = append(workspace.Repositories, world.Repository{Slug: s.repository(r)})
	}
	w.Bitbucket.Workspaces = []world.Workspace{workspace}
	return w
}

// configuration returns the syncs.
func (s shape) configuration() string {
	var text strings.Builder
	fmt.Fprintf(&text, "kms \"bench\" {\n  project = %q\n}\n\nconnection \"bitbucket\" \"acme\" {\n  workspace = %q\n}\n", benchProject, benchWorkspace)
	for r := range s.Repositories {
		fmt.Fprintf(&text, `
sync %q {
  source {
    environment = %q
    secret_path = %q
  }
  destination "bitbucket" {
    repository = %q
  }
  options {
    key_schema = "%s{{secretKey}}"
  }
}
`, s.repository(r), benchEnvironment, s.folder(r), s.repository(r), benchPrefix)
	}
	return text.String()
}

// BenchmarkRun runs kmsync beside a bare client that makes the same requests, in
// turns, each on a sandbox of its own, and reports the medians: wall time and CPU
// time as ratios of each pair and in milliseconds, and the peak of kmsync's
// memory. It fails when the two did not make the same requests.
func BenchmarkRun(b *testing.B) {
	own := shape{Repositories: *benchRepositories, Keys: *benchKeys}
	one := own
	one.OneFolder = true
	program := buildProgram(b)
	b.Run("apply", func(b *testing.B) { newContest(b, program, own, true).run(b) })
	b.Run("plan", func(b *testing.B) { newContest(b, program, own, false).run(b) })
	b.Run("plan-one-folder", func(b *testing.B) { newContest(b, program, one, false).run(b) })
}

// contest is one command beside the bare client.
type contest struct {
	program string
	errand  errand
	world   string // file of the world that every turn starts from
	home    string // with the configuration; for a plan with the ledger too
}

// newContest makes the world and the configuration. For a plan it applies them,
// so that there is nothing to do.
func newContest(b *testing.B, program string, s shape, apply bool) *contest {
	b.Helper()
	c := &contest{program: program, errand: errand{Shape: s, Apply: apply}, home: b.TempDir()}
	c.world = filepath.Join(b.TempDir(), "world.json")
	text, err := world.Encode(s.world())
	if err != nil {
		b.Fatal(err)
	}
	write(b, c.world, text)
	write(b, filepath.Join(c.home, "main.sync.hcl"), []byte(s.configuration()))
	if !apply {
		sandbox := startEmulator(b, c.world)
		measure(b, c.kmsync(sandbox, c.home, "apply", "--auto-approve"))
		sandbox.stop(b)
	}
	return c
}

func write(b *testing.B, file string, content []byte) {
	b.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		b.Fatal(err)
	}
}

// kmsync returns a command in that folder, which is its home too.
func (c *contest) kmsync(sandbox *emulator, home string, args ...string) *exec.Cmd {
	cmd := exec.Command(c.program, args...)
	cmd.Dir = home
	cmd.Env = append([]string{"HOME=" + home, "USER=bench"}, sandbox.env...)
	return cmd
}

func (c *contest) run(b *testing.B) {
	for b.Loop() {
		var mine, bare []usage
		requests := 0
		for range max(1, *benchPairs) {
			used, made := c.turn(b, c.runKmsync)
			mine = append(mine, used)
			used, same := c.turn(b, c.runBare)
			bare = append(bare, used)
			if diff := cmp.Diff(same, made); diff != "" {
				b.Fatalf("kmsync makes other requests than the bare client (-bare +kmsync):\n%s", diff)
			}
			requests = 0
			for _, n := range made {
				requests += n
			}
		}
		report(b, mine, bare, requests)
	}
}

// turn runs one of the two on a fresh sandbox and returns what it took, and the
// requests that came.
func (c *contest) turn(b *testing.B, run func(*testing.B, *emulator) usage) (usage, map[string]int) {
	b.Helper()
	text, err := os.ReadFile(c.world)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "world.json")
	write(b, file, text)
	sandbox := startEmulator(b, file)
	defer sandbox.stop(b)
	used := run(b, sandbox)
	return used, sandbox.requests(b)
}

func (c *contest) runKmsync(b *testing.B, sandbox *emulator) usage {
	if !c.errand.Apply {
		used, text := measure(b, c.kmsync(sandbox, c.home, "plan"))
		if !strings.Contains(text, "No changes.") {
			b.Fatalf("the world is applied and the plan is not empty:\n%s", tail([]byte(text)))
		}
		return used
	}
	fresh := b.TempDir() // without a ledger
	write(b, filepath.Join(fresh, "main.sync.hcl"), []byte(c.errand.Shape.configuration()))
	used, _ := measure(b, c.kmsync(sandbox, fresh, "apply", "--auto-approve"))
	return used
}

func (c *contest) runBare(b *testing.B, sandbox *emulator) usage {
	text, err := json.Marshal(c.errand)
	if err != nil {
		b.Fatal(err)
	}
	used, _ := measure(b, self(b, bareVariable, string(text), sandbox.env...))
	return used
}

// report reports the medians. The ratios are those of the pairs: what slows the
// machine down for a while slows both of a pair.
func report(b *testing.B, mine, bare []usage, requests int) {
	var wall, cpu []float64
	for i := range mine {
		wall = append(wall, mine[i].wall.Seconds()/bare[i].wall.Seconds())
		cpu = append(cpu, mine[i].cpu.Seconds()/bare[i].cpu.Seconds())
	}
	ms := func(all []usage, of func(usage) time.Duration) float64 {
		return median(each(all, func(u usage) float64 { return of(u).Seconds() * 1000 }))
	}
	wallOf, cpuOf := func(u usage) time.Duration { return u.wall }, func(u usage) time.Duration { return u.cpu }
	b.ReportMetric(median(wall), "wall-ratio")
	b.ReportMetric(median(cpu), "cpu-ratio")
	b.ReportMetric(median(each(mine, func(u usage) float64 { return u.peak })), "peak-MB")
	b.ReportMetric(ms(mine, wallOf), "wall-ms")
	b.ReportMetric(ms(bare, wallOf), "bare-wall-ms")
	b.ReportMetric(ms(mine, cpuOf), "cpu-ms")
	b.ReportMetric(ms(bare, cpuOf), "bare-cpu-ms")
	b.ReportMetric(median(each(bare, func(u usage) float64 { return u.peak })), "bare-peak-MB")
	b.ReportMetric(float64(requests), "requests")
	b.ReportMetric(0, "ns/op") // of all the pairs: says nothing
}

func each[T any](all []T, of func(T) float64) []float64 {
	var out []float64
	for _, one := range all {
		out = append(out, of(one))
	}
	return out
}

// median returns the middle one, or the mean of the middle two.
func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// BenchmarkStart runs validate on the quickstart, which is hardly more than the
// start of the program, and reports the median.
func BenchmarkStart(b *testing.B) {
	program, home := buildProgram(b), b.TempDir()
	for b.Loop() {
		var all []usage
		for range 10 * max(1, *benchPairs) {
			cmd := exec.Command(program, "validate")
			cmd.Dir, cmd.Env = "../../examples/quickstart", []string{"HOME=" + home}
			used, _ := measure(b, cmd)
			all = append(all, used)
		}
		b.ReportMetric(median(each(all, func(u usage) float64 { return u.wall.Seconds() * 1000 })), "wall-ms")
		b.ReportMetric(median(each(all, func(u usage) float64 { return u.cpu.Seconds() * 1000 })), "cpu-ms")
		b.ReportMetric(0, "ns/op") // of all the starts
	}
}

// benchValidate are the syncs that one for_each declares in BenchmarkValidate, the
// fewest first. A fifth as many are written by hand beside them.
var benchValidate = []int{250, 500, 1000}

// BenchmarkValidate runs validate on configurations of three sizes in turns and
// reports the medians of each. The ratio is that of the CPU times of the largest and
// the smallest in the same turn: 4 is linear, less the start of the program.
func BenchmarkValidate(b *testing.B) {
	program := buildProgram(b)
	var homes []string
	for _, n := range benchValidate {
		home := b.TempDir()
		write(b, filepath.Join(home, "main.sync.hcl"), []byte(manySyncs(n)))
		homes = append(homes, home)
	}
	for b.Loop() {
		all := make([][]usage, len(homes))
		for range max(1, *benchPairs) {
			for i, home := range homes {
				cmd := exec.Command(program, "validate")
				cmd.Dir, cmd.Env = home, []string{"HOME=" + home}
				used, text := measure(b, cmd)
				if syncs := fmt.Sprintf("%d syncs", benchValidate[i]+benchValidate[i]/5); !strings.Contains(text, syncs) {
					b.Fatalf("not %s:\n%s", syncs, tail([]byte(text)))
				}
				all[i] = append(all[i], used)
			}
		}
		reportSizes(b, benchValidate, all)
	}
}

// reportSizes reports the medians of what was run with each size, in turns.
func reportSizes(b *testing.B, sizes []int, all [][]usage) {
	var ratios []float64
	last := len(all) - 1
	for i := range all[0] {
		ratios = append(ratios, all[last][i].cpu.Seconds()/all[0][i].cpu.Seconds())
	}
	for i, n := range sizes {
		b.ReportMetric(median(each(all[i], func(u usage) float64 { return u.wall.Seconds() * 1000 })), fmt.Sprintf("wall-ms/%d", n))
		b.ReportMetric(median(each(all[i], func(u usage) float64 { return u.cpu.Seconds() * 1000 })), fmt.Sprintf("cpu-ms/%d", n))
	}
	b.ReportMetric(median(ratios), fmt.Sprintf("cpu-ratio-%d/%d", sizes[last], sizes[0]))
	b.ReportMetric(0, "ns/op") // of all the runs
}

// manySyncs declares n syncs by one for_each, and n/5 by hand.
func manySyncs(n int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "kms \"bench\" {\n  project = %q\n}\n\nconnection \"bitbucket\" \"acme\" {\n  workspace = %q\n}\n\nlocals {\n  services = {\n", benchProject, benchWorkspace)
	for i := range n {
		fmt.Fprintf(&text, "    service-%d = { repository = \"repo-%d\", environments = [\"dev\", \"prod\"] }\n", i, i)
	}
	text.WriteString(`  }
}

sync "service" {
  for_each    = local.services
  description = "Variables of ${each.key}"
  source {
    environment = each.value.environments[0]
    secret_path = "/services/${each.key}"
    include     = ["A", "B_*"]
    rename      = { A = "AA" }
  }
  source {
    environment = "dev"
    secret_path = "/shared"
    override    = true
  }
  destination "bitbucket" {
    repository             = each.value.repository
    deployment_environment = "Production"
  }
  options {
    key_schema = "KMS_{{secretKey}}"
    protect    = ["KMS_LEGACY_*", upper(each.key)]
  }
}
`)
	for i := range n / 5 {
		fmt.Fprintf(&text, `
sync "hand-%d" {
  source {
    environment = "dev"
    secret_path = "/hand/%d"
  }
  destination "bitbucket" {
    repository = "${local.services["service-%d"].repository}-hand"
  }
}
`, i, i, i)
	}
	return text.String()
}
