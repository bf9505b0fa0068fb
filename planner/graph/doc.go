// Package graph says what a configuration asks for: which folders feed which
// destinations through which syncs, and which sync owns what the ledger remembers.
// It is made without any request.
//
// [New] is where to start; [Graph.Select] narrows a graph to what --target and
// --exclude choose, [Graph.Leavings] adds what removed blocks speak of.
package graph
