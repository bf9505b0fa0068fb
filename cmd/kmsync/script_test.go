package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in scripts")

// TestMain makes the program itself available to scripts as "exec kmsync", for
// what needs a real process: signals, a terminal.
//
// Scripts mostly wait, so more of them run at a time than there are processors;
// -parallel on the command line still counts.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"kmsync": main})
}

// TestScripts runs testdata/script/*.txtar. Each script has a sandbox of its own,
// and after each one everything it printed or wrote is searched for secrets.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup:               setUp,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"run":       runCommand,
			"exits":     exitsCommand,
			"answer":    answerCommand,
			"clock":     clockCommand,
			"secret":    secretCommand,
			"import":    importCommand,
			"folder":    folderCommand,
			"kms":       kmsCommand,
			"identity":  identityCommand,
			"variable":  variableCommand,
			"rename":    renameCommand,
			"recreate":  recreateCommand,
			"fault":     faultCommand,
			"switch":    switchCommand,
			"requests":  requestsCommand,
			"journal":   journalCommand,
			"effects":   effectsCommand,
			"start":     startCommand,
			"signal":    signalCommand,
			"ends":      endsCommand,
			"await":     awaitCommand,
			"printed":   printedCommand,
			"meanwhile": meanwhileCommand,
			"canary":    canaryCommand,
			"tls":       tlsCommand,
			"proxy":     proxyCommand,
		},
	})
}

// condition is "[root]", true where the tests may read and write everything, or
// "[mount]", true where a process may mount a disk that only it sees.
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "mount":
		return exec.Command("unshare", "-rm", "sh", "-c", `mount -t tmpfs none "$0"`, os.TempDir()).Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// setUp starts the script's sandbox, from world.json if the script has one, and
// points the environment at it.
func setUp(env *testscript.Env) error {
	s, err := newStage(env.WorkDir, env.T().Log)
	if err != nil {
		return err
	}
	env.Values[stageKey{}] = s
	made := s.server.Credentials()
	s.watch(made.ClientSecret, made.AccessToken, made.APIToken, made.KMSToken)
	env.Vars = append(env.Vars,
		"HOME="+filepath.Join(env.WorkDir, ".home"), "USER=tester", "WORLD="+s.server.Address(),
		"KMS_ADDRESS="+s.server.Address(), "KMS_CLIENT_ID="+made.ClientID, "KMS_CLIENT_SECRET="+made.ClientSecret,
		"BITBUCKET_ADDRESS="+s.server.Address(), "BITBUCKET_ACCESS_TOKEN="+made.AccessToken,
	)
	env.Defer(func() {
		if err := s.close(); err != nil {
			env.T().Fatal(err)
		}
	})
	return os.MkdirAll(filepath.Join(env.WorkDir, ".home"), 0o700)
}

// TestScriptsAreRun fails when a script lies where no test runs it.
func TestScriptsAreRun(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob("../../testdata/script/*.txtar")
	if err != nil || len(found) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	all := 0
	_ = filepath.WalkDir("../../testdata/script", func(path string, _ os.DirEntry, _ error) error {
		if filepath.Ext(path) == ".txtar" {
			all++
		}
		return nil
	})
	if all != len(found) {
		t.Fatalf("%d scripts, and %d are run", all, len(found))
	}
}
