// Package applier executes a plan of the planner, exactly, and says so.
//
// [Apply] is where to start. For each destination it reads again what is older
// than 30 seconds, notes in the ledger what it is about to write, writes with
// bounded parallelism, and notes what came of it. What it did leaves as a stream
// of [Event] values and ends as a [Result]. It cannot delete.
package applier
