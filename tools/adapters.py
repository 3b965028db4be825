#!/usr/bin/env python3
"""Soups of LoRA adapters against PEFT.

    tools/adapters.py golden            write merge/adapter/testdata again
    tools/adapters.py check bin/soup    let soup make soups, load them with PEFT, compare logits

Run it at the top of the repository, with torch, transformers, peft and safetensors (the log names the
versions). The project's tests need none of these: they read what `golden` wrote.
"""
import json
import os
import subprocess
import sys
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = ""
import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

transformers.utils.logging.disable_progress_bar()

BASE = "examples/garden/base"
GOLDEN = "merge/adapter/testdata"
ROWS = 16  # every 16th row of a change is kept

LORAS = {
    "plain": dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]),
    "rs": dict(r=3, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "down_proj"], layers_to_transform=[0, 2]),
    "pattern": dict(
        r=2, lora_alpha=4, target_modules=["v_proj", "up_proj", "lm_head"],
        rank_pattern={"layers.0.self_attn.v_proj": 5, r"layers\.[12]\.mlp\.up_proj": 1},
        alpha_pattern={"v_proj": 7, "lm_head": 3},
    ),
    "bf16": dict(r=2, lora_alpha=2, target_modules=["o_proj", "v_proj"]),
}
SOUPS = {
    "cat": {"plain": 0.7, "bf16": 0.3},  # PEFT's own add_weighted_adapter is the reference
    "two": {"plain": 0.7, "rs": 0.3},
    "three": {"plain": 0.5, "rs": 0.3, "pattern": 0.2},
    "all": {"bf16": 0.25, "pattern": 0.25, "rs": 0.25, "plain": 0.25},
    "beyond": {"pattern": 1.5, "bf16": -0.5},
}


def base(path=BASE, dtype=torch.float32):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype)


def randomise(model, seed):
    """Give B values too, as training does, at the size of the base's."""
    torch.manual_seed(seed)
    for name, p in model.named_parameters():
        if "lora_" in name:
            p.data = torch.randn_like(p) * 0.05


def save(model, out, dtype=None):
    if dtype:
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.data = p.data.to(dtype)
    model.save_pretrained(out, save_embedding_layers=False)
    os.remove(os.path.join(out, "README.md"))
    path = os.path.join(out, "adapter_config.json")
    with open(path) as f:
        config = json.load(f)
    config["target_modules"].sort()  # a set: any order, another one each time
    with open(path, "w") as f:
        json.dump(config, f, indent=2, sort_keys=True)


def with_all(names, adapters, path=BASE, dtype=torch.float32):
    model = None
    for n in names:
        if model is None:
            model = peft.PeftModel.from_pretrained(base(path, dtype), adapters + n, adapter_name=n)
        else:
            model.load_adapter(adapters + n, adapter_name=n)
    return model


def changes(model, weights):
    """The weighted sums of PEFT's own matrices in float64, by module."""
    found = {}
    for key, layer in model.base_model.model.named_modules():
        for name, w in weights.items():
            if name in getattr(layer, "lora_A", {}):
                a, b = layer.lora_A[name].weight.double(), layer.lora_B[name].weight.double()
                assert torch.allclose(layer.get_delta_weight(name).double(), layer.scaling[name] * b @ a, atol=1e-6)
                found[key] = found.get(key, 0) + w * layer.scaling[name] * b @ a
    return found


def mix(model, weights):
    """Let PEFT run the adapters side by side, each with its weight, or add them up where it can."""
    if weights == SOUPS["cat"]:
        model.add_weighted_adapter(list(weights), list(weights.values()), "soup", combination_type="cat")
        model.set_adapter("soup")
        return
    for layer in model.modules():
        for name in getattr(layer, "lora_A", {}):
            layer.scaling[name] *= weights[name]
    model.base_model.set_adapter(list(weights))


def golden():
    for seed, (name, config) in enumerate(LORAS.items()):
        model = peft.get_peft_model(base(), peft.LoraConfig(task_type="CAUSAL_LM", **config))
        randomise(model, seed)
        save(model, f"{GOLDEN}/{name}", torch.bfloat16 if name == "bf16" else None)
    for soup, weights in SOUPS.items():
        found = changes(with_all(weights, GOLDEN + "/"), weights)
        save_file({k: m[::ROWS].detach().float().contiguous() for k, m in found.items()}, f"{GOLDEN}/{soup}.safetensors")
    with open(f"{GOLDEN}/soups.json", "w") as f:
        json.dump(SOUPS, f, indent=1)
    conv1d()


def conv1d():
    """A GPT-2, whose matrices are [in, out], and what merge_and_unload makes of it."""
    torch.manual_seed(9)
    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=1, n_head=2, n_inner=12)
    transformers.GPT2LMHeadModel(config).save_pretrained(f"{GOLDEN}/gpt2/base")
    for name, weight in ("one", 0.6), ("two", 0.4):
        lora = peft.LoraConfig(task_type="CAUSAL_LM", r=2 if name == "one" else 3, target_modules=["c_attn", "c_fc"][: 1 if name == "one" else 2], fan_in_fan_out=True)
        model = peft.get_peft_model(base(f"{GOLDEN}/gpt2/base"), lora)
        randomise(model, int(10 * weight))
        save(model, f"{GOLDEN}/gpt2/{name}")
    model = with_all(["one", "two"], f"{GOLDEN}/gpt2/", f"{GOLDEN}/gpt2/base")
    model.add_weighted_adapter(["one", "two"], [0.6, 0.4], "soup", combination_type="cat")
    model.set_adapter("soup")
    merged = model.merge_and_unload()
    keep = {k: v.contiguous() for k, v in merged.state_dict().items() if "c_attn" in k or "c_fc" in k}
    os.makedirs(f"{GOLDEN}/gpt2/merged", exist_ok=True)
    save_file(keep, f"{GOLDEN}/gpt2/merged/model.safetensors")


@torch.no_grad()
def logits(model, vocabulary=512):
    torch.manual_seed(3)
    return model.eval()(torch.randint(0, vocabulary, (4, 24))).logits.float()


def compare(title, got, want):
    print(f"{title:34} largest difference {float((got - want).abs().max()):.2e}, of logits up to {float(want.abs().max()):.1f}; "
          f"same argmax {float((got.argmax(-1) == want.argmax(-1)).float().mean()):.4f}")


def check(soup_binary):
    print(f"peft {peft.__version__}, torch {torch.__version__}, transformers {transformers.__version__}")
    for title, weights in SOUPS.items():
        paths = [f"{GOLDEN}/{n}" for n in weights]
        command = [soup_binary, "merge", "--quiet", "--extrapolate", "--weights", ",".join(f"{n}={w}" for n, w in weights.items())]
        model = with_all(weights, GOLDEN + "/")
        mix(model, weights)
        want, plain = logits(model), logits(base())
        print(f"{title}: the change moves logits by up to {float((want - plain).abs().max()):.2f}")
        with tempfile.TemporaryDirectory() as dir:
            for extra in [], ["--each-rank"], ["--base", BASE, "--store", "float32"], ["--base", BASE]:
                out = f"{dir}/{len(os.listdir(dir))}"
                subprocess.run([*command, *extra, "-o", out, *paths], check=True, stdout=subprocess.DEVNULL)
                if "--base" in extra:
                    made = base(out)
                else:
                    made = peft.PeftModel.from_pretrained(base(), out)
                    report_missing(made, out)
                compare("  " + " ".join(["soup merge", *extra]), logits(made), want)


def report_missing(model, out):
    """Every tensor of the file must have found its place, and no other may be there."""
    have = {k.replace(".default", "") for k in model.state_dict() if "lora_" in k}
    file = set(load_file(f"{out}/adapter_model.safetensors"))
    if have != file:
        sys.exit(f"PEFT has {len(have - file)} tensors that are not in the file, the file {len(file - have)} that PEFT has not")


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        golden()
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        check(sys.argv[2])
    else:
        sys.exit(__doc__)
