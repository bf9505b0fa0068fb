package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hanzoai/kmsync/cmd/internal/cli"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// runCommand is "run ARGS": kmsync in this process, which must exit with 0, or
// with anything else after "!".
func runCommand(ts *testscript.TestScript, neg bool, args []string) {
	code := kmsync(ts, args)
	if (code == 0) == neg {
		ts.Fatalf("kmsync %s: exit code %d", strings.Join(args, " "), code)
	}
}

// exitsCommand is "exits CODE ARGS": kmsync in this process with that exit code.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE ARGS")
	}
	if code := kmsync(ts, args[1:]); code != want {
		ts.Fatalf("kmsync %s: exit code %d, want %d", strings.Join(args[1:], " "), code, want)
	}
}

func kmsync(ts *testscript.TestScript, args []string) int {
	s := stageOf(ts)
	var stdout, stderr bytes.Buffer
	s.mu.Lock()
	answer, meanwhile := s.answer, s.meanwhile
	s.answer, s.meanwhile = nil, nil
	s.mu.Unlock()
	env := cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: ts.Getenv,
		Dir: ts.MkAbs("."), Host: "host", Now: s.now, Sleep: s.sleep, Random: random{}, Version: "test",
	}
	if answer != nil {
		env.Stdin, env.StdinTTY = &person{meanwhile, strings.NewReader(*answer)}, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	code := cli.Main(ctx, env)
	s.keep(stdout.String() + stderr.String())
	_, _ = ts.Stdout().Write(stdout.Bytes())
	_, _ = ts.Stderr().Write(stderr.Bytes())
	return code
}

// random gives bytes that differ, which is all that a test's ledger needs.
type random struct{}

func (random) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	return len(p), nil
}

// answerCommand is "answer TEXT": the next command has a terminal, and a person
// who types that and Return; "! answer" is a person who ends the input.
func answerCommand(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.Join(args, " ") + "\n"
	if neg {
		text = ""
	}
	stageOf(ts).answer = &text
}

// clockCommand is "clock DURATION": moves the clock of kmsync and the sandbox.
func clockCommand(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	s := stageOf(ts)
	s.mu.Lock()
	s.offset += d
	s.mu.Unlock()
}

// secretCommand is "secret ENVIRONMENT:PATH NAME VALUE [TIMES]" in project demo,
// the value repeated so many times, or "! secret ENVIRONMENT:PATH NAME" to remove
// it.
func secretCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := stageOf(ts)
	environment, path, _ := strings.Cut(args[0], ":")
	s.server.Update(func(w *world.World) {
		e := w.KMS.Project("demo").Environment(environment)
		if e == nil {
			ts.Fatalf("no environment %s", environment)
		}
		f := e.Folder(path)
		if f == nil {
			e.Folders = append(e.Folders, world.Folder{Path: path})
			f = e.Folder(path)
		}
		if neg {
			f.Secrets = slices.DeleteFunc(f.Secrets, func(x world.Secret) bool { return x.Key == args[1] })
			return
		}
		value := strings.ReplaceAll(args[2], `\n`, "\n")
		if len(args) > 3 {
			times, err := strconv.Atoi(args[3])
			ts.Check(err)
			value = strings.Repeat(value, times)
		}
		s.watch(value)
		if secret := f.Secret(args[1]); secret != nil {
			secret.Value = value
			secret.Version++
			return
		}
		f.Secrets = append(f.Secrets, world.Secret{Key: args[1], Value: value})
	})
}

// placeOf returns a folder of project demo, made where it is not there.
func placeOf(ts *testscript.TestScript, w *world.World, text string) (*world.Environment, *world.Folder) {
	slug, path, _ := strings.Cut(text, ":")
	e := w.KMS.Project("demo").Environment(slug)
	if e == nil {
		ts.Fatalf("no environment %s", slug)
	}
	if e.Folder(path) == nil {
		e.Folders = append(e.Folders, world.Folder{Path: path})
	}
	return e, e.Folder(path)
}

// importCommand is "import ENVIRONMENT:PATH FROM…": the folder imports these, in that
// order, and no others.
func importCommand(ts *testscript.TestScript, _ bool, args []string) {
	stageOf(ts).server.Update(func(w *world.World) {
		_, f := placeOf(ts, w, args[0])
		f.Imports = nil
		for _, from := range args[1:] {
			environment, path, _ := strings.Cut(from, ":")
			f.Imports = append(f.Imports, world.Import{Environment: environment, Path: path})
		}
	})
}

// folderCommand is "folder ENVIRONMENT:PATH" to make a folder, and "! folder" to remove
// it with all it holds.
func folderCommand(ts *testscript.TestScript, neg bool, args []string) {
	stageOf(ts).server.Update(func(w *world.World) {
		e, f := placeOf(ts, w, args[0])
		if path := f.Path; neg {
			e.Folders = slices.DeleteFunc(e.Folders, func(f world.Folder) bool { return f.Path == path })
		}
	})
}

// kmsCommand is "kms JSON": changes what the JSON names of the sandbox's KMS, as
// {"generation": "2024"}.
func kmsCommand(ts *testscript.TestScript, _ bool, args []string) {
	stageOf(ts).server.Update(func(w *world.World) { ts.Check(json.Unmarshal([]byte(args[0]), &w.KMS)) })
}

// identityCommand is "identity JSON": changes what the JSON names of the first
// identity, as {"access": [{"path": "/web"}]}.
func identityCommand(ts *testscript.TestScript, _ bool, args []string) {
	stageOf(ts).server.Update(func(w *world.World) { ts.Check(json.Unmarshal([]byte(args[0]), &w.KMS.Identities[0])) })
}

// variableCommand is "variable REPOSITORY[/ENVIRONMENT] KEY DOING [VALUE]", what a
// person does by hand in workspace acme: set, unsecure, recreate, remove. "acme" in
// the place of a repository means the workspace's own variables.
func variableCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := stageOf(ts)
	repository, environment, _ := strings.Cut(args[0], "/")
	s.server.Update(func(w *world.World) {
		workspace := w.Bitbucket.Workspace("acme")
		variables := &workspace.Variables
		if r := workspace.Repository(repository); r != nil && environment != "" {
			variables = &r.Environment(environment).Variables
		} else if r != nil {
			variables = &r.Variables
		} else if repository != "acme" {
			ts.Fatalf("no repository %s", repository)
		}
		i := slices.IndexFunc(*variables, func(v world.Variable) bool { return v.Key == args[1] })
		if i < 0 && args[2] != "set" {
			ts.Fatalf("no variable %s", args[1])
		}
		switch args[2] {
		case "set":
			s.watch(args[3])
			*variables = append(*variables, world.Variable{Key: args[1], Value: args[3], Secured: true})
		case "unsecure":
			(*variables)[i].Secured = false
		case "recreate":
			(*variables)[i].UUID = anyUUID()
		case "remove":
			*variables = slices.Delete(*variables, i, i+1)
		default:
			ts.Fatalf("what is %s?", args[2])
		}
	})
}

// faultCommand is "fault JSON": a fault of the sandbox; "! fault" clears them.
func faultCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := stageOf(ts)
	if neg {
		s.server.ClearFaults()
		return
	}
	var f world.Fault
	ts.Check(json.Unmarshal([]byte(args[0]), &f))
	ts.Check(s.server.Inject(f))
}

// switchCommand is "switch JSON": these switches of the sandbox's Bitbucket, and
// no others.
func switchCommand(ts *testscript.TestScript, _ bool, args []string) {
	stageOf(ts).server.Update(func(w *world.World) {
		w.Bitbucket.Switches = world.Switches{}
		ts.Check(json.Unmarshal([]byte(args[0]), &w.Bitbucket.Switches))
	})
}

// requestsCommand is "requests" to print the counters since the last call, one a
// line, and start again from zero.
func requestsCommand(ts *testscript.TestScript, _ bool, _ []string) {
	s := stageOf(ts)
	counts := s.server.Requests()
	var lines []string
	for route, n := range counts {
		lines = append(lines, fmt.Sprintf("%d %s\n", n, route))
	}
	slices.SortFunc(lines, func(a, b string) int {
		_, a, _ = strings.Cut(a, " ")
		_, b, _ = strings.Cut(b, " ")
		return strings.Compare(a, b)
	})
	s.server.ResetRequests()
	_, _ = fmt.Fprint(ts.Stdout(), strings.Join(lines, ""))
}

// journalCommand is "journal": prints every effect on Bitbucket so far, sorted.
func journalCommand(ts *testscript.TestScript, _ bool, _ []string) {
	var lines []string
	for _, e := range stageOf(ts).server.Journal() {
		lines = append(lines, fmt.Sprintf("%s %s\n", e.Action, e.Key))
	}
	slices.Sort(lines)
	_, _ = fmt.Fprint(ts.Stdout(), strings.Join(lines, ""))
}
