// Package reports is the command soup report: what a study found, as text, as
// tables for other programs, and as pictures.
//
// Start with Run.
package reports
