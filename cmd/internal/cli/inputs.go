package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/hanzoai/kmsync/config"
)

// InputFlags give values to variables of the configuration.
type InputFlags struct {
	Var     []string `sep:"none" placeholder:"NAME=VALUE" help:"Value of a variable; may be repeated."`
	VarFile []string `sep:"none" placeholder:"FILE" help:"File with values of variables; may be repeated. Of --var and --var-file the last counts."`
}

// maxInputs is how many bytes of a file of inputs are read: one more than it may
// hold, so that a longer one is noticed.
const maxInputs = 1<<20 + 1

// inputs returns what the flags give, in the order they were typed.
func (a *app) inputs(flags InputFlags) ([]config.Input, error) {
	vars, files := flags.Var, flags.VarFile
	var inputs []config.Input
	for _, isFile := range typedOrder(a.env.Args, len(vars), len(files)) {
		take, list := a.variableInput, &vars
		if isFile {
			take, list = a.fileInput, &files
		}
		input, err := take((*list)[0])
		if err != nil {
			return nil, err
		}
		*list = (*list)[1:]
		inputs = append(inputs, input)
	}
	return inputs, nil
}

// typedOrder says for each of the flags, in the order they stand on the command
// line, whether it is --var-file.
func typedOrder(args []string, vars, files int) []bool {
	var order []bool
	left := map[bool]int{false: vars, true: files}
	take := func(isFile bool) {
		if left[isFile] > 0 {
			left[isFile]--
			order = append(order, isFile)
		}
	}
	for _, arg := range args {
		switch name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); {
		case !strings.HasPrefix(arg, "-"):
		case name == "var":
			take(false)
		case name == "var-file":
			take(true)
		}
	}
	for _, isFile := range []bool{true, false} {
		for left[isFile] > 0 {
			take(isFile)
		}
	}
	return order
}

func (a *app) variableInput(text string) (config.Input, error) {
	name, value, found := strings.Cut(text, "=")
	if !found || !hclsyntax.ValidIdentifier(name) {
		return config.Input{}, &usageError{"--var takes NAME=VALUE, as in: --var region=eu"}
	}
	return config.Input{Name: name, Text: value, From: "--var"}, nil
}

// variableOfEnvironment returns what the environment gives a variable; an empty
// text counts as none.
func (a *app) variableOfEnvironment(name string) string {
	return a.env.Getenv(config.EnvironmentPrefix + name)
}

func (a *app) fileInput(path string) (config.Input, error) {
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(a.dir, full)
	}
	file, err := os.Open(full)
	if err != nil {
		return config.Input{}, fmt.Errorf("read --var-file: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxInputs))
	if err != nil {
		return config.Input{}, fmt.Errorf("read --var-file: %w", err)
	}
	return config.Input{File: path, Content: content, From: path}, nil
}
