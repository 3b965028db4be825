// Package fleet hands the candidates of a study to workers on other machines and
// brings their answers back: a queue on NATS JetStream. The server is embedded in
// the coordinator, or a cluster that exists.
//
// A coordinator opens a Hub and calls Do for every task. A worker calls Join, and
// Serve with what answers a task. What a task is the two know; here it is bytes.
//
// The queue is no truth. A task is named by its content, so that it may be put,
// answered and delivered more than once: the first answer counts. All that is in
// the queue may be lost: the coordinator puts again what its ledger lacks.
// docs/fleet.md has the reasons and the table of failures.
package fleet
