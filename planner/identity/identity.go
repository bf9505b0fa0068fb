// Package identity tells whether a name still means the repository, the workspace or
// the deployment environment that the ledger knows by it. It is pure: a UUID is what
// stays when a name changes, and a name whose UUID is another is refused with both.
package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/address"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// RootOf returns the UUID of the repository, or of the workspace, out of the id of
// a destination.
func RootOf(id string) string {
	uuid, _, _ := strings.Cut(id, "/")
	return uuid
}

// Known returns what the ledger knows by the name of a repository, or of a workspace:
// itself and its environments, by id.
func Known(state *ledger.State, ref graph.DestinationRef) []*ledger.Destination {
	var known []*ledger.Destination
	for _, d := range state.Destinations {
		if strings.EqualFold(d.Workspace, ref.Workspace) && strings.EqualFold(d.Repository, ref.Repository) {
			known = append(known, d)
		}
	}
	slices.SortFunc(known, func(a, b *ledger.Destination) int { return strings.Compare(a.ID, b.ID) })
	return known
}

// SameRepository refuses a repository that has the name of one in the ledger and
// another UUID: it was deleted and made again, perhaps by somebody else.
func SameRepository(state *ledger.State, ref graph.DestinationRef, uuid string) error {
	known := Known(state, ref)
	for _, d := range known {
		if RootOf(d.ID) == uuid {
			return nil
		}
	}
	if len(known) == 0 {
		return nil
	}
	return OtherRepository(state, ref, RootOf(known[0].ID), uuid)
}

// OtherRepository refuses a name that means another repository than it did. To accept
// it, everything has to be forgotten that the ledger knows by the name.
func OtherRepository(state *ledger.State, ref graph.DestinationRef, before, now string) error {
	var own, environments string
	for _, d := range Known(state, ref) {
		name := address.Destination{Workspace: d.Workspace, Repository: d.Repository}.String()
		if d.EnvironmentUUID == "" {
			own = " " + address.Quote(name)
		} else {
			environments = " " + address.Quote(name+"/*")
		}
	}
	return other("identify "+ref.RootKind(), ref.Root().String(), before, now, own+environments)
}

// SameEnvironment refuses a deployment environment that has the name of one in the
// ledger, in the same repository, and another UUID: it was made again, or two of them
// changed their names. A UUID that the ledger does not know is refused too where the
// name is that of one in another case, or its slug: what was written may have meant
// that one.
func SameEnvironment(state *ledger.State, ref graph.DestinationRef, repository, environment string) error {
	var named, like *ledger.Destination
	known := false
	first := func(d, other *ledger.Destination) *ledger.Destination {
		if other == nil || d.ID < other.ID {
			return d
		}
		return other
	}
	for _, d := range state.Destinations {
		switch {
		case environment == "" || d.RepositoryUUID != repository || d.EnvironmentUUID == "":
		case d.EnvironmentUUID == environment:
			known = true
		case d.Environment == ref.Environment:
			named = first(d, named)
		case address.PlainName(d.Environment) == address.PlainName(ref.Environment):
			like = first(d, like)
		}
	}
	if named == nil && !known {
		named = like
	}
	if named == nil {
		return nil
	}
	name := address.Destination{Workspace: named.Workspace, Repository: named.Repository, Environment: named.Environment}.String()
	return other("identify deployment environment", ref.String(), named.EnvironmentUUID, environment, " "+address.Quote(name))
}

// other is the error of a name that means something else now. addresses name what the
// ledger has to forget, each after a blank; "" where it knows nothing by the name.
func other(op, scope, before, now, addresses string) error {
	remedy := "To go on with the new one, run kmsync again"
	if addresses != "" {
		remedy = "To go on with the new one, forget the old one: kmsync ledger rm" + addresses
	}
	return &providers.Error{
		Op: op, Scope: scope, Kind: providers.KindAmbiguous,
		Hint: fmt.Sprintf("it was %s and is %s now, so it was deleted, or renamed and its name given to another; nothing is written there. %s",
			before, now, remedy),
	}
}
