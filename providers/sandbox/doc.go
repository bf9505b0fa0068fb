// Package sandbox runs a KMS and a Bitbucket on loopback, over real HTTP, for
// trying kmsync out and for its tests. One listener serves both: the KMS under
// /api, Bitbucket under /2.0.
//
// What they hold is a world.World, in memory or in a file that a person edits
// to play either service. The file is read again before a request when it has
// changed; changes made by requests are written to it within 50 ms and at
// Close. If both happen at once, the person wins, and the log says so. A file
// that does not parse is answered with 503 until it is corrected, and is never
// overwritten. A secret whose value is edited without its version gets the next
// version while the emulator runs; between two runs nothing remembers the
// former value, and the version in the file counts as it stands.
//
// Faults and latency come from the world or from Server.Inject. Routes
// that neither service has let another process look inside, and stand in for an
// OIDC provider; they are neither counted nor delayed:
//
//	GET /sandbox/requests  {"total":3,"requests":{"GET /api/v4/secrets":1,…}}
//	GET /sandbox/journal   [{"action":"create","key":…},…]
//	GET /sandbox/oidc-token?identity=ID  a token to log in to the KMS with
//
// The package imports none of kmsync's clients, so that the two cannot share a
// mistake. It is for loopback only: Start refuses any other address.
package sandbox
