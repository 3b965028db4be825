// Package sglang drives an SGLang server: weights are exchanged inside the
// running server, prompts go as token ids, and every log-probability is exact.
//
// Start with New. The server reads Hugging Face directories, under the same path
// as soup, with /update_weights_from_disk, which needs no option of the server;
// the canary is asked after it.
//
// # Caveats
//
// No real SGLang was run: it needs a GPU. The driver was written after SGLang's
// documentation and source, and is tested with exchanges that were written down
// from them; testdata/README.md names files and commits.
//
// SGLang has no route that renders a conversation, so the chat template of the
// checkpoint is rendered here. It reads no function calls from what it answers
// to token ids: they are in the text.
package sglang
