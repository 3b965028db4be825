// Package tokenizer reads a Hugging Face tokenizer.json and gives the token ids
// that it stands for: the reference that a server's own tokenizer is compared
// with.
//
// Start with [Read] and [File.Encoder]. A File is the parsed text, for those who
// write it in another format. An Encoder computes ids as the tokenizers library
// does (https://github.com/huggingface/tokenizers, behaviour of 0.23): added
// tokens, normaliser, pre-tokeniser, byte-pair encoding, template. What it does
// not know, it refuses by name instead of giving other ids: models other than
// BPE, unusual normalisers and pre-tokenisers, dropout, tokens that strip blanks.
//
// It is exact, not fast: merges are found by looking at every pair, so texts
// should be short.
package tokenizer
