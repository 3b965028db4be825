// Package eval asks a model the items of a benchmark, scores the answers and
// says whether one model is better than another.
//
// Start with [Run], which puts items to a [Server], and [Compare], which sets
// the outcomes of two models side by side; [NewPanel] does so with several, also on
// halves of the items. In between stand [Item] (one
// question with its right answer), [Metric] (how an answer is scored),
// [Set] (items in their splits), [Outcome] (what became of one item) and
// [Summarize] (means with standard errors).
//
// # Caveats
//
// Not measured is not zero. An item without an answer (failed, timed out,
// missing) has an Outcome whose [Outcome.Scored] is false; its Score means
// nothing, is null in JSON and enters no mean. A truncated answer is scored and
// counted apart.
//
// The mean of several categories is the unweighted mean of the category means,
// unless weights say otherwise: a category of 10 items counts as much as one of
// 1000. A mean over fewer categories is another quantity, so where a category
// was not measured at all there is none.
//
// Standard errors and intervals take items as independent unless Cluster says
// which belong together (one passage, one function, one problem in several
// languages). Intervals are for the items asked, of a model chosen without
// them: on the split that chose the winner they mean nothing.
package eval
