package applier

// Result counts what an apply did, each destination key once.
type Result struct {
	Created, Updated   int
	Renamed            int // created under a new name
	Deleted            int // but for the old names of those renamed
	Adopted, Forgotten int
	Released           int // no longer kmsync's to delete
	Failed             int // tried and not done, or in doubt
	Taken              int // of the failed: the destination took it all the same
	Stopped            int // left, since something moved
	Skipped            int // left, since the run was ended
	Held               int // left, since the plan blocks them, or deletes that a failure stopped
	SyncErrors         int // syncs that could not be read
	// Interrupted says that the run was ended before everything was tried.
	Interrupted bool
}

// Wrote is how many keys the destinations took, those included that were not
// taken as they should.
func (r Result) Wrote() int { return r.Created + r.Renamed + r.Updated + r.Deleted + r.Taken }

// Left is how many keys the plan named that are not as wanted now.
func (r Result) Left() int { return r.Failed + r.Stopped + r.Skipped + r.Held }
