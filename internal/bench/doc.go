// Package bench measures soup's own speed and sets it against what the machine
// can do, measured in the same run.
//
// Start with Merge.
package bench
