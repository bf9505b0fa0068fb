package address

import (
	"strings"
	"testing"
)

// declared is a configuration with syncs of every kind.
func declared() []Sync {
	prod := func(path string) []Source { return []Source{{"prod", path}} }
	return []Sync{
		{"sync.web", prod("/web"), Destination{"acme", "web", ""}},
		{"sync.web-live", prod("/web"), Destination{"acme", "web", "Production"}},
		{"sync.web-east", prod("/web"), Destination{"acme", "web", "Production/East"}},
		{`sync.service["billing"]`, []Source{{"prod", "/shared"}, {"prod", "/services/billing"}}, Destination{"acme", "billing", ""}},
		{`sync.service["pay"]`, prod("/services/pay"), Destination{"acme", "pay", ""}},
		{`sync.service["pay/v2"]`, prod("/services/pay-v2"), Destination{"acme", "pay-v2", ""}},
		{"sync.all", []Source{{"dev", "/"}}, Destination{"acme", "", ""}},
	}
}

// Each form names these syncs, and of them this key.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sync.web":                     "sync.web",
		"sync.w":                       "",
		"sync.web*":                    "sync.web sync.web-live sync.web-east",
		"sync.*":                       `sync.web sync.web-live sync.web-east sync.service["billing"] sync.service["pay"] sync.service["pay/v2"] sync.all`,
		`sync.service["billing"]`:      `sync.service["billing"]`,
		`sync.service["pay*"]`:         `sync.service["pay"] sync.service["pay/v2"]`,
		"sync.service[*]":              `sync.service["billing"] sync.service["pay"] sync.service["pay/v2"]`,
		"sync.service":                 "",
		"sync.?eb":                     "",
		"sync.[w]eb":                   "",
		`sync.service["pay/v2"]/KEY`:   `sync.service["pay/v2"]`,
		"sync.*/K*":                    `sync.web sync.web-live sync.web-east sync.service["billing"] sync.service["pay"] sync.service["pay/v2"] sync.all`,
		"sync.web/OTHER":               "",
		"KEY":                          `sync.web sync.web-live sync.web-east sync.service["billing"] sync.service["pay"] sync.service["pay/v2"] sync.all`,
		"key":                          "",
		"acme/web":                     "sync.web",
		"ACME/Web":                     "sync.web",
		"acme/web/Production":          "sync.web-live",
		"acme/web/production":          "",
		"acme/web (Production)":        "sync.web-live",
		"acme/web/Production/East":     "sync.web-east",
		"acme/web (Production/East)":   "sync.web-east",
		"acme/web/*":                   "sync.web-live sync.web-east",
		"acme/*":                       `sync.web sync.service["billing"] sync.service["pay"] sync.service["pay/v2"]`,
		"acme":                         "sync.all",
		"acme (workspace)":             "sync.all",
		"prod:/web":                    "sync.web sync.web-live sync.web-east",
		"prod:/web/":                   "sync.web sync.web-live sync.web-east",
		"dev:/web":                     "",
		"dev:/":                        "sync.all",
		"prod:/services/*":             `sync.service["billing"] sync.service["pay"] sync.service["pay/v2"]`,
		"prod:/shared":                 `sync.service["billing"]`,
		"*:/services/billing":          `sync.service["billing"]`,
		"acme/web/a:/b":                "",
		"services.billing":             "",
		`sync.service["billing"]/KE*Y`: `sync.service["billing"]`,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		p = p.resolve(declared())
		var got []string
		for _, s := range declared() {
			if p.MatchesKey(s, "KEY") {
				got = append(got, s.Address)
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s names %q, want %q", text, got, want)
		}
	}
}

// Text that is no address is refused with what to write.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "is empty",
		" sync.x":               "blank",
		"sync.":                 "lacks the name of the sync",
		"sync.x/":               "has no key after the sync",
		"sync.x/A/B":            "has no key after the sync",
		`sync.service["billing`: "not closed",
		`sync.service["a\"]`:    "not closed",
		"sync.service[billing":  "not closed",
		":/web":                 "lacks the environment",
		"/web":                  "has an empty part",
		"acme/":                 "has an empty part",
		"acme/web/":             "has an empty part",
		"acme//Production":      "has an empty part",
	} {
		if p, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, error %v, want %q", text, p, err, want)
		}
	}
	if _, err := ParseSelection([]string{"sync.x"}, []string{""}); err == nil || !strings.HasPrefix(err.Error(), "--exclude: ") {
		t.Errorf("the flag is not named: %v", err)
	}
}

func parsed(t *testing.T, target, exclude string) Selection {
	t.Helper()
	s, err := ParseSelection(strings.Fields(target), strings.Fields(exclude))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is targeted is written, unless it is excluded.
func TestSelection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ target, exclude, reads, writes string }{
		{"", "", "web all", "web/A web/B all/A all/B"},
		{"sync.web", "", "web", "web/A web/B"},
		{"", "sync.web", "all", "all/A all/B"},
		{"A", "", "web all", "web/A all/A"},
		{"sync.web/A sync.all/B", "", "web all", "web/A all/B"},
		{"", "A", "web all", "web/B all/B"},
		{"", "sync.web/A", "web all", "web/B all/A all/B"},
		{"sync.web A", "sync.all", "web", "web/A web/B"},
		{"sync.web", "B", "web", "web/A"},
		{"acme prod:/web", "sync.*/A", "web all", "web/B all/B"},
	} {
		syncs := []Sync{declared()[0], declared()[6]}
		s, err := parsed(t, test.target, test.exclude).Resolve(syncs, nil)
		if err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		var reads, writes []string
		for _, sync := range syncs {
			name := strings.TrimPrefix(sync.Address, "sync.")
			if s.Targets(sync) {
				reads = append(reads, name)
			}
			for _, key := range []string{"A", "B"} {
				if s.Writes(sync, key) {
					writes = append(writes, name+"/"+key)
				}
			}
		}
		if got := strings.Join(reads, " "); got != test.reads {
			t.Errorf("%+v reads %q", test, got)
		}
		if got := strings.Join(writes, " "); got != test.writes {
			t.Errorf("%+v writes %q", test, got)
		}
	}
}

// An address that names nothing is an error that names what was probably meant.
func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	moved := map[string]string{"sync.shop": "sync.web"}
	for _, test := range []struct{ target, exclude, want string }{
		{"sync.wep", "", "--target sync.wep names no sync of this configuration. Did you mean sync.web?"},
		{"", "sync.wep", "--exclude sync.wep names no sync of this configuration. Did you mean sync.web?"},
		{"sync.wep/KEY", "", "Did you mean sync.web?"},
		{"sync.service[billing]", "", `Did you mean 'sync.service["billing"]'?`},
		{"sync.shop", "", "names no sync any more: it is sync.web now"},
		{"sync.entirely-different", "", "names no sync of this configuration. kmsync graph lists all"},
		{"web-live", "", "is neither the name of a variable nor another address. Did you mean sync.web-live?"},
		{"acme/wep", "", "names no destination of this configuration. Did you mean acme/web?"},
		{"acme/web/production", "", "Did you mean acme/web/Production?"},
		{"prod:/wep", "", "names no source of this configuration. Did you mean prod:/web?"},
		{"sync.web", "acme/web", "--target sync.web names only what --exclude takes out"},
		{"sync.web sync.all", "sync.w*", "--target sync.web names only what --exclude takes out"},
	} {
		if _, err := parsed(t, test.target, test.exclude).Resolve(declared(), moved); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
	if _, err := parsed(t, "KEY", "").Resolve(nil, nil); err == nil {
		t.Error("a key of no sync is taken")
	}
}

// A pattern of keys must name one that there is, under a sync that it names.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	keys := Keys{"sync.web": {{"KMS_DB_URL", "DB_URL"}, {"KMS_PORT", "PORT"}}, "sync.all": {{"OTHER", ""}}}
	for _, test := range []struct{ target, exclude, want string }{
		{"sync.web", "", ""},
		{"KMS_PORT", "", ""},
		{"KMS_*", "sync.all/OTHER", ""},
		{"KMS_PROT", "", "--target KMS_PROT names no key of the syncs that were read. Did you mean KMS_PORT?"},
		{"", "KMS_PROT", "--exclude KMS_PROT names no key"},
		{"DB_URL", "", "Did you mean KMS_DB_URL? Keys are named as Bitbucket has them"},
		{"sync.all/KMS_PORT", "", "--target sync.all/KMS_PORT names no key"},
		{"KMS_PORT ALL", "", "Did you mean sync.all?"},
	} {
		err := parsed(t, test.target, test.exclude).Unmatched(declared(), keys)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// The flags of a selection give the same selection again, in a shell.
func TestFlags(t *testing.T) {
	t.Parallel()
	s := Selection{Target: []Pattern{{text: `sync.service["billing"]`}, {text: "STRIPE_*"}}, Exclude: []Pattern{{text: "acme/it's"}, {text: "prod:/web"}}}
	if got, want := s.Flags(), ` --target 'sync.service["billing"]' --target 'STRIPE_*' --exclude 'acme/it'\''s' --exclude prod:/web`; got != want {
		t.Errorf("flags %s, want %s", got, want)
	}
	if got := (Selection{}).Flags(); got != "" {
		t.Errorf("flags of nothing: %q", got)
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "abc", true},
		{"a*", "a", true},
		{"a*c", "abbc", true},
		{"a*c", "abcd", false},
		{"*b*", "abc", true},
		{"**", "x", true},
		{"a*b*c", "aXbYbZc", true},
		{"ab", "abc", false},
		{"[a]", "a", false},
		{"a?", "ab", false},
		{"*.x", ".x.x", true},
	} {
		if got := glob(test.pattern, test.text); got != test.want {
			t.Errorf("glob(%q, %q) = %v", test.pattern, test.text, got)
		}
	}
	// Many stars are no way to make it work for ever.
	if glob(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 20_000)) {
		t.Error("there is no b")
	}
}

// Whatever text is given, parsing and comparing end without a panic, and what was
// parsed is still what was given.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"sync.x", `sync.a["b"]/K*`, "acme/web (P)", "prod:/x", "KEY", `sync.[`, `sync.a["\`, "a/b/c/d", ":/", "*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.String() != text {
			t.Errorf("%q became %q", text, p)
		}
		s := Selection{Target: []Pattern{p}}
		if resolved, err := s.Resolve(declared(), nil); err == nil {
			for _, sync := range declared() {
				if resolved.Writes(sync, "KEY") && !resolved.Targets(sync) {
					t.Errorf("%q writes a key of %s and does not target it", text, sync.Address)
				}
			}
		}
	})
}
