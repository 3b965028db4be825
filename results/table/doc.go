// Package table sets text with tables: for a terminal so many columns wide, or as
// GitHub's Markdown.
//
// Start with [Page]. Equal content gives equal text.
package table
