package observe

import (
	"context"
	"fmt"
	"sync"

	"github.com/hanzoai/kmsync/planner/environment"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/identity"
	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// repositoryReader reads the destinations of one repository: its environments
// if any destination is one, the variables of each scope once, and the
// repository's UUID only where no live variable proves it. A workspace's own
// variables are read in the same way, as if they were a repository's.
type repositoryReader struct {
	*Observer
	reader providers.Reader
	state  *ledger.State
	reads  []*DestinationRead
	// first is the first of the destinations as it is written: the refs in reads
	// change while the environments are resolved.
	first graph.DestinationRef
}

func (r *repositoryReader) read(ctx context.Context) {
	var (
		work sync.WaitGroup
		uuid string
		err  error
	)
	known := identity.Known(r.state, r.first)
	if len(known) == 0 {
		work.Go(func() { uuid, err = r.identify(ctx, r.first) })
	}
	work.Go(func() { r.list(ctx) })
	work.Wait()
	if r.failed() {
		return
	}
	if proven := r.proven(known); proven != "" {
		uuid = proven
	} else if len(known) > 0 {
		uuid, err = r.identify(ctx, r.first)
	}
	if err == nil {
		err = identity.SameRepository(r.state, r.first, uuid)
	}
	same := map[string][]*DestinationRead{}
	for _, read := range r.reads {
		if read.Err != nil {
			continue
		}
		failed := err
		if failed == nil {
			failed = identity.SameEnvironment(r.state, read.Ref, uuid, read.EnvironmentUUID)
		}
		read.settle(uuid, failed, r.state)
		same[read.ID] = append(same[read.ID], read)
	}
	for _, reads := range same {
		work.Go(func() { r.await(ctx, reads) })
	}
	work.Wait()
}

// settle completes a read with the destination's identity, which the UUID of the
// repository or workspace gives.
func (read *DestinationRead) settle(uuid string, err error, state *ledger.State) {
	if read.Err = err; err != nil {
		return
	}
	if !read.Ref.OfWorkspace() {
		read.RepositoryUUID = uuid
	}
	read.ID = DestinationID(uuid, read.EnvironmentUUID)
	read.suspectEmpty(state)
}

// suspectEmpty doubts an empty listing of a destination that the ledger knows
// variables of: GET …/deployments_config/environments/{uuid}/variables has been
// seen empty while writes worked.
func (read *DestinationRead) suspectEmpty(state *ledger.State) {
	known := state.Destinations[read.ID]
	if known == nil || len(read.Listing.Variables) > 0 {
		return
	}
	recorded := 0
	for _, e := range known.Entries {
		if e.UUID != "" {
			recorded++
		}
	}
	if recorded == 0 {
		return
	}
	read.Listing.Doubts = append(read.Listing.Doubts, providers.Doubt{
		Kind: providers.DoubtEmpty,
		Detail: fmt.Sprintf("%s lists no variable at all, and the ledger knows %d there. "+
			"Missing keys are created again and nothing is deleted. If the variables were removed on purpose, there is nothing to do.",
			read.Ref, recorded),
	})
}

// DestinationID names a destination for good: the UUID of the repository, and the
// environment's if there is one, or the UUID of the workspace for its own
// variables.
func DestinationID(uuid, environmentUUID string) string {
	if environmentUUID == "" {
		return uuid
	}
	return uuid + "/" + environmentUUID
}

// list resolves the environments and lists the variables of every scope.
func (r *repositoryReader) list(ctx context.Context) {
	r.resolve(ctx)
	scopes := map[providers.Scope][]*DestinationRead{}
	for _, read := range r.reads {
		if read.Err == nil {
			scopes[read.Scope] = append(scopes[read.Scope], read)
		}
	}
	var work sync.WaitGroup
	for scope, reads := range scopes {
		work.Go(func() {
			var listing providers.VariableListing
			var err error
			stop := r.Limits.Do(ctx, repositoryKey(reads[0].Ref), func() {
				listing, err = r.reader.Variables(ctx, scope)
			})
			if stop != nil {
				err = stopped("list variables", reads[0].Ref.String())
			}
			for _, read := range reads {
				read.Listing, read.Err = listing, err
			}
		})
	}
	work.Wait()
}

// resolve sets the scope of every read, from one list of the environments.
func (r *repositoryReader) resolve(ctx context.Context) {
	var environments []providers.Environment
	var err error
	listed := false
	for _, read := range r.reads {
		ref := read.Ref
		read.Scope = providers.Scope{Workspace: ref.Workspace, Repository: ref.Repository}
		if ref.Environment == "" {
			continue
		}
		if !listed {
			listed = true
			stop := r.Limits.Do(ctx, repositoryKey(ref), func() {
				environments, err = r.reader.Environments(ctx, ref.Workspace, ref.Repository)
			})
			if stop != nil {
				err = stopped("list environments", repositoryKey(ref))
			}
		}
		if read.Err = err; err != nil {
			continue
		}
		found, err := environment.Named(ref, environments)
		if read.Err = err; err != nil {
			continue
		}
		read.EnvironmentUUID, read.EnvironmentSlug = found.UUID, found.Slug
		read.Scope.Environment = found.UUID
		read.Ref.Environment = found.Name
	}
}

// failed reports whether nothing was read of this repository.
func (r *repositoryReader) failed() bool {
	for _, read := range r.reads {
		if read.Err == nil {
			return false
		}
	}
	return true
}
