package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

const inputsConfig = `
variable "region" {
  type    = string
  default = "default"
}

variable "names" {
  type    = list(string)
  default = []
}

variable "any" {
  default = "default"
}

kms "hanzo" {
  project = "p"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}

sync "one" {
  description = "${var.region} ${join(",", var.names)} ${var.any}"
  source {
    environment = "dev"
  }
  destination "bitbucket" {
    repository = "web"
  }
}
`

// TestPrecedence: of two values of a variable the one of the higher place counts:
// default, environment, *.auto.syncvars in the order of their names, and what was
// typed, the last last.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	environment := func(name string) string {
		return map[string]string{"region": "environment", "names": `["e"]`, "undeclared": "x"}[name]
	}
	typed := func(name, text string) Input { return Input{Name: name, Text: text, From: "--var"} }
	given := func(content string) Input {
		return Input{File: "prod.syncvars", Content: []byte(content), From: "prod.syncvars"}
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		opt   LoadOptions
		want  string
	}{
		"default":        {nil, LoadOptions{}, "default  default"},
		"environment":    {nil, LoadOptions{Environment: environment}, "environment e default"},
		"file over it":   {fstest.MapFS{"a.auto.syncvars": file("region = \"a\"\n")}, LoadOptions{Environment: environment}, "a e default"},
		"later file":     {fstest.MapFS{"a.auto.syncvars": file("region = \"a\"\nany = 1\n"), "b.auto.syncvars": file("region = \"b\"\n")}, LoadOptions{}, "b  1"},
		"other files":    {fstest.MapFS{"a.syncvars": file("region = \"a\"\n"), ".auto.syncvars": file("region = \"b\"\n")}, LoadOptions{}, "default  default"},
		"typed":          {fstest.MapFS{"a.auto.syncvars": file("region = \"a\"\n")}, LoadOptions{Inputs: []Input{typed("region", "typed")}}, "typed  default"},
		"typed last":     {nil, LoadOptions{Inputs: []Input{typed("region", "1"), given("region = \"2\"\n"), typed("region", "3")}}, "3  default"},
		"file last":      {nil, LoadOptions{Inputs: []Input{typed("region", "1"), given("region = \"2\"\n")}}, "2  default"},
		"expression":     {nil, LoadOptions{Inputs: []Input{typed("names", `["a", "b"]`)}}, "default a,b default"},
		"text is text":   {nil, LoadOptions{Inputs: []Input{typed("region", `"${x}"`), typed("any", "[1]")}}, `"${x}"  [1]`},
		"empty is text":  {nil, LoadOptions{Inputs: []Input{typed("region", "")}}, "  default"},
		"number to text": {nil, LoadOptions{Inputs: []Input{given("region = 7\n")}}, "7  default"},
	} {
		fsys := fstest.MapFS{"main.sync.hcl": file(inputsConfig)}
		for name, f := range c.files {
			fsys[name] = f
		}
		config, diags := load(fsys, ".", c.opt)
		if len(diags) > 0 {
			t.Errorf("%s: %s", name, diags)
		} else if got := config.Syncs[0].Description.Value; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestInputMistakes renders what is wrong with values from outside.
func TestInputMistakes(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"main.sync.hcl":   {Data: []byte(inputsConfig)},
		"a.auto.syncvars": {Data: []byte("regoin = \"eu\"\nnames = [var.region]\nblock {}\n")},
		"b.auto.syncvars": {Data: []byte("names = \"a\"\n= 7")},
		"c.auto.syncvars": {Data: []byte("\xef\xbb\xbfregion = 1")},
	}
	config, diags := load(fsys, ".", LoadOptions{NeedInputs: true, Inputs: []Input{
		{Name: "reion", Text: "eu", From: "--var"},
		{Name: "other", Text: "eu", From: "--var"},
	}})
	checkGolden(t, "inputs", config, diags, "\x00")
	config, diags = load(fstest.MapFS{"main.sync.hcl": {Data: []byte(inputsConfig)}}, ".", LoadOptions{
		Inputs: []Input{{Name: "names", Text: "a, b", From: "--var"}},
	})
	checkGolden(t, "inputs_expression", config, diags, "\x00")
	config, diags = load(fstest.MapFS{"main.sync.hcl": {Data: []byte(inputsConfig)}}, ".", LoadOptions{
		Environment: func(string) string { return "{}" },
	})
	checkGolden(t, "inputs_type", config, diags, "\x00")
	config, diags = load(fstest.MapFS{"main.sync.hcl": {Data: []byte(inputsConfig)}}, ".", LoadOptions{
		Environment: func(name string) string { return map[string]string{"names": strings.Repeat(" ", 64<<10)}[name] },
	})
	checkGolden(t, "inputs_long", config, diags, "\x00")
}

// TestUnknownInputs: without a value a variable is unknown where that is allowed,
// and what depends on it is not checked. A for_each cannot wait.
func TestUnknownInputs(t *testing.T) {
	t.Parallel()
	source := func(sync string) fstest.MapFS {
		return fstest.MapFS{"main.sync.hcl": {Data: []byte(minimal + `
variable "x" {}
connection "bitbucket" "acme" {
  workspace = var.x
}
` + sync)}}
	}
	body := `
  source {
    environment = var.x
  }
  destination "bitbucket" {
    repository = "${var.x}-web"
  }
  options {
    protect    = [var.x]
    key_schema = "${var.x}_{{secretKey}}"
  }
}
`
	if _, diags := load(source("sync \"one\" {"+body), ".", LoadOptions{}); len(diags) != 0 {
		t.Error(diags)
	}
	if _, diags := load(source("sync \"one\" {"+body), ".", LoadOptions{NeedInputs: true}); len(diags) != 1 {
		t.Error(diags)
	}
	config, diags := load(source("sync \"one\" {\n  for_each = toset([var.x])"+body), ".", LoadOptions{})
	checkGolden(t, "for_each_unknown", config, diags, "\x00")
	config, diags = load(source("locals {\n  names = toset([var.x])\n}\nsync \"one\" {\n  for_each = local.names"+body), ".", LoadOptions{})
	checkGolden(t, "for_each_unknown_made", config, diags, "\x00")
}

// TestSensitive: nothing of a sensitive value gets into a diagnostic.
func TestSensitive(t *testing.T) {
	t.Parallel()
	config, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(minimal + `
variable "password" {
  sensitive = true
}
locals {
  number = tonumber(var.password)
  parsed = jsondecode(var.password)
  picked = { a = 1 }[var.password]
  thrown = regex("^$", var.password)
  inside = [for c in [var.password] : parseint(c, 10)]
}
connection "bitbucket" "acme" {
  workspace = "x-${var.password}"
}
`)}}, ".", LoadOptions{Inputs: []Input{{Name: "password", Text: "canary text", From: "--var"}}})
	checkGolden(t, "sensitive", config, diags, "\x00")
	for _, diag := range diags {
		if diag.EvalContext != nil || diag.Expression != nil {
			t.Errorf("values are at hand to be shown: %s", diag)
		}
	}
}
