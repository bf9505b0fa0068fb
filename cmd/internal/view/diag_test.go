package view

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func mistakes(t *testing.T) (map[string]*hcl.File, hcl.Diagnostics) {
	t.Helper()
	source := "sync \"payments-dev\" {\n  enabeld = true # \x1b[2J\n}\n"
	file, diags := hclsyntax.ParseConfig([]byte(source), "main.sync.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return map[string]*hcl.File{"main.sync.hcl": file}, hcl.Diagnostics{
		{
			Severity: hcl.DiagError, Summary: "Unsupported argument",
			Detail:  `An argument named "enabeld" is not expected here. Did you mean "enabled"?`,
			Subject: &hcl.Range{Filename: "main.sync.hcl", Start: hcl.Pos{Line: 2, Column: 3, Byte: 24}, End: hcl.Pos{Line: 2, Column: 10, Byte: 31}},
		},
		{Severity: hcl.DiagWarning, Summary: "Odd name", Detail: "A name holds \u202e."},
	}
}

func TestDiagnosticsGolden(t *testing.T) {
	t.Parallel()
	files, diags := mistakes(t)
	for name, style := range map[string]Style{"diagnostics.txt": {Width: 80}, "diagnostics-colour.txt": {Width: 80, Color: true}} {
		var out bytes.Buffer
		if err := Diagnostics(&out, files, diags, style); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
	if !strings.Contains(string(files["main.sync.hcl"].Bytes), "\x1b") {
		t.Error("the caller's file was changed")
	}
}

func TestDiagnosticsJSONGolden(t *testing.T) {
	t.Parallel()
	_, diags := mistakes(t)
	var out bytes.Buffer
	for _, d := range []hcl.Diagnostics{diags, diags[1:], nil} {
		if err := DiagnosticsJSON(&out, d); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "diagnostics.json", out.Bytes())
}

// hostileNav names a block as a file of another syntax might.
type hostileNav struct{}

func (hostileNav) ContextString(int) string { return "sync \x1b[2J" }

func TestDiagnosticsNameTheBlockSafely(t *testing.T) {
	t.Parallel()
	files, diags := mistakes(t)
	files["main.sync.hcl"].Nav = hostileNav{}
	var out bytes.Buffer
	if err := Diagnostics(&out, files, diags, Style{}); err != nil {
		t.Fatal(err)
	}
	if want := `on main.sync.hcl line 2, in sync \x1b[2J:`; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%q", want, out.String())
	}
}
