// Package benchmarks loads the files of language-model benchmarks into items of
// package eval. It has nothing to do with benchmarks of Go code, which are the
// functions named Benchmark in the test files.
//
// Start with [LoadJSONL], which reads soup's own format; eval.NewSet then
// divides the items into splits.
//
// # Caveats
//
// A loader changes nothing: prompts are asked as the file has them, and an item
// whose fields do not fit its metric is an error, never a skipped item.
package benchmarks
