// Package recompute holds one test: every number of a study's report is computed
// anew from the raw rows of its ledger, by other code than the report's. The
// expected side reads with plain SQL and uses nothing of ours; formulas come
// from the documentation of the packages that it checks.
//
// Start with expect in expected_test.go. Whatever else shows numbers of a study
// (tables, plots, pages) is checked by comparing what it shows with [facts]:
// see TestReportIsRecomputed.
package recompute
