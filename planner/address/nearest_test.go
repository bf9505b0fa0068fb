package address

import (
	"strings"
	"testing"
)

// What is near is a matter of a few letters, and long names cost nothing.
func TestNearest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 100_000)
	for _, test := range []struct {
		given string
		names []string
		want  string
	}{
		{"TOKEN", nil, ""},
		{"TOKEN", []string{"OTHER"}, ""},
		{"TOKEN", []string{"TOKEN2", "TOKENS"}, "TOKEN2"},
		{"AB", []string{"BA"}, ""},
		{"AB", []string{"AC"}, "AC"},
		{long, []string{long + "B"}, ""},
		{"A", []string{long}, ""},
	} {
		if got := Nearest(test.given, test.names); got != test.want {
			t.Errorf("%.20s: got %.20q, want %q", test.given, got, test.want)
		}
	}
}
