// Package study runs one search for the best soup: it reads the study file,
// joins merge, search, eval, benchmarks and results, and keeps every outcome in
// the ledger, so that a study that was stopped at any moment goes on where it
// was.
//
// Start with ReadConfig and Run; BuildReport and OpenRecorded read a study's folder.
//
// # The life of a study
//
// Baselines and strategies propose candidates one after the other; each is
// cooked into one mapped buffer, loaded by the server and scored on the search
// split (trial.go). The best of them are scored on the selection split, which
// chooses the winner (finish.go). The winner is exported, loaded from the
// export and scored on the test split, beside the baselines.
//
// # Caveats
//
// A study's folder belongs to one process at a time. Paths in a study file are
// relative to that file.
package study
