// Package single does what soup does without a search: score one checkpoint or
// recorded answers, average with given weights, check what can be averaged.
//
// Start with Score, Merge and Check.
package single
