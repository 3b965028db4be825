// Package mergekit reads and writes the recipe files of mergekit
// (https://github.com/arcee-ai/mergekit).
//
// Start with [Read] and [Config.Soup]; [Write] goes the other way.
//
// A recipe gives every tensor the weights that it has in mergekit: gradients,
// filters, levels of parameters and defaults follow release 0.1.5 of mergekit,
// files mergekit/config.py, parameter_resolver.py, plan.py and merge_methods/,
// and commit a6e4028 where the two agree. What is not a weighted average of
// whole tensors, and what soup would do otherwise than mergekit, is refused by
// name; so are keys that have no effect.
//
// Sums are made as in package merge: in float32, rounded once. docs/mergekit.md
// says how mergekit's own differ.
package mergekit
