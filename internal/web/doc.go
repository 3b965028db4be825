// Package web serves the live page of a study: what docs/web.md promises.
//
// Start with [Open], which listens, and [Site.Serve], which serves until its
// context ends. One goroutine reads the ledger (package follow) and renders the
// parts of the page that changed; all viewers are given the same parts.
//
// # Caveats
//
// No request names a file or reaches the ledger. What a browser gets is HTML that
// was escaped by html/template; the script only puts it in its place.
package web
