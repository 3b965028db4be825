// Package convert writes checkpoints in another format: Hugging Face
// directories as GGUF files, and GGUF files as Hugging Face directories.
//
// Start with [Write]; a search uses [Cache].
//
// Llama, Mistral, Qwen2, Qwen3 (also with experts), Gemma 1 to 3 (text) and
// OLMo 2 are written by this package, key by key and tensor by tensor; the rest
// goes to the converter of github.com/ollama/ollama, with what it would get
// wrong mended or refused. See docs/conversion.md.
//
// Matrices keep their dtype; vectors and routers become float32, which holds
// bfloat16 and float16 exactly. But for Gemma's norms, of which readers of GGUF
// want 1 more than checkpoints store, conversion moves values and never changes
// them, so a weighted average of converted checkpoints is the conversion of
// their weighted average ([Converted.Inexact] names the exceptions). The same
// directory gives the same bytes.
package convert
