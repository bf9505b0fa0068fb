package config

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

const optionsConfig = `kmsync {
  deletes {
    max_percent = "50"
  }
}
kms "k" { project = "p" }
connection "bitbucket" "b" { workspace = "acme" }
sync "a" {
  source {
    environment = "dev"
  }
  destination "bitbucket" {
    repository = "web"
  }
  options {
    unsecured = [
      "A_*",
      "B?",
    ]
    encoding = {
      "X_*" = "base64"
      "C"   = "base64"
    }
    max_age = "1h30m"
  }
}
`

func loadOptions(t *testing.T) *Config {
	t.Helper()
	config, diags := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(optionsConfig)}}, ".", LoadOptions{NeedInputs: true})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return config
}

// TestMatchedOptions: which glob makes a key readable, and which has its value
// encoded, with the place of the entry.
func TestMatchedOptions(t *testing.T) {
	t.Parallel()
	options := loadOptions(t).Syncs[0].Options
	place := func(l Located[string], ok bool) string {
		if !ok {
			return ""
		}
		return l.Value + " " + spec.Place(l.Range)
	}
	for key, want := range map[string][2]string{
		"A_X": {"A_* main.sync.hcl:17", ""}, "B1": {"B? main.sync.hcl:18", ""}, "B": {}, "AX": {}, "XA_Y": {},
		"X_1": {"", "base64 main.sync.hcl:21"}, "C": {"", "base64 main.sync.hcl:22"}, "CX": {}, "X": {},
	} {
		if got := place(options.IsUnsecured(key)); got != want[0] {
			t.Errorf("%s is unsecured by %q, want %q", key, got, want[0])
		}
		if got := place(options.EncodingOf(key)); got != want[1] {
			t.Errorf("%s is encoded by %q, want %q", key, got, want[1])
		}
	}
	if age := options.MaxAge; age.Value != 90*time.Minute || spec.Place(age.Range) != "main.sync.hcl:24" {
		t.Errorf("max_age %v at %v", age.Value, age.Range)
	}
}

// TestDeletes: each argument of the guard has its default where it was not written.
func TestDeletes(t *testing.T) {
	t.Parallel()
	got := loadOptions(t).Deletes
	if got.MaxCount.Value != 20 || got.MaxCount.IsSet() {
		t.Errorf("max_count %+v", got.MaxCount)
	}
	if got.MaxPercent.Value != 50 || spec.Place(got.MaxPercent.Range) != "main.sync.hcl:3" {
		t.Errorf("max_percent %+v", got.MaxPercent)
	}
	without, _ := load(fstest.MapFS{"main.sync.hcl": {Data: []byte(minimal)}}, ".", LoadOptions{})
	if d := without.Deletes; d.MaxCount.Value != 20 || d.MaxPercent.Value != 30 || d.MaxCount.IsSet() || d.MaxPercent.IsSet() {
		t.Errorf("without the block %+v", d)
	}
}
