// Package view is everything that people and programs read of kmsync: pure
// functions from plans, events, results, diagnostics and ledgers to bytes. It
// decides nothing, reads no clock and knows no terminal; what it needs of those
// comes in a [Style], a time or a clock.
//
// The rules of the house:
//
//   - Results go to stdout: [Plan], [Result], [Ledger] and every JSON document.
//     What goes on meanwhile and what went wrong goes to stderr: [Progress],
//     [Problems], [Diagnostics].
//   - A line about a key, a sync or a request begins with its address or in lower
//     case and has no full stop. What closes an output, and every finding, is
//     full sentences.
//   - A refusal names the key, the rule, and what would allow it, or that nothing
//     does. Its words stand in package phrase and nowhere else.
//   - A range is file:line, a change of version v6 → v7, a time of day UTC in
//     RFC 3339, an age one number and one unit.
//   - Colour repeats what a symbol or a word says already, and is never needed:
//     red deletes and refuses, yellow updates, green creates, bold heads a sync,
//     dim is for counts and what stays.
//   - Every text of a file or a service passes [sanitize.Text], in one place, the page.
//   - Never a value, a length, a prefix or a fingerprint. The types that come in
//     have none; an error that comes in holds none by the contract of providers.
package view
