// Package llamaserver scores models through llama.cpp's llama-server.
//
// Start with New. The weights are swapped in the way that the server allows:
//
//   - Options.Start starts one process a model, and the next one when the last
//     has ended;
//   - a server that runs without a model of its own (router mode, with
//     --models-dir) is told to unload and to load again: Options.Models is that
//     folder, where a link of one fixed name is replaced by rename;
//   - a server that runs with one model keeps it. Load then only makes sure that
//     it is the right one, and Scale gives the LoRA adapters that it was started
//     with other scales: a soup of adapters without loading anything.
//
// # What is sent
//
// Conversations are rendered here, with the chat template in the GGUF file, and
// sent to /completion as text: the server's own renderer is a port of Jinja that
// puts ChatML in the place of a template that it lacks. Decoding is greedy
// (temperature 0, top_k 1 as the only sampler, no penalties). The cache of
// prompts is off: logits that were computed in another grouping differ, by up to
// 0.006 nats on a garden checkpoint, and answers would depend on what was asked
// before.
//
// # Scores
//
// Labels are exact, whatever their rank: those that are not among the 50
// likeliest tokens are asked for again, all of them and the likeliest token
// raised by the same bias, which leaves their ratios as they are. A label that is
// more than 80 nats behind the likeliest token is given that distance.
//
// Continuations are read token by token, one request each (what begins alike is
// asked once): exact, and as slow as that. For the same reason there is no
// ScoreReference, which every generated answer would be asked for.
//
// # Caveats
//
// Two requests that are answered at the same time are computed together, which
// changes logits in the last bits (5e-5 nats measured). A character of several
// tokens that MaxTokens cuts is U+FFFD, and the server may go a token or two
// beyond MaxTokens to complete one. Control tokens have no text in an answer.
//
// The server maps the file: it must be replaced by rename, never written over,
// while it is loaded.
package llamaserver
