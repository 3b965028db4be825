// Package comparison is the command soup compare: studies and their strategies
// side by side, on test, paired where the items are the same.
//
// Start with Compare.
package comparison
