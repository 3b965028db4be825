// Package plots draws the figures of a study: how the search went, what the
// weights do to the score, what the winner gained and lost, how far search
// scores can be trusted, and what it all cost.
//
// Start with [Draw]. It is a pure function of a [soup/results.Report]: equal
// reports give equal bytes. Each figure has a file of its own, in which what is
// shown is worked out first and drawn then.
//
// Figures are for print too: text is black, and whatever a colour says is said by
// a mark, a hatching or a label as well. Scores are points, 100 times the mean.
package plots
