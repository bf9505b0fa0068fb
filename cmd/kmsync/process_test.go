package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for something that must come.
const patience = 20 * time.Second

// process is kmsync in a process of its own.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
}

// output is what a process has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startCommand is "start ARGS": kmsync in a process of its own, in the background,
// for what needs one: signals, a lock that somebody else holds.
func startCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := stageOf(ts)
	if s.process != nil {
		ts.Fatalf("a process is started already")
	}
	p := &process{ended: make(chan struct{})}
	// The script's PATH comes first: there the test program is installed as kmsync.
	p.cmd = exec.Command("kmsync", args...)
	for _, dir := range strings.Split(ts.Getenv("PATH"), ":") {
		if path, err := exec.LookPath(dir + "/kmsync"); err == nil {
			p.cmd.Path, p.cmd.Err = path, nil
			break
		}
	}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), &p.stdout, &p.stderr
	for _, name := range []string{
		"PATH", "HOME", "USER", "KMS_ADDRESS", "KMS_CLIENT_ID", "KMS_CLIENT_SECRET", "BITBUCKET_ADDRESS",
		"BITBUCKET_ACCESS_TOKEN", "KMSYNC_LEDGER_KEY", "TESTSCRIPT_COMMAND",
	} {
		if value := ts.Getenv(name); value != "" {
			p.cmd.Env = append(p.cmd.Env, name+"="+value)
		}
	}
	ts.Check(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	s.process = p
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // does nothing once it has ended
		<-p.ended
	})
}

// signalCommand is "signal INT|TERM|KILL": to the process that start started.
func signalCommand(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	ts.Check(stageOf(ts).process.cmd.Process.Signal(signals[args[0]]))
}

// endsCommand is "ends CODE": waits for the process that start started, which must
// end with that exit code, or by a signal for "killed".
func endsCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := stageOf(ts)
	p := s.process
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("the process does not end")
	}
	s.process = nil
	s.keep(p.stdout.String() + p.stderr.String())
	_, _ = io.WriteString(ts.Stdout(), p.stdout.String())
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	want := args[0]
	if want == "killed" {
		want = "-1"
	}
	if code := p.cmd.ProcessState.ExitCode(); strconv.Itoa(code) != want {
		ts.Fatalf("kmsync ended with exit code %d, want %s", code, args[0])
	}
}

// printedCommand is "printed N FILE": waits until the process that start started
// has printed N lines on stdout, and writes them to FILE.
func printedCommand(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := ""
	for end := time.Now().Add(patience); strings.Count(text, "\n") < n; time.Sleep(2 * time.Millisecond) {
		text = stageOf(ts).process.stdout.String()
		if time.Now().After(end) {
			ts.Fatalf("no %d lines were printed", n)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// awaitCommand is "await N METHOD ROUTE": waits until the sandbox has counted so
// many requests since the last call of requests.
func awaitCommand(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	route := strings.Join(args[1:], " ")
	for end := time.Now().Add(patience); stageOf(ts).server.Requests()[route] < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("no %d requests of %s came", n, route)
		}
	}
}

// meanwhileCommand is "meanwhile COMMAND ARGS": one of clock, secret, identity,
// variable, recreate, fault and switch, done while the next command waits for the answer to its question.
func meanwhileCommand(ts *testscript.TestScript, neg bool, args []string) {
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"clock": clockCommand, "secret": secretCommand, "variable": variableCommand, "fault": faultCommand,
		"switch": switchCommand, "identity": identityCommand, "recreate": recreateCommand,
	}
	command := commands[args[0]]
	if command == nil {
		ts.Fatalf("meanwhile cannot do %s", args[0])
	}
	s := stageOf(ts)
	rest := slices.Clone(args[1:])
	s.meanwhile = append(s.meanwhile, func() { command(ts, neg, rest) })
}

// person is somebody at a terminal: what happens meanwhile happens, then the text
// is typed.
type person struct {
	meanwhile []func()
	text      io.Reader
}

func (p *person) Read(b []byte) (int, error) {
	for _, do := range p.meanwhile {
		do()
	}
	p.meanwhile = nil
	return p.text.Read(b)
}

// canaryCommand is "canary VALUE...": more secrets that must not be seen, for
// worlds that the stage's own sandbox does not hold.
func canaryCommand(ts *testscript.TestScript, _ bool, args []string) {
	stageOf(ts).watch(args...)
}
