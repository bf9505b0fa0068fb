//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// buildProgram builds kmsync as a release is built, and returns its file.
func buildProgram(b *testing.B) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "kmsync")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build kmsync: %v\n%s", err, out)
	}
	return file
}

// Variables that make the test program one of the other processes of a benchmark:
// the bare client, with its errand as JSON, or the sandbox, with the world's file.
const (
	bareVariable    = "KMSYNC_BENCH_BARE"
	sandboxVariable = "KMSYNC_BENCH_SANDBOX"
)

// These processes start here and not in a test, since a test program copies
// itself and sorts its flags before the first one runs.
func init() {
	var err error
	if text, ok := os.LookupEnv(bareVariable); ok {
		err = runBare(text)
	} else if file, ok := os.LookupEnv(sandboxVariable); ok {
		err = serveWorld(file)
	} else {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// self returns a command that makes the test program another process.
func self(b *testing.B, variable, value string, env ...string) *exec.Cmd {
	b.Helper()
	file, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(file)
	cmd.Env = append([]string{variable + "=" + value}, env...)
	return cmd
}

// serveWorld is the sandbox's process. Unlike "kmsync sandbox" it keeps the world
// in memory until it is terminated: writing a large one to its file every few
// milliseconds would double the latency, and hide what the clients take.
func serveWorld(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	initial, err := world.Decode(file, text)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	var made atomic.Int64
	server, err := sandbox.Start(ctx, sandbox.Options{World: initial, NewUUID: func() string {
		return world.DerivedUUID(file, strconv.FormatInt(made.Add(1), 10)) // cheap, whatever the world's size
	}})
	if err != nil {
		return err
	}
	c := server.Credentials()
	fmt.Printf("KMS_ADDRESS=%[1]s\nKMS_CLIENT_ID=%[2]s\nKMS_CLIENT_SECRET=%[3]s\nBITBUCKET_ADDRESS=%[1]s\nBITBUCKET_ACCESS_TOKEN=%[4]s\n",
		server.Address(), c.ClientID, c.ClientSecret, c.AccessToken)
	<-ctx.Done()
	if text, err = world.Encode(server.World()); err != nil {
		return err
	}
	return errors.Join(server.Close(), os.WriteFile(file, text, 0o600))
}

// emulator is a sandbox in a process of its own.
type emulator struct {
	cmd *exec.Cmd
	env []string // what it printed: addresses and credentials, NAME=VALUE
}

// startEmulator starts a sandbox on the world of that file, which is rewritten
// when the sandbox stops.
func startEmulator(b *testing.B, world string) *emulator {
	b.Helper()
	e := &emulator{cmd: self(b, sandboxVariable, world)}
	e.cmd.Stderr = os.Stderr
	out, err := e.cmd.StdoutPipe()
	if err == nil {
		err = e.cmd.Start()
	}
	if err != nil {
		b.Fatalf("start the sandbox: %v", err)
	}
	b.Cleanup(func() { e.stop(b) })
	for lines := bufio.NewScanner(out); len(e.env) < 5; {
		if !lines.Scan() {
			b.Fatalf("the sandbox ended after %d lines", len(e.env))
		}
		e.env = append(e.env, lines.Text())
	}
	return e
}

// stop ends the sandbox, which writes its world first. A second call does nothing.
func (e *emulator) stop(b *testing.B) {
	b.Helper()
	if e.cmd.ProcessState != nil {
		return
	}
	_ = e.cmd.Process.Signal(syscall.SIGTERM) // it may have ended: Wait tells
	if err := e.cmd.Wait(); err != nil {
		b.Errorf("the sandbox: %v", err)
	}
}

// requests returns how many requests have come, by method and path template.
func (e *emulator) requests(b *testing.B) map[string]int {
	b.Helper()
	answer, err := http.Get(strings.TrimPrefix(e.env[0], "KMS_ADDRESS=") + "/sandbox/requests")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	var counted struct {
		Requests map[string]int `json:"requests"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&counted); err != nil {
		b.Fatalf("read the sandbox's counters: %v", err)
	}
	return counted.Requests
}

// usage is what a process took.
type usage struct {
	wall, cpu time.Duration // cpu in user and kernel mode
	peak      float64       // resident memory, in MB (10⁶ bytes)
}

// measure runs a command to its end, which must be good, and returns what it
// took and what it printed. Output goes to files, so that nobody has to read it
// meanwhile.
func measure(b *testing.B, cmd *exec.Cmd) (usage, string) {
	b.Helper()
	out, err := os.Create(filepath.Join(b.TempDir(), "out"))
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	peak := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	wall := time.Since(begun)
	text, readErr := os.ReadFile(out.Name())
	if err != nil || readErr != nil {
		b.Fatalf("%s: %v %v\n%s", filepath.Base(cmd.Path), err, readErr, tail(text))
	}
	state := cmd.ProcessState
	used := usage{wall: wall, cpu: state.UserTime() + state.SystemTime(), peak: peak()}
	if used.peak == 0 {
		used.peak = maxResident(state)
	}
	return used, string(text)
}

func tail(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-20):], []byte("\n"))
}

// maxResident is the peak that the system reports at a process's end, in MB.
// Linux counts in KiB, others in bytes.
func maxResident(state *os.ProcessState) float64 {
	used, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "linux" {
		return float64(used.Maxrss) * 1024 / 1e6
	}
	return float64(used.Maxrss) / 1e6
}

// sampling is how often a process's peak is read.
const sampling = 5 * time.Millisecond

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watchMemory reads the peak of a process's memory while it runs, on Linux. There
// [maxResident] is no less than the peak of the process that started it
// (getrusage(2): the figure outlives an exec), which is the whole test program.
// The function it returns stops and gives the last peak in MB; 0 elsewhere.
func watchMemory(pid int) (stop func() float64) {
	if runtime.GOOS != "linux" {
		return func() float64 { return 0 }
	}
	var kib atomic.Int64
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.Tick(sampling); ; {
			select {
			case <-end:
				return
			case <-tick:
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if found := highWater.FindSubmatch(status); err == nil && found != nil {
				n, _ := strconv.ParseInt(string(found[1]), 10, 64) // digits
				kib.Store(n)
			}
		}
	}()
	return func() float64 {
		close(end)
		<-ended
		return float64(kib.Load()) * 1024 / 1e6
	}
}
