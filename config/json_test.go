package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
)

// everythingNative and everythingJSON say the same, in both syntaxes.
const everythingNative = `
kmsync {
  name             = "acme-syncs"
  required_version = ">= 0.1"
  ledger "local" {
    path = ".memory"
  }
  deletes {
    max_count   = local.size
    max_percent = 0
  }
}
variable "region" {
  type        = string
  default     = "eu"
  description = "Where"
  validation {
    condition     = length(var.region) == 2
    error_message = "Two letters."
  }
}
variable "owners" {
  type    = map(object({ team = string, size = optional(number, 3) }))
  default = { web = { team = "a" } }
}
variable "quiet" {
  sensitive = true
  default   = true
}
locals {
  services = { billing = { repository = "acme-billing" }, "web" = { repository = "acme-web" } }
  names    = [for name, service in local.services : upper(name)]
  size     = 2 * 3
}
kms "hanzo" {
  project = "payments-platform"
}
connection "bitbucket" "acme" {
  workspace = "acme"
}
sync "service" {
  for_each    = local.services
  description = "Of ${each.key} in ${var.region}, ${join("+", local.names)}, ${local.size}, ${var.owners.web.size}"
  source {
    kms         = kms.hanzo
    environment = "dev"
    secret_path = "/services/${each.key}"
    include     = ["A", "B_*", "C"]
    exclude     = ["B_X"]
    rename      = { C = "D" }
  }
  source {
    environment = "dev"
    secret_path = "/shared"
    override    = true
  }
  destination "bitbucket" {
    connection             = connection.bitbucket.acme
    repository             = each.value.repository
    deployment_environment = "Production"
  }
  options {
    key_schema = "KMS_{{secretKey}}"
    protect    = [upper(each.key), "X_*"]
    overlap    = "72h"
    unsecured  = ["X_URL", "Y_*"]
    encoding   = { "X_*" = "base64", Z = "base64" }
    max_age    = "720h"
    auto_sync  = false
  }
}
sync "shared" {
  enabled = true
  source {
    environment = "prod"
  }
  destination "bitbucket" {
    scope = "workspace"
  }
}
moved {
  from = sync.old
  to   = sync.shared
}
moved {
  from = sync.services["web"]
  to   = sync.service["web"]
}
removed {
  from        = sync.legacy
  keep        = true
  destination = "acme/legacy"
  connection  = connection.bitbucket.acme
}
`

const everythingJSON = `{
  "//": "a comment",
  "kmsync": { "name": "acme-syncs", "required_version": ">= 0.1", "ledger": { "local": { "path": ".memory" } }, "deletes": { "max_count": "${local.size}", "max_percent": 0 } },
  "variable": {
    "region": {
      "type": "string", "default": "eu", "description": "Where",
      "validation": { "condition": "${length(var.region) == 2}", "error_message": "Two letters." }
    },
    "owners": { "type": "map(object({ team = string, size = optional(number, 3) }))", "default": { "web": { "team": "a" } } },
    "quiet": { "sensitive": true, "default": true }
  },
  "locals": {
    "services": { "billing": { "repository": "acme-billing" }, "web": { "repository": "acme-web" } },
    "names": "${[for name, service in local.services : upper(name)]}",
    "size": "${2 * 3}"
  },
  "kms": { "hanzo": { "project": "payments-platform" } },
  "connection": { "bitbucket": { "acme": { "workspace": "acme" } } },
  "sync": {
    "service": {
      "for_each": "${local.services}",
      "description": "Of ${each.key} in ${var.region}, ${join(\"+\", local.names)}, ${local.size}, ${var.owners.web.size}",
      "source": [
        {
          "kms": "kms.hanzo", "environment": "dev", "secret_path": "/services/${each.key}",
          "include": ["A", "B_*", "C"], "exclude": ["B_X"], "rename": { "C": "D" }
        },
        { "environment": "dev", "secret_path": "/shared", "override": true }
      ],
      "destination": {
        "bitbucket": {
          "connection": "${connection.bitbucket.acme}", "repository": "${each.value.repository}", "deployment_environment": "Production"
        }
      },
      "options": {
        "key_schema": "KMS_{{secretKey}}", "protect": ["${upper(each.key)}", "X_*"], "overlap": "72h", "auto_sync": false,
        "unsecured": ["X_URL", "Y_*"], "encoding": { "X_*": "base64", "Z": "base64" }, "max_age": "720h"
      }
    },
    "shared": { "enabled": "true", "source": { "environment": "prod" }, "destination": { "bitbucket": { "scope": "workspace" } } }
  },
  "moved": [
    { "from": "sync.old", "to": "${sync.shared}" },
    { "from": "sync.services[\"web\"]", "to": "${sync.service[\"web\"]}" }
  ],
  "removed": { "from": "sync.legacy", "keep": true, "destination": "acme/legacy", "connection": "connection.bitbucket.acme" }
}`

func loadFile(name, text string) (*Config, hcl.Diagnostics) {
	return load(fstest.MapFS{name: {Data: []byte(text)}}, ".", LoadOptions{NeedInputs: true})
}

// TestJSON: what is written in JSON is what it is in HCL's native syntax.
func TestJSON(t *testing.T) {
	t.Parallel()
	native, diags := loadFile("main.sync.hcl", everythingNative)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	fromJSON, diags := loadFile("main.sync.json", everythingJSON)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if len(native.Syncs) != 3 || native.Syncs[0].Description.Value != "Of billing in eu, BILLING+WEB, 6, 3" {
		t.Errorf("%+v", native.Syncs[0])
	}
	if native.Deletes.MaxCount.Value != 6 || len(native.Syncs[0].Options.Encoding) != 2 {
		t.Errorf("%+v %+v", native.Deletes, native.Syncs[0].Options)
	}
	if diff := cmp.Diff(native, fromJSON, withoutRanges, withKeySchema, cmpopts.IgnoreFields(Config{}, "Files")); diff != "" {
		t.Errorf("JSON says something else (-native +json):\n%s", diff)
	}
	for _, s := range fromJSON.Syncs {
		if s.Range.Filename != "main.sync.json" || s.Sources[0].Environment.Range.Start.Line == 0 {
			t.Errorf("%s has no place", s.Address)
		}
	}
}

// jsonMistakes are files in JSON, each with one kind of mistakes.
var jsonMistakes = map[string]string{
	"syntax":      "{\"kms\": {\"hanzo\": {\"project\": \"p\",}}}\n",
	"cut":         `{"kms": {"hanzo": {"project": "p"`,
	"text":        "kms \"hanzo\" {}\n",
	"array":       `[1, 2]`,
	"null":        `null`,
	"names":       `{"kmss": {}, "kms": {"hanzo": {"projct": "p"}}}`,
	"duplicate":   "{\n  \"kms\": {\"hanzo\": {\"project\": \"p\"}, \"hanzo\": {\"project\": \"q\"}},\n  \"locals\": {\"a\": 1, \"a\": 2}\n}\n",
	"nesting":     "{\n  \"kms\": \"hanzo\",\n  \"connection\": {\"acme\": {\"workspace\": \"acme\"}},\n  \"sync\": {\"web\": [{\"source\": 7, \"destination\": [\"bitbucket\"]}]}\n}\n",
	"nulls":       "{\n  \"kms\": {\"hanzo\": {\"project\": null}},\n  \"connection\": {\"bitbucket\": {\"acme\": null}},\n  \"sync\": null,\n  \"locals\": {\"a\": null}\n}\n",
	"types":       syncJSON(`"source": {"environment": ["dev"], "include": "A", "rename": ["A"], "override": "maybe"}`),
	"references":  syncJSON(`"source": {"kms": "hanzo", "environment": "${kms.hanzo.projct}", "secret_path": "${local.none}"}`),
	"unquoted":    syncJSON(`"source": {"kms": "${kms.hanzo} ", "environment": "${each.key}"}`),
	"templates":   syncJSON(`"source": {"environment": "${", "secret_path": "/%{if}", "include": ["${upper(}"]}`),
	"for_each":    syncJSON(`"for_each": ["a"], "source": {"environment": "${each.key}"}`),
	"addresses":   "{\n  \"moved\": {\"from\": \"old\", \"to\": \"${kms.x}\"},\n  \"removed\": {\"from\": \"sync.a.b\", \"keep\": true}\n}\n",
	"inner_loops": `{"locals": {"a": "${[for x in [1] : [for y in [1] : y]]}"}}`,
	"deep":        `{"locals": {"a": ` + strings.Repeat("[\n", 1000) + strings.Repeat("]", 1000) + `}}`,
	"number":      "{\"locals\": {\"a\": 0x1}}\n",
	"twice":       "{\n  \"kms\": {\"hanzo\": {\"project\": \"p\", \"project\": \"q\"}},\n  \"locals\": {\"a\": {\"x\": 1, \"x\": 2}}\n}\n",
	"numbers":     "{\n  \"locals\": {\"a\": 1e999999999, \"b\": -1E+400000000},\n  \"kms\": {\"hanzo\": {\"project\": 1e400}}\n}\n",
}

// syncJSON is a configuration with a sync that holds a text.
func syncJSON(inside string) string {
	return fmt.Sprintf(`{
  "kms": {"hanzo": {"project": "p"}},
  "connection": {"bitbucket": {"acme": {"workspace": "acme"}}},
  "sync": {"web": {
    %s,
    "destination": {"bitbucket": {"repository": "web"}}
  }}
}
`, inside)
}

// TestJSONMistakes renders what is wrong with files in JSON.
func TestJSONMistakes(t *testing.T) {
	t.Parallel()
	for name, text := range jsonMistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, diags := loadFile("main.sync.json", text)
			checkGolden(t, "json_"+name, config, diags, "\x00")
		})
	}
}

// TestJSONTexts: a text that is too long or too deep to be read as a template is
// refused at its line.
func TestJSONTexts(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"deep": "${" + strings.Repeat("(", 20_000), "long": strings.Repeat("a", 64<<10),
	} {
		_, diags := loadFile("main.sync.json", "{\"locals\": {\n\"a\": \""+text+"\"\n}}")
		if len(diags) != 1 || diags[0].Summary != "Expression too complex" || diags[0].Subject.Start.Line != 2 {
			t.Errorf("%s: %s", name, diags)
		}
	}
}
