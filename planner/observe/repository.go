package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
)

// repositoryReader reads the destinations of one repository: its environments
// if any destination is one, the variables of each scope once, and the
// repository's UUID only where no live variable proves it.
type repositoryReader struct {
	*Observer
	reader providers.Reader
	state  *ledger.State
	reads  []*DestinationRead
	// first is the first of the destinations as it is written: the refs in reads
	// change while the environments are resolved.
	first DestinationRef
}

func (r *repositoryReader) read(ctx context.Context) {
	var (
		work  sync.WaitGroup
		found providers.Repository
		err   error
	)
	known := r.known()
	if len(known) == 0 {
		work.Go(func() { found, err = r.identity(ctx) })
	}
	work.Go(func() { r.list(ctx) })
	work.Wait()
	if r.failed() {
		return
	}
	if proven := r.proven(known); proven != "" {
		found.UUID = proven
	} else if len(known) > 0 {
		found, err = r.identity(ctx)
	}
	if err == nil {
		err = r.sameRepository(known, found.UUID)
	}
	same := map[string][]*DestinationRead{}
	for _, read := range r.reads {
		if read.Err != nil {
			continue
		}
		read.settle(found.UUID, err, r.state)
		same[read.ID] = append(same[read.ID], read)
	}
	for _, reads := range same {
		work.Go(func() { r.await(ctx, reads) })
	}
	work.Wait()
}

// settle completes a read with the destination's identity.
func (read *DestinationRead) settle(repositoryUUID string, err error, state *ledger.State) {
	if read.Err = err; err != nil {
		return
	}
	read.RepositoryUUID = repositoryUUID
	read.ID = DestinationID(repositoryUUID, read.EnvironmentUUID)
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

// DestinationID names a destination for good: the repository's UUID, and the
// environment's if there is one.
func DestinationID(repositoryUUID, environmentUUID string) string {
	if environmentUUID == "" {
		return repositoryUUID
	}
	return repositoryUUID + "/" + environmentUUID
}

func (r *repositoryReader) identity(ctx context.Context) (found providers.Repository, err error) {
	ref := r.first
	stop := r.Limits.Do(ctx, repositoryKey(ref), func() {
		found, err = r.reader.Repository(ctx, ref.Workspace, ref.Repository)
	})
	if stop != nil {
		return found, stopped("read repository", repositoryKey(ref))
	}
	return found, err
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
		environment, err := environmentNamed(ref, environments)
		if read.Err = err; err != nil {
			continue
		}
		read.EnvironmentUUID = environment.UUID
		read.Scope.Environment = environment.UUID
		read.Ref.Environment = environment.Name
	}
}

// environmentNamed finds the environment that is written as an exact name, or as
// a {uuid}: what looks like a UUID is never taken for a name, which somebody
// could choose to look like one.
func environmentNamed(ref DestinationRef, environments []providers.Environment) (providers.Environment, error) {
	var found []providers.Environment
	for _, e := range environments {
		if strings.HasPrefix(ref.Environment, "{") {
			if strings.EqualFold(e.UUID, ref.Environment) {
				return e, nil
			}
		} else if e.Name == ref.Environment {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return providers.Environment{}, noSuchEnvironment(ref, environments)
	case 1:
		return found[0], nil
	}
	return providers.Environment{}, &providers.Error{
		Op: "find deployment environment", Scope: ref.String(), Kind: providers.KindAmbiguous,
		Hint: fmt.Sprintf("two environments have this name; write the {uuid} of one: %s or %s", found[0].UUID, found[1].UUID),
	}
}

func noSuchEnvironment(ref DestinationRef, environments []providers.Environment) error {
	names := make([]string, len(environments))
	for i, e := range environments {
		names[i] = e.Name
	}
	hint := "the repository has no deployment environment; create it in Bitbucket first"
	if len(names) > 0 {
		hint = "the repository has " + strings.Join(names, ", ") + "; write one of these names, exactly"
	}
	return &providers.Error{
		Op: "find deployment environment", Scope: ref.String(), Kind: providers.KindNotFound, Hint: hint,
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

// known returns the ledger's destinations that had this repository's name.
func (r *repositoryReader) known() []*ledger.Destination {
	var known []*ledger.Destination
	ref := r.first
	for _, d := range r.state.Destinations {
		if strings.EqualFold(d.Workspace, ref.Workspace) && strings.EqualFold(d.Repository, ref.Repository) {
			known = append(known, d)
		}
	}
	return known
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
					return d.RepositoryUUID
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
		if d.RepositoryUUID == uuid {
			return nil
		}
	}
	if len(known) == 0 {
		return nil
	}
	// Several are named in a fixed order.
	first := slices.MinFunc(known, func(a, b *ledger.Destination) int { return strings.Compare(a.ID, b.ID) })
	return otherRepository(r.first, first.RepositoryUUID, uuid)
}

// otherRepository refuses a name that means another repository than it did.
func otherRepository(ref DestinationRef, known, now string) error {
	return &providers.Error{
		Op: "identify repository", Scope: repositoryKey(ref), Kind: providers.KindAmbiguous,
		Hint: fmt.Sprintf("it was %s and is %s now, so it was deleted, or renamed and its name given to another; "+
			"nothing is written there. Accepting the new one is not supported yet: to start anew, move the ledger away", known, now),
	}
}
