package spec

import (
	"strings"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("web", 50)
	names := []string{"payments", "billing", "web", long[:maxSuggestion], long, strings.Repeat("x", maxSuggestion+1)}
	for given, want := range map[string]string{
		"paymants": " Did you mean x.payments?", "bilingg": " Did you mean x.billing?", "wbe": " Did you mean x.web?",
		"unlike": "", "": "", long: "", strings.Repeat("x", maxSuggestion): "", long[:maxSuggestion-1]: " Did you mean x." + long[:maxSuggestion] + "?",
	} {
		if got := DidYouMean(given, names, "x.%s"); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ä", "a", 1}, {"abc", "abc", 0}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
