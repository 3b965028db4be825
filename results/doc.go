// Package results keeps what a study found: the ledger, one SQLite file with
// every item's outcome, and the reports, tables and CSV files made from it.
//
// Start with [Open], which gives the [Ledger] that a study writes, and
// [WriteText], which prints a [Report]. The package stores and prints numbers;
// it computes none: means, intervals and p-values come from the caller.
//
// # The file
//
// DIR/study.db is an SQLite database in WAL mode; any SQLite tool can read it.
// Its application_id is 0x736f7570 ("soup") and its user_version is the number
// of the last schema file that was applied (folder schema). Tables: study,
// settings, parents, trials, items, outcomes (primary key trial, item), events,
// notes, winner; the view answers joins outcomes with items. Times are RFC 3339
// in UTC and serve display only. An item that was not measured has a state and
// a NULL score. DIR/lock holds the process number of the writer.
//
// # Caveats
//
// One process writes a ledger at a time; [Open] refuses the second. Readers
// ([OpenReadOnly]) need no lock, but each of their calls sees the ledger as it
// is at that moment.
//
// What a call has written when it returns survives kill -9 and, where the disk
// keeps its word on fsync, a power cut. The directory must be on a local disk:
// neither WAL nor the lock is safe on network file systems.
package results
