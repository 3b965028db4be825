// Package adapter makes soups of LoRA adapters: directories as PEFT writes
// them, with adapter_config.json and adapter_model.safetensors.
//
// Start with [Open] and [Check], then [Stack] (an adapter again) or [Bake] (a
// full checkpoint).
//
// # Arithmetic
//
// An adapter changes a weight matrix by s*B*A, with A of shape [r, in], B of
// shape [out, r] and s = lora_alpha/r, or lora_alpha/sqrt(r) with use_rslora
// (Hu et al. 2021, https://arxiv.org/abs/2106.09685, section 4.1; Kalajdzievski
// 2023, https://arxiv.org/abs/2312.03732). The soup's change is
//
//	dW = sum over k of w[k]*s[k]*B[k]*A[k]
//
// which is not what averages of A and of B give: their product holds B[i]*A[j]
// of different adapters. Weights are used as given and may have any sum. An
// adapter of weight 0 is left out and not read.
//
// Stack writes dW as one adapter of rank r[0]+r[1]+...: the rows of all A below
// each other, the columns of all B beside each other, those of adapter k
// multiplied by w[k]*s[k] and rounded to float32: the only rounding, unless a
// narrower dtype is asked for. Its own s is 1. It is the "cat" of PEFT's
// add_weighted_adapter (src/peft/tuners/lora/model.py of release 0.21.2), which
// has the factor in A. One adapter of weight 1 is copied to the byte.
//
// Bake adds dW to a base. For each element of a matrix, float32 products
// B'[i][t]*A[t][j] are summed in float32, in the order of adapters and ranks,
// where B' is B times w[k]*s[k], rounded to float32; the base's element is
// added last, and the sum is rounded once, to nearest with ties to even, to the
// stored dtype. Tensors without a change are copied to the byte. As in package
// merge, the bytes depend on nothing but adapters, base, weights and stored
// dtype, and NaNs that arise are stored as one fixed NaN.
//
// # Findings
//
// Codes that refuse: adapters, peft-type, variant, initialisation, bias,
// saved-weights, embedding, tensor-names, shape, dtype, rank, pattern,
// base-model, fan-in-fan-out; and from [CheckBase] format, modules,
// tied-embeddings and what [merge.Check] refuses in the base. Codes that warn or
// note: base-model, task-type, unknown-option, tokenizer, modules, rank, and
// not-finite of [Adapter.Scan].
package adapter
