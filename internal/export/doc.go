// Package export hands on what a study found, in the forms that other programs
// read: a checkpoint with its model card, recipes, and the scores.
//
// Start with Options and Export. What needs no more than a ledger is written by
// package results (WriteOptuna, WriteJSONLines).
package export
