// Package wire talks HTTP with inference servers: JSON in, JSON out, to one
// host and no other, with limits on the size and the time of a reply, retries
// of what may be asked again, and errors told apart as package eval does.
//
// Start with New, then Client.Post and Client.Get. Drivers that use a client
// library of their server's give it Client.HTTP and wrap calls in Client.Retry.
package wire
