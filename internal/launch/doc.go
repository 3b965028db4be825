// Package launch starts inference servers as processes of their own, waits
// until they answer, and ends them.
//
// Start with Ollama or LlamaServer. A Process has the address to talk to; what
// is said there is the business of the packages in eval/server.
//
// # Caveats
//
// A server keeps to 127.0.0.1, to a port that was free, and to the folder that
// it is given: log, models and home directory lie there, so that neither the
// user's own models nor their keys are touched. On Linux a server ends with the
// process that started it, even when that is killed; elsewhere it stays.
package launch
