// Package applier executes a plan of the planner, exactly, and says so.
//
// [Apply] is where to start. For each destination it reads again what is older
// than 30 seconds, notes in the ledger what it is about to write, writes with
// bounded parallelism, and notes what came of it. Behind the writes of all
// destinations come the deletes, if every write succeeded and what they rest on is
// proven anew. What it did leaves as a stream of [Event] values and ends as a [Result].
package applier
