package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/keyspace"
)

const services = minimal + "connection \"bitbucket\" \"acme\" {\n  workspace = \"acme\"\n}\n"

// syncTo writes a sync from an environment to acme/web.
func syncTo(label, environment, source, options string) string {
	return fmt.Sprintf("sync %q {\n  source {\n    environment = %q\n    %s\n  }\n  destination \"bitbucket\" {\n    repository = \"web\"\n  }\n  options {\n    %s\n  }\n}\n",
		label, environment, source, strings.ReplaceAll(options, "; ", "\n    "))
}

// inDestination writes two syncs that overlap, with these arguments as destination.
func inDestination(arguments string) string {
	text := strings.ReplaceAll(syncTo("one", "dev", "", overwrite)+syncTo("two", "dev", "", ""), `repository = "web"`, arguments)
	return strings.ReplaceAll(text, "; ", "\n    ")
}

const overwrite = `initial_sync_behavior = "overwrite-destination"`

func loadText(text string, opt LoadOptions) (*Config, hcl.Diagnostics) {
	return load(fstest.MapFS{"main.sync.hcl": {Data: []byte(services + text)}}, ".", opt)
}

func overlaps(diags hcl.Diagnostics) []string {
	var details []string
	for _, diag := range diags {
		if diag.Summary == summaryOverlap {
			details = append(details, diag.Detail)
		}
	}
	return details
}

// TestOverlapsOfUnusableValues: where it is not known which keys a sync makes, or
// where, nothing is said of it; with the value it is.
func TestOverlapsOfUnusableValues(t *testing.T) {
	t.Parallel()
	claims := syncTo("claims", "dev", "", overwrite)
	variables := "variable \"v\" {\n  type = string\n}\nvariable \"l\" {\n  type = list(string)\n}\n"
	schema := []Input{{Name: "v", Text: "KMS_{{secretKey}}"}}
	list := []Input{{Name: "l", Text: "[\"A\"]"}}
	name := []Input{{Name: "v", Text: "B"}}
	for about, c := range map[string]struct {
		text string
		with []Input // that make it known; nil where the text is wrong
	}{
		"key_schema":         {syncTo("makes", "dev", "", "key_schema = var.v"), schema},
		"include":            {syncTo("makes", "dev", "include = var.l", ""), list},
		"exclude in a list":  {syncTo("makes", "dev", "exclude = [\"B\", var.v]", ""), name},
		"exclude":            {syncTo("makes", "dev", "exclude = var.l", ""), list},
		"rename":             {syncTo("makes", "dev", "rename = { A = var.v }", ""), name},
		"misspelt schema":    {syncTo("makes", "dev", "", "key_shema = \"{{secretKey}}\""), nil},
		"wrong schema":       {syncTo("makes", "dev", "", "key_schema = \"KMS_\""), nil},
		"wrong glob":         {syncTo("makes", "dev", "exclude = [\"[A]\"]", ""), nil},
		"misspelt options":   {strings.Replace(syncTo("makes", "dev", "", ""), "options", "option", 1), nil},
		"wrong environment":  {syncTo("makes", "DEV", "", ""), nil},
		"missing repository": {inDestination(`workspace = "acme"`), nil},
		"missing workspace":  {inDestination(`repository = "web"; connection = connection.bitbucket.unknown`), nil},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			if _, diags := loadText(variables+claims+c.text, LoadOptions{}); len(overlaps(diags)) > 0 {
				t.Errorf("without the value: %s", overlaps(diags))
			}
			if c.with == nil {
				return
			}
			if _, diags := loadText(variables+claims+c.text, LoadOptions{Inputs: c.with}); len(overlaps(diags)) != 1 {
				t.Errorf("with the value: %s", diags)
			}
		})
	}
}

// TestOverlapsAreCounted: each sync is named once, with the first before it and
// how many more there are, whichever of them claims.
func TestOverlapsAreCounted(t *testing.T) {
	t.Parallel()
	_, diags := loadText(syncTo("z", "dev", "", "")+syncTo("y", "dev", "", "key_schema = \"Y_{{secretKey}}\"; "+overwrite)+
		syncTo("x", "dev", "", "")+syncTo("w", "dev", "", overwrite), LoadOptions{})
	got := overlaps(diags)
	want := []string{
		"By overwrite-destination, sync.y (main.sync.hcl:28) claims its whole range of keys in acme/web. sync.z (main.sync.hcl:7) can make keys in that range, such as Y_NAME. Give",
		"By overwrite-destination, sync.y (main.sync.hcl:28) claims its whole range of keys in acme/web. sync.x (main.sync.hcl:32) can make keys in that range, such as Y_NAME. Give",
		"By overwrite-destination, sync.w (main.sync.hcl:44) claims its whole range of keys in acme/web. sync.z (main.sync.hcl:7) can make keys in that range, such as NAME. sync.w overlaps with 2 more. Give",
	}
	if len(got) != len(want) {
		t.Fatalf("%d overlaps: %s", len(got), diags)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

// TestKeysOfSources: what a source can produce is what its secrets are named, with
// the schema, whatever secrets there are.
func TestKeysOfSources(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	names := []string{""}
	for i := 0; len(names) < 300; i++ {
		for _, c := range "AB*" {
			names = append(names, names[i]+string(c))
		}
	}
	names = names[1:]
	legal := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.Contains(name, "*") })
	some := func(from []string, most int) (list []Located[string]) {
		for range r.IntN(most + 1) {
			list = append(list, written(from[r.IntN(len(from))]))
		}
		return list
	}
	schema := KeySchema{"{{environment}}_{{secretKey}}"}
	for range 2000 {
		s := &Source{Environment: written("dev"), Include: some(names[:60], 3), Exclude: some(names[:60], 2), Rename: map[string]Located[string]{}}
		for _, name := range some(names[:40], 2) {
			s.Rename[name.Value] = written(legal[r.IntN(20)])
		}
		produced := map[string]bool{}
		for _, name := range names {
			if s.Wants(name) {
				produced[schema.Render("dev", s.NameOf(name))] = true
			}
		}
		space := s.keys(schema.affixes("dev"))
		for _, name := range legal {
			if key := schema.Render("dev", name); space.Contains(key) != produced[key] {
				t.Fatalf("%s: %t, want %t, of %+v", key, !produced[key], produced[key], s)
			}
		}
	}
}

// TestOverlap: two syncs are compared in either order, whatever their destination.
func TestOverlap(t *testing.T) {
	t.Parallel()
	config, diags := loadText(syncTo("a", "dev", "", "key_schema = \"KMS_{{secretKey}}\"; "+overwrite)+
		strings.ReplaceAll(syncTo("b", "dev", "include = [\"A\", \"KMS_A\"]", "")+syncTo("c", "dev", "include = [\"A\"]", "")+syncTo("d", "dev", "", ""), `"web"`, `"api"`), LoadOptions{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	a, b, c, d := config.Syncs[0], config.Syncs[1], config.Syncs[2], config.Syncs[3]
	for _, test := range []struct {
		one, other *Sync
		want       string
	}{{a, b, "KMS_A"}, {b, a, "KMS_A"}, {a, c, ""}, {c, a, ""}, {a, d, "KMS_NAME"}, {b, d, ""}} {
		if got, ok := Overlap(test.one, test.other); got != test.want || ok != (test.want != "") {
			t.Errorf("%s and %s: %q, %t; want %q", test.one.Address, test.other.Address, got, ok, test.want)
		}
	}
}

// BenchmarkOverlaps checks 1,000 syncs that have one destination.
func BenchmarkOverlaps(b *testing.B) {
	schema := "key_schema = \"S%d_{{secretKey}}\"; "
	for name, sync := range map[string]func(i int) string{
		"alike":   func(i int) string { return syncTo(fmt.Sprint("s", i), "dev", "", overwrite) },
		"schemas": func(i int) string { return syncTo(fmt.Sprint("s", i), "dev", "", fmt.Sprintf(schema, i)+overwrite) },
		"globs": func(i int) string {
			if i%2 == 0 {
				return syncTo(fmt.Sprint("s", i), "dev", "", fmt.Sprintf(schema, i)+overwrite)
			}
			return syncTo(fmt.Sprint("s", i), "dev", fmt.Sprintf("include = [\"S%d_*\"]\n exclude = [\"*_OLD\"]", i), "")
		},
		"names": func(i int) string {
			if i%2 == 0 {
				return syncTo(fmt.Sprint("s", i), "dev", "", fmt.Sprintf(schema, i)+overwrite)
			}
			return syncTo(fmt.Sprint("s", i), "dev", fmt.Sprintf("include = [\"A%[1]d\", \"B%[1]d\", \"C%[1]d\", \"D%[1]d\", \"S%[1]d\"]", i), "")
		},
		"excluded": func(i int) string {
			if i%2 == 0 {
				return syncTo(fmt.Sprint("s", i), "dev", "", fmt.Sprintf(schema, i)+overwrite)
			}
			return syncTo(fmt.Sprint("s", i), "dev", fmt.Sprintf("exclude = [\"S*\", \"T%d\"]", i), "")
		},
	} {
		b.Run(name, func(b *testing.B) {
			var text strings.Builder
			for i := range 1000 {
				text.WriteString(sync(i))
			}
			config, diags := loadText(text.String(), LoadOptions{})
			b.Logf("%d overlaps", len(overlaps(diags)))
			for b.Loop() {
				new(keyspace.Prover).Meetings(claimsOf(config.Syncs))
			}
		})
	}
}
