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
		`{"a": `:                                             "",
	} {
		if got, _ := nameTwice(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
