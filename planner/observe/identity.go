package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// identify reads the UUID that a name stands for: that of the repository, or of
// the workspace where the destination is the workspace's own variables.
func (o *Observer) identify(ctx context.Context, ref graph.DestinationRef) (uuid string, err error) {
	reader := o.Readers[ref.Connection]
	stop := o.Limits.Do(ctx, repositoryKey(ref), func() {
		if ref.OfWorkspace() {
			var found providers.Workspace
			found, err = reader.Workspace(ctx, ref.Workspace)
			uuid = found.UUID
			return
		}
		var found providers.Repository
		found, err = reader.Repository(ctx, ref.Workspace, ref.Repository)
		uuid = found.UUID
	})
	if stop != nil {
		return "", stopped("read "+ref.RootKind(), ref.Root().String())
	}
	return uuid, err
}

// MayBe reports whether a destination may be the one that was read, by the names it
// is written with: an environment's name, its slug or its UUID.
func (read *DestinationRead) MayBe(ref graph.DestinationRef) bool {
	if ref.MayBe(read.Ref, read.EnvironmentUUID) {
		return true
	}
	slug := read.Ref
	slug.Environment = read.EnvironmentSlug
	return slug.Environment != "" && ref.MayBe(slug, read.EnvironmentUUID)
}

// rootOf returns the UUID of the repository, or of the workspace, out of the id of
// a destination.
func rootOf(id string) string {
	uuid, _, _ := strings.Cut(id, "/")
	return uuid
}

// proven returns the repository's UUID if a variable that the ledger recorded
// there is live, which proves that the name still means the same repository.
func (r *repositoryReader) proven(known []*ledger.Destination) string {
	for _, d := range known {
		recorded := map[string]bool{}
		for _, e := range d.Entries {
			recorded[e.UUID] = e.UUID != ""
		}
		for _, read := range r.reads {
			if read.Err != nil || read.EnvironmentUUID != d.EnvironmentUUID {
				continue
			}
			for _, v := range read.Listing.Variables {
				if recorded[v.UUID] {
					return rootOf(d.ID)
				}
			}
		}
	}
	return ""
}

// sameRepository refuses a repository that has the name of one in the ledger and
// another UUID: it was deleted and made again, perhaps by somebody else.
func (r *repositoryReader) sameRepository(known []*ledger.Destination, uuid string) error {
	for _, d := range known {
		if rootOf(d.ID) == uuid {
			return nil
		}
	}
	if len(known) == 0 {
		return nil
	}
	// Several are named in a fixed order.
	first := slices.MinFunc(known, func(a, b *ledger.Destination) int { return strings.Compare(a.ID, b.ID) })
	return otherRepository(r.first, rootOf(first.ID), uuid)
}

// otherRepository refuses a name that means another repository than it did.
func otherRepository(ref graph.DestinationRef, known, now string) error {
	return &providers.Error{
		Op: "identify " + ref.RootKind(), Scope: ref.Root().String(), Kind: providers.KindAmbiguous,
		Hint: fmt.Sprintf("it was %s and is %s now, so it was deleted, or renamed and its name given to another; "+
			"nothing is written there. Accepting the new one is not supported yet: to start anew, move the ledger away", known, now),
	}
}
