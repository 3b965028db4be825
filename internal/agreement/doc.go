// Package agreement checks that a model gives the same text wherever it runs:
// GGUF files written by soup, in the embedded engine, in a real Ollama and in a
// real llama-server, against transformers running the safetensors original.
//
// It is tests only, behind the build tag servers: `make test-servers` builds or
// finds the servers and runs them; see docs/servers.md. There a server that is
// missing is a failure, never a skipped test.
package agreement
