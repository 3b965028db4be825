// Package analysis is the command soup analyze: how the categories of a table of
// scores go together over its models, which models are experts, what SoCE would
// mix, and how that compares with published numbers.
//
// Start with Options and Analyze; Read reads the table.
package analysis
