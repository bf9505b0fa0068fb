//go:build unix

package format

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// benchLines are the lengths of the files that are formatted, the shortest first.
var benchLines = []int{1250, 2500, 5000}

// benchTurns is how often each file is formatted.
const benchTurns = 7

// BenchmarkFormat formats files of three lengths in turns, of which no line is in
// canonical form, and reports the least that each took: wall time, and CPU time, which
// a busy machine changes less. The ratio is that of the CPU times of the longest and
// the shortest: 4 is linear. Garbage is collected between the turns and is no part of
// the figures: how often that happens depends on what else the process holds.
func BenchmarkFormat(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, shape := range []struct {
		name   string
		source func(lines int) []byte
	}{{"ordinary", ordinary}, {"aligned", aligned}} {
		b.Run(shape.name, func(b *testing.B) {
			var sources [][]byte
			for _, n := range benchLines {
				sources = append(sources, shape.source(n))
			}
			for b.Loop() {
				reportTurns(b, sources)
			}
			b.ReportMetric(0, "ns/op") // of all the turns: says nothing
		})
	}
}

func reportTurns(b *testing.B, sources [][]byte) {
	walls, cpus := make([]float64, len(sources)), make([]float64, len(sources))
	for turn := range benchTurns {
		for i, source := range sources {
			wall, cpu := milliseconds(b, source)
			if turn == 0 || wall < walls[i] {
				walls[i] = wall
			}
			if turn == 0 || cpu < cpus[i] {
				cpus[i] = cpu
			}
		}
	}
	last := len(sources) - 1
	for i, n := range benchLines {
		b.ReportMetric(walls[i], fmt.Sprintf("wall-ms/%d", n))
		b.ReportMetric(cpus[i], fmt.Sprintf("cpu-ms/%d", n))
	}
	b.ReportMetric(cpus[last]/cpus[0], fmt.Sprintf("cpu-ratio-%d/%d", benchLines[last], benchLines[0]))
}

// milliseconds is how long it takes to format a source.
func milliseconds(b *testing.B, source []byte) (wall, cpu float64) {
	runtime.GC()
	start, used := time.Now(), cpuTime(b)
	formatted, diags := Format("main.sync.hcl", source)
	wall, cpu = time.Since(start).Seconds()*1000, (cpuTime(b)-used).Seconds()*1000
	if diags.HasErrors() || bytes.Equal(formatted, source) {
		b.Fatal(diags)
	}
	return wall, cpu
}

// cpuTime is what this process has used of all processors.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// ordinary is a file of syncs.
func ordinary(lines int) []byte {
	var source bytes.Buffer
	for i := range lines / 10 {
		fmt.Fprintf(&source, `sync "service-%d" { # of team %d
source   {
environment="dev"
   secret_path     = "/services/${ each.key }/%d" # not the old one
}
destination "bitbucket"{
repository="service-%d"
}
options  {protect=["A_*","B"]}
}
`, i, i%7, i, i)
	}
	return source.Bytes()
}

// aligned is a file of one block, in which every line is aligned with all others.
func aligned(lines int) []byte {
	var source bytes.Buffer
	source.WriteString("locals   {\n")
	for i := range lines - 2 {
		fmt.Fprintf(&source, "setting_%d=[\"a-%d\",\"${ var.team }\"] # number %d\n", i, i%7, i)
	}
	source.WriteString("}\n")
	return source.Bytes()
}
