package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

// one is a configuration with a sync, and what stands before it and in it.
func one(before, inside string) string {
	return minimal + "connection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\n" + before + "\nsync \"one\" {\n" + inside +
		"\n  destination \"bitbucket\" {\n    repository = \"web\"\n  }\n}\n"
}

// TestOneMistake: each of these is one mistake, and is told once, in these words.
func TestOneMistake(t *testing.T) {
	t.Parallel()
	source := "\n  source {\n    environment = \"dev\"\n  }\n"
	sensitive := "variable \"s\" {\n  sensitive = true\n  default   = [\"canary\"]\n}\n"
	each := func(expression string) string { return one(sensitive, "  for_each = "+expression+source) }
	checked := func(validation string) string {
		return one("variable \"v\" {\n  default = \"canary\"\n  sensitive = true\n  validation {\n"+validation+"\n  }\n}", source)
	}
	for name, c := range map[string]struct{ source, want string }{
		"for_each of nothing":         {each(`local.none`), "Nothing declares local.none."},
		"for_each that fails":         {each(`toset(tonumber("x"))`), "given string must be a decimal"},
		"for_each that fails, hidden": {each(`tomap(var.s)`), "Why is not said, since it uses a sensitive value."},
		"for_each sensitive":          {each(`toset(var.s)`), "This is sensitive"},
		"for_each sensitive key":      {each(`toset([var.s[0]])`), "This is sensitive"},
		"for_each of a text":          {each(`"a"`), "This is neither."},
		"for_each null":               {each(`null`), "This is null."},
		"for_each of booleans":        {each(`toset([true])`), "This is a set of other values."},
		"for_each element null":       {each(`toset(["a", null])`), "One of the elements is null."},
		"for_each empty key":          {each(`{ "" = 1 }`), "One of the keys is empty."},
		"for_each long key":           {each(`toset([join("", [for i in range(129) : "a"])])`), "longer than 128 bytes"},
		"for_each strange key":        {each(`toset(["a\u0007"])`), "a character that cannot be printed"},
		"for_each too long":           {each(`toset(flatten([for i in range(101) : [for j in range(100) : "${i}-${j}"]]))`), "more than 10000 elements"},
		"condition no boolean":        {checked("    condition     = upper(var.v)\n    error_message = \"No.\""), "The argument condition must be a boolean."},
		"condition that fails":        {checked("    condition     = tonumber(var.v) > 1\n    error_message = \"No.\""), "Why is not said"},
		"condition about another":     {checked("    condition     = true\n    error_message = \"No.\""), "The condition does not look at var.v"},
		"no message":                  {checked("    condition     = var.v == \"b\"\n    error_message = \"\""), "The argument error_message must be a string."},
		"message that fails":          {checked("    condition     = var.v == \"b\"\n    error_message = tonumber(\"x\")"), "given string must be a decimal"},
		"message that would show":     {checked("    condition     = var.v == \"b\"\n    error_message = \"Not ${var.v}.\""), "What is wrong is sensitive. That is what var.v demands"},
		"list that fails":             {one("", source+"  options {\n    protect = tolist(tonumber(\"x\"))\n  }"), "given string must be a decimal"},
		"list of nothing":             {one("", source+"  options {\n    protect = local.none\n  }"), "Nothing declares local.none."},
		"map of nothing":              {one("", "  source {\n    environment = \"dev\"\n    rename = local.none\n  }"), "Nothing declares local.none."},
		"block by a mistaken name":    {one("", "  source {\n    environment = \"dev\"\n    kms = kms.none\n  }"), "Nothing declares kms.none."},
		"block by a sensitive name":   {one(sensitive, "  source {\n    environment = var.s[0]\n  }"), "The value is made of a sensitive variable"},
	} {
		_, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(c.source)}}, ".", LoadOptions{NeedInputs: true})
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, c.want) {
			t.Errorf("%s: want one mistake, %q, got %d: %s", name, c.want, len(diags), diags.Errs())
		}
		if strings.Contains(diags.Error(), "canary") {
			t.Errorf("%s: the value is shown: %s", name, diags)
		}
	}
}

// TestLongInput: a value from outside that is no expression, or too long for one,
// is refused without quoting it.
func TestLongInput(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[" + strings.Repeat("(", 64<<10): "is too long or too deep",
		"[canary":                         "is no expression of the type list(string)",
		"[upper(\"canary\")]":             "references and functions are not allowed",
		"[var.canary]":                    "references and functions are not allowed",
		"{ a = \"canary\" }":              "is not of the type list(string)",
	} {
		_, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(inputsConfig)}}, ".", LoadOptions{Inputs: []Input{{Name: "names", Text: text, From: "--var"}}})
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) || strings.Contains(diags.Error(), "canary") {
			t.Errorf("%.20s: want %q, got %s", text, want, diags.Errs())
		}
	}
}

// TestJSONNames: names that only JSON can spell are refused.
func TestJSONNames(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"locals": {"a b": 1}}`, `{"variable": {"a b": {"default": 1}}}`, `{"sync": {"": {"source": {"environment": "dev"}, "destination": {"bitbucket": {"workspace": "a", "repository": "b"}}}}}`} {
		if _, diags := loadFile("main.sync.json", text); len(diags) == 0 || diags[0].Summary != "Invalid label" {
			t.Errorf("%s: %s", text, diags.Errs())
		}
	}
}
