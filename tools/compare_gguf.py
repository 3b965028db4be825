#!/usr/bin/env python3
"""Compares a GGUF file with the Hugging Face directory that it was made of,
tensor by tensor, as the gguf package reads the file.

    tools/compare_gguf.py DIR FILE.gguf

What every tensor must be is computed here from gguf's own name tables and from
numpy, not by soup. Prints one line; exit status 1 and the tensors where one differs.
"""
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, get_tensor_name_map
from gguf.constants import MODEL_ARCH, MODEL_ARCH_NAMES
from safetensors import safe_open


def weights(directory):
    out = {}
    for path in sorted(Path(directory).glob("*.safetensors")):
        with safe_open(path, "pt") as f:
            for name in f.keys():
                out[name] = f.get_tensor(name)
    return out


def permuted(x, heads):
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def values(tensor):
    """A tensor of the file as float32."""
    kind = tensor.tensor_type.name
    if kind == "BF16":
        return (tensor.data.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(tensor.shape[::-1]), kind
    return tensor.data.astype(np.float32).reshape(tensor.shape[::-1]), kind


def wanted(name, x, arch, config):
    y = x.float().numpy()
    if arch == "llama" and re.search(r"\.[qk]_proj\.(weight|bias)$", name):
        heads = config["num_attention_heads"] if ".q_proj" in name else config.get("num_key_value_heads") or config["num_attention_heads"]
        y = permuted(y, heads)
    if arch.startswith("gemma") and name.endswith("norm.weight"):
        y = y + np.float32(1)
    return y


def rope_factors(config):
    p = config.get("rope_parameters") or dict(config["rope_scaling"], rope_theta=config["rope_theta"])
    dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    out = []
    for i in range(0, dim, 2):
        wave = 2 * math.pi * p["rope_theta"] ** (i / dim)
        old = p["original_max_position_embeddings"]
        if wave < old / p["high_freq_factor"]:
            out.append(1)
        elif wave > old / p["low_freq_factor"]:
            out.append(p["factor"])
        else:
            s = (old / wave - p["low_freq_factor"]) / (p["high_freq_factor"] - p["low_freq_factor"])
            out.append(1 / ((1 - s) / p["factor"] + s))
    return np.array(out, np.float32)


def main():
    directory, file = sys.argv[1:]
    config = json.loads((Path(directory) / "config.json").read_text())
    reader = GGUFReader(file)
    field = lambda key: reader.fields[key].contents()
    arch = field("general.architecture")
    kind = {v: k for k, v in MODEL_ARCH_NAMES.items()}[arch]
    names = get_tensor_name_map(kind, config["num_hidden_layers"])
    there = {t.name: t for t in reader.tensors}
    wrong, compared = [], 0
    for name, x in weights(directory).items():
        to = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if to is None or to not in there:
            wrong.append(f"{name}: no {to}")
            continue
        got, dtype = values(there.pop(to))
        want = wanted(name, x, arch, config)
        own = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}[x.dtype]
        compared += 1
        if got.shape != want.shape or not np.array_equal(got, want) or dtype != ("F32" if x.dim() == 1 else own):
            wrong.append(f"{name} -> {to}: {dtype} {got.shape}")
    if "rope_freqs.weight" in there:
        got, _ = values(there.pop("rope_freqs.weight"))
        compared += 1
        if not np.allclose(got, rope_factors(config), rtol=1e-6):
            wrong.append("rope_freqs.weight")
    wrong += [f"{n}: not in the checkpoint" for n in there]
    vocab = len(field("tokenizer.ggml.tokens"))
    rows = next(t for t in reader.tensors if t.name == "token_embd.weight").shape[1]
    if vocab != rows:
        wrong.append(f"{vocab} tokens, {rows} rows of embeddings")
    print(f"{Path(directory).name}: {arch}, pre {field('tokenizer.ggml.pre')}, rope base {field(arch + '.rope.freq_base')}, {compared} tensors compared, {len(wrong)} differ")
    for w in wrong:
        print("  ", w)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
