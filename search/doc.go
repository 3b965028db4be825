// Package search proposes the weights of soups and runs the loop that tries
// them.
//
// Start with [New], which makes a [Strategy] from its name, and [Run], which
// asks it for points, puts them to an [Objective] and tells it what came out.
// [Analyze] is the part of SoCE that chooses experts, for a table of scores that
// is there already.
//
// The package is pure: no files, no clock, no global random numbers. Every draw
// comes from [Rand], so that the k-th point of a strategy depends on the seed
// and on the outcomes of the points before it, never on how many were asked at
// once, in which order they were told or whether the search was interrupted. To
// continue a search, run it again from the start with an objective that answers
// known points from a record.
//
// # Caveats
//
// A Strategy is not safe for concurrent use; Run is the only one to call it.
//
// The best score of a search is the luckiest of many: it promises too much.
// Choose on other items than those that were searched, and measure on a third
// set.
//
// Correlations over a handful of models are mostly noise: over nine models the
// 95 % interval of a correlation of 0 reaches from -0.66 to 0.66. [Analysis]
// says over how many models it was computed.
package search
