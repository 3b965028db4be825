// Package vllm drives a vLLM server: weights are exchanged inside the running
// server, prompts go as token ids, and every log-probability is exact.
//
// Start with New. The server must run in its development mode
// (VLLM_SERVER_DEV_MODE=1), which has the routes that exchange weights; it reads
// Hugging Face directories, under the same path as soup.
//
// # How weights are exchanged
//
// In the newest way that the server has (see connect): the routes of the disk
// backend for weight transfer (/start_weight_update, /update_weights,
// /finish_weight_update); else reload_weights with a path through
// /collective_rpc; else, where that takes no path, reload_weights of the
// directory that is served, between /sleep and /wake_up if sleep mode is on.
// Then the prefix cache is dropped, and the canary is asked. vLLM 0.32.0 was
// run; the disk backend is newer and was not.
//
// # Caveats
//
// A vLLM that fails to load weights is of no use until it is started anew, so
// directories are compared with the served one before they are given to it. It
// keeps the tokenizer and the chat template that it was started with. Not a
// number in the key-value cache outlives the weights that gave it (0.32.0 on the
// CPU): the cache is written over before the next weights are judged.
package vllm
