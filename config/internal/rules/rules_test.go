package rules

import (
	"strings"
	"testing"
)

const uuid = "9A1f0c3e-7b1d-4f6a-8e21-0123456789ab"

func TestRules(t *testing.T) {
	t.Parallel()
	rules := map[string]struct {
		check      func(string) *Problem
		good, evil []string
	}{
		"name": {
			Name,
			[]string{"a", "payments-dev", "1-2", strings.Repeat("a", 256)},
			[]string{"", "-a", "a-", "a--b", "a_b", "A", "ä", "a\n", strings.Repeat("a", 257)},
		},
		"environment": {
			Environment,
			[]string{"dev", "prod-eu", strings.Repeat("a", 64)},
			[]string{"", "Dev", "prod_eu", "{{x}}", strings.Repeat("a", 65)},
		},
		"project": {
			Project,
			[]string{uuid, "payments-platform", "payments_platform-2", strings.Repeat("a", 64)},
			[]string{"", "Payments", "a__b", "{" + uuid + "}", uuid[:35] + "g", strings.Repeat("a", 65)},
		},
		"description": {Description, []string{"", strings.Repeat("ä", 256)}, []string{strings.Repeat("ä", 257)}},
		"prefix":      {Prefix, []string{"KMS", "K", "A_1_"}, []string{"", "kms", "1A", "_A", "A-B", "A\n", "A=B"}},
		"repository":  {Repository, []string{"web", "web.js", "a_b-c", "..a", "a/b", "a.b/c_d"}, []string{"", ".", "..", "...", "a/b/c", "a/", "/a", "a/..", "../a", "/", "a b", "a%2fb", "ä", "a\n", "Web", "a/Web", "\u212aey"}},
		"deployment":  {Deployment, []string{"Staging", "{" + uuid + "}", "QA 1", "QA {1}", uuid}, []string{"", " ", "\n", "{", "{}", "{Staging}", "{" + uuid, "{" + uuid + "}}", "{" + uuid + "} "}},
		"path": {
			Path,
			[]string{"/", "/a", "/a/", "/a/b-C_1"},
			[]string{"", "a", "//", "/a//b", "/a//", "/..", "/a.b", "/a b", "/a\n", "/ä"},
		},
		"behavior":    {Behavior, []string{"overwrite-destination"}, []string{"", "overwrite", "import-prioritize-destination", "Overwrite-Destination"}},
		"glob":        {Glob, []string{"*", "A_?", "DB_URL"}, []string{"", "[A]", "A]", `A\*`}},
		"encoding":    {Encoding, []string{"base64"}, []string{"", "Base64", "base64url", "hex"}},
		"duration":    {Duration, []string{"1ns", "90m", "1h30m", "87600h"}, []string{"", "0s", "-1h", "30d", "10", "87601h"}},
		"max_count":   {MaxCount, []string{"0", "20", "1000000"}, []string{"", "-1", "1.5", "1000001", "99999999999999999999", "x"}},
		"max_percent": {MaxPercent, []string{"0", "30", "100"}, []string{"", "-1", "0.5", "101", "30%"}},
		"kms address": {
			KMSAddress,
			[]string{"https://kms.example.com", "https://kms.example.com:8443/", "https://kms.example.com/api/", "https://example.com/kms/api", "HTTP://LocalHost:1", "http://127.9.9.9", "http://[::1]:8080/api"},
			[]string{"", "kms", "//kms", "https:kms", "https:///api", "https://:443", "http://10.0.0.1", "http://localhost.example.com", "http://0.0.0.0", "https://u@h", "https://h?", "https://h/#x", "https://h//api", "https://h/./api", "https://h/a/..", " https://h", "ws://h"},
		},
		"bitbucket address": {BitbucketAddress, []string{"https://api.bitbucket.org", "https://proxy/bitbucket/"}, []string{"https://api.bitbucket.org/2.0", "https://api.bitbucket.org/2.0/", "http://api.bitbucket.org"}},
		"key schema": {
			KeySchema,
			[]string{"{{secretKey}}", "A_{{secretKey}}", "{{environment}}/{{secretKey}}-x", "{{secretKey}}" + strings.Repeat("x", 242)},
			[]string{"", "A", "{{secretKey}}{{secretKey}}", "{{secretkey}}", "{{secretKey}}{", "{{secret{{environment}}Key}}", "{{environ{{secretKey}}ment}}", "{{secretKey}}.", "{{secretKey}}" + strings.Repeat("x", 243)},
		},
	}
	for name, rule := range rules {
		for _, value := range rule.good {
			if p := rule.check(value); p != nil {
				t.Errorf("%s %q is refused: %s", name, value, p.Summary)
			}
		}
		for _, value := range rule.evil {
			p := rule.check(value)
			if p == nil {
				t.Errorf("%s %q is taken", name, value)
			} else if p.Summary == "" || !strings.HasSuffix(p.Detail, ".") {
				t.Errorf("%s %q: no summary, or no full sentence: %+v", name, value, p)
			}
		}
	}
}

func TestAddressIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://u:hunter2@kms.example.com", "https://kms.example.com?token=hunter2", "hunter2://x"} {
		if p := KMSAddress(address); p == nil || strings.Contains(p.Detail, "hunter2") {
			t.Errorf("%s: %+v", address, p)
		}
	}
}

func TestSlugify(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"payments-dev": "payments-dev", "Payments_Dev": "payments-dev", "__a__B__": "a-b", "größe": "gr-e", "日本": "", "": "",
	} {
		if got := Slugify(label); got != want {
			t.Errorf("%q becomes %q, want %q", label, got, want)
		}
	}
}

func TestSuggestedValuesAreRight(t *testing.T) {
	t.Parallel()
	for value, check := range map[string]func(string) *Problem{
		"Prod EU": Environment, "Payments/Dev": Name, "payments//dev/": Path, "Acme": RepositorySlug, "Web.JS": Repository,
	} {
		_, rest, found := strings.Cut(check(value).Detail, `Write "`)
		suggested, _, _ := strings.Cut(rest, `"`)
		if !found || check(suggested) != nil {
			t.Errorf("%q: suggested %q", value, suggested)
		}
	}
}

// One repository has one spelling: the remedy is in lower case.
func TestSlugsOfBitbucketAreLowerCase(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"Acme": `Write "acme".`, "Acme/web": `Write "acme".`, "acme/Web": `Write "web".`} {
		if p := Repository(value); p == nil || !strings.Contains(p.Detail, want) {
			t.Errorf("%q: %+v, want %s", value, p, want)
		}
	}
}
