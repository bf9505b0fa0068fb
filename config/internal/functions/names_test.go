package functions

import "testing"

func TestNameTwice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 2}]}`: "",
		`{"a": "a", "b": "a"}`:                               "",
		`["a", "a"]`:                                         "",
		`"a"`:                                                "",
		`{"a": 1, "b": 2, "a": 3}`:                           "a",
		`{"x": {"b": {}, "b": []}}`:                          "b",
		`[{"c": [1, 2], "c": 1}]`:                            "c",
		`{"d": "d", "d": "e"}`:                               "d",
		`{"é": 1, "\u00e9": 2}`:                              "é",
		`{"caf\u00e9": 1, "cafe\u0301": 2}`:                  "café",
		`{"a": `:                                             "",
	} {
		if got, _ := jsonNameTwice(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestYAMLNameTwice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: 1\nb: {a: 2}\nc:\n  - a: 1\n  - a: 2\n": "",
		"- a\n- a\n":                              "",
		"x: &k\n  b: 1\ny: *k\nz: *k\n":           "",
		"a: 1\nb: 2\na: 3\n":                      "a",
		"x: {b: {}, b: []}\n":                     "b",
		"- {c: 1, \"c\": 2}\n":                    "c",
		"services:\n  pay: 1\n  pay: 2\n":         "pay",
		"1.1: a\n1.10: b\n":                       "1.1",
		"16: a\n0x10: b\n":                        "16",
		"yes: a\ntrue: b\n":                       "true",
		"1.0: a\n1: b\n":                          "1",
		"\"1\": a\n1: b\n":                        "1",
		"\"caf\\u00e9\": a\n\"cafe\\u0301\": b\n": "café",
		"1: a\n\"01\": b\n":                       "",
		"~: a\nx: b\n":                            "",
		"a: [\n":                                  "",
	} {
		if got, _ := yamlNameTwice(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
