// Package follow knows how a study is going, from its ledger alone: another
// process may be running it, or none.
//
// Start with [Open], call [Follower.Poll] again and again, and look at
// [Follower.Study].
//
// # Caveats
//
// A Follower belongs to one goroutine. A poll reads what is new and never more
// than some outcomes: a large ledger is taken in over many polls, the latest
// trials first, then from the oldest on; Study.Unread says how many are left.
package follow
