package near

import (
	"fmt"
	"testing"
)

func TestInstead(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 22 {
		many = append(many, fmt.Sprintf("e%02d", i))
	}
	for _, c := range []struct {
		given string
		names []string
		want  string
	}{
		{"devv", []string{"prod", "dev"}, `The project has no environment devv; did you mean "dev"? It has dev, prod.`},
		{"qualification", []string{"prod", "dev"}, `The project has no environment qualification; it has dev, prod.`},
		{"dev", []string{"prod", "dev"}, ""},
		{"dev", nil, ""},
		{"dev", []string{"<b>", "", "a\nb"}, ""},
		{"other-thing", many, "The project has no environment other-thing; it has e00, e01, e02, e03, e04, e05, e06, e07, e08, e09, " +
			"e10, e11, e12, e13, e14, e15, e16, e17, e18, e19 and 2 more."},
	} {
		if got := Instead("The project", "environment", c.given, c.names); got != c.want {
			t.Errorf("%q of %q:\n%s\nwant\n%s", c.given, c.names, got, c.want)
		}
	}
}
