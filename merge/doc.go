// Package merge reads language-model checkpoints, checks that they fit
// together, and writes their weighted average: a soup.
//
// Start with [Open] and [Write]. A search that tries many soups uses a
// [Buffer]: one mapped file, overwritten by each [Buffer.Cook].
//
// # Arithmetic
//
// Element i of a soup is w[0]*x[0][i] + w[1]*x[1][i] + ... over the parents in
// the order given, with float32 weights, float32 products and float32 sums,
// rounded once, to nearest with ties to even, to the stored dtype. Parents of
// weight 0 are left out and not read. One parent of weight 1 gives its bytes.
// NaNs that arise are stored as one fixed NaN. The bytes of a soup therefore
// depend on nothing but parents, recipe and stored dtype.
//
// # Formats
//
// Safetensors (https://github.com/huggingface/safetensors): 8 bytes of header
// length, JSON, data. The reader is strict: valid UTF-8, no key twice, at most
// 100 MB of header, data covered without gap or overlap, sizes that agree with
// dtype and shape. Shards come through model.safetensors.index.json; no path
// or symbolic link may lead out of the directory (except into the blobs folder
// of a Hugging Face cache). Soups are written as one file, or in shards of a
// given size.
//
// PyTorch (https://docs.pytorch.org/docs/stable/notes/serialization.html): zip
// archives of torch 1.6 and later that hold a state dict, found as
// pytorch_model.bin, its index and shards, or single .bin, .pt and .pth files.
// A child process, this program once more, reads the pickle and builds nothing;
// the weights are mapped where they lie in the archive. Tied weights, the same
// bytes under several names, keep the first name unless config.json is absent or
// says tie_word_embeddings: false, as transformers does for safetensors. Such
// parents may stand beside safetensors ones, and their soups are safetensors.
//
// GGUF versions 2 and 3, little-endian
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): F32, F16 and
// BF16 tensors are averaged, Q8_0 ones too where that is asked for, other
// quantised ones and split files refused. A soup keeps the header of its first
// parent to the byte.
//
// # Findings
//
// Each has a stable code, a severity, a reason and a remedy; docs/findings.md
// lists them all.
//
// # Caveats
//
//   - Slices from Bytes are windows into mapped files: they end with Close, and
//     touching one whose file was truncated kills the process. Merging, checking
//     and hashing turn that into an error naming the file.
//   - A Buffer's methods must not be called concurrently, and readers of its
//     file must be done before the next Cook.
//   - Files are trusted to stay as they are while they are open; hashes are
//     taken of the mapping, so they describe what was merged.
//   - Errors that have a remedy also have a method Hint() string.
package merge
