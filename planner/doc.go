// Package planner decides what a run would do, and does nothing of it.
//
// The package is pure. What was read comes in as an [observe.Observation], what
// kmsync remembers as a [ledger.State]. [Diff] compares them with what the
// configuration wants, key by key through one function, [verdict.Of], and returns a
// [plan.Plan]: typed data without values. The applier executes that plan and nothing
// else, and asks [DiffDestination] again where its evidence has grown old.
package planner
