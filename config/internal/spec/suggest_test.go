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
