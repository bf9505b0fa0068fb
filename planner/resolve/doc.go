// Package resolve says what a folder of a KMS yields: its own secrets, what it
// imports, and each value with its references resolved. It works on the unexpanded
// lists of single folders, since servers put an empty string where a reference leads
// nowhere, expand imported values in another folder than the vendor's own sync does,
// and say neither.
//
// The package is pure. [Resolver.Yield] is where to start. Where a list is needed
// that is not there yet, the resolver notes it in Needs and the caller reads it and
// asks again.
package resolve
