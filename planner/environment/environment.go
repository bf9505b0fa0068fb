// Package environment finds the deployment environment that a configuration means. It
// is pure.
package environment

import (
	"fmt"
	"strings"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/providers"
)

// Named finds the environment that is written as its exact name, else
// as its slug, else as either in another case. What is written like a {uuid} is
// never taken for a name, which somebody could choose to look like one. Two that
// match in the same way are an error.
func Named(ref graph.DestinationRef, environments []providers.Environment) (providers.Environment, error) {
	for _, matches := range waysToName(ref.Environment) {
		var found []providers.Environment
		for _, e := range environments {
			if matches(e) {
				found = append(found, e)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return providers.Environment{}, ambiguousEnvironment(ref, found)
		}
	}
	return providers.Environment{}, noSuchEnvironment(ref, environments)
}

// waysToName returns what an environment is found by, the closest first.
func waysToName(written string) []func(providers.Environment) bool {
	if strings.HasPrefix(written, "{") {
		return []func(providers.Environment) bool{
			func(e providers.Environment) bool { return strings.EqualFold(e.UUID, written) },
		}
	}
	return []func(providers.Environment) bool{
		func(e providers.Environment) bool { return e.Name == written },
		func(e providers.Environment) bool { return e.Slug == written },
		func(e providers.Environment) bool {
			return strings.EqualFold(e.Name, written) || strings.EqualFold(e.Slug, written)
		},
	}
}

// ambiguousEnvironment names every environment that fits.
func ambiguousEnvironment(ref graph.DestinationRef, found []providers.Environment) error {
	var uuids, named []string
	same := true
	for _, e := range found {
		uuids = append(uuids, e.UUID)
		named = append(named, e.Name+" "+e.UUID)
		same = same && e.Name == found[0].Name
	}
	hint := number(len(found)) + " environments have this name; write the {uuid} of one: " + strings.Join(uuids, " or ")
	if !same {
		hint = number(len(found)) + " environments fit this name, and none exactly; write the exact name or the {uuid} of one: " +
			strings.Join(named, " or ")
	}
	return &providers.Error{
		Op: "find deployment environment", Scope: ref.String(), Kind: providers.KindAmbiguous, Hint: hint,
	}
}

func number(n int) string {
	if n == 2 {
		return "two"
	}
	return fmt.Sprint(n)
}

// maxNames is how many environments an error lists.
const maxNames = 12

func noSuchEnvironment(ref graph.DestinationRef, environments []providers.Environment) error {
	names := make([]string, len(environments))
	for i, e := range environments {
		names[i] = e.Name
	}
	did := ""
	if near := address.Nearest(ref.Environment, names); near != "" {
		did = fmt.Sprintf("did you mean %q? ", near)
	}
	hint := "the repository has no deployment environment; create it in Bitbucket first"
	if len(names) > 0 {
		more := ""
		if n := len(names) - maxNames; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		hint = did + "the repository has " + strings.Join(names[:min(maxNames, len(names))], ", ") + more + "; write one of these names"
	}
	return &providers.Error{
		Op: "find deployment environment", Scope: ref.String(), Kind: providers.KindNotFound, Hint: hint,
	}
}
