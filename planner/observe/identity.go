package observe

import (
	"context"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/identity"
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
					return identity.RootOf(d.ID)
				}
			}
		}
	}
	return ""
}
