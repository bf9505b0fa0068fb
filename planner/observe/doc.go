// Package observe is the I/O of the planner: it reads from the KMS and from
// Bitbucket what a configuration asks for, each thing once, through read
// interfaces only.
//
// A [graph.Graph] says what to read, [Observer.Observe] reads it, and a [Refresher]
// reads a destination again, whatever the cause. What a read could not do is part
// of the [Observation], not an error of the run.
package observe
