"""Times soup's merge beside other programs on the same files, in one run: prints ratios.

    merge.py [--gb 1] [--runs 3] [--dir /dev/shm] [--soup bin/soup] [--mergekit PATH/mergekit-yaml]

Needs gcc, PyTorch and safetensors; mergekit is left out unless its command is given. The four parents are
bfloat16 checkpoints of random weights with Llama's names and shapes; all files are in memory, warm, and
removed at the end. Every figure is the fastest of the runs, which are interleaved.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, time

import torch
from safetensors import safe_open
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))


def shapes(total_bytes):
    """Names and shapes of a Llama of about so many bytes in bfloat16."""
    hidden, ffn, vocab = 1024, 2816, 32000
    layer = 4 * hidden * hidden + 3 * hidden * ffn + 2 * hidden
    layers = max(1, round((total_bytes / 2 - vocab * hidden - hidden) / layer))
    t = {"model.embed_tokens.weight": (vocab, hidden)}
    for i in range(layers):
        p = f"model.layers.{i}."
        for n in "qkvo":
            t[p + f"self_attn.{n}_proj.weight"] = (hidden, hidden)
        t[p + "mlp.gate_proj.weight"] = t[p + "mlp.up_proj.weight"] = (ffn, hidden)
        t[p + "mlp.down_proj.weight"] = (hidden, ffn)
        t[p + "input_layernorm.weight"] = t[p + "post_attention_layernorm.weight"] = (hidden,)
    t["model.norm.weight"] = (hidden,)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": ffn,
        "num_hidden_layers": layers, "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": vocab,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16", "rms_norm_eps": 1e-5, "max_position_embeddings": 2048,
    }
    return t, config


def make_parents(folder, total_bytes):
    tensors, config = shapes(total_bytes)
    paths = []
    for k in range(4):
        g = torch.Generator().manual_seed(k)
        path = os.path.join(folder, f"parent-{k}")
        os.mkdir(path)
        save_file({n: (torch.randn(s, generator=g) * 0.02).bfloat16() for n, s in tensors.items()},
                  os.path.join(path, "model.safetensors"), metadata={"format": "pt"})
        with open(os.path.join(path, "config.json"), "w") as f:
            json.dump(config, f)
        paths.append(path)
    return paths


def torch_loop(paths, out):
    """A float32 sum tensor by tensor, rounded once, then save_file: seconds of both."""
    started = time.time()
    files = [safe_open(os.path.join(p, "model.safetensors"), "pt") for p in paths]
    soup = {}
    for name in files[0].keys():
        total = None
        for f in files:
            x = f.get_tensor(name).float().mul_(0.25)
            total = x if total is None else total.add_(x)
        soup[name] = total.bfloat16()
    summed = time.time()
    save_file(soup, out, metadata={"format": "pt"})
    return summed - started, time.time() - summed


def command(*args, env=None):
    started = time.time()
    done = subprocess.run(args, capture_output=True, text=True, env={**os.environ, **(env or {})})
    if done.returncode:
        sys.exit(f"{' '.join(args)}: exit code {done.returncode}\n{done.stderr}")
    return time.time() - started, done.stdout


def prototype(binary):
    _, text = command(binary)
    return {line.rsplit(" GB/s", 1)[0].rsplit(" ", 1)[0]: float(re.search(r"([\d.]+) GB/s", line)[1]) for line in text.splitlines()}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--gb", type=float, default=1)
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--dir", default="/dev/shm")
    a.add_argument("--soup", default=os.path.join(here, "..", "..", "bin", "soup"))
    a.add_argument("--mergekit")
    o = a.parse_args()
    folder = tempfile.mkdtemp(prefix="soup-anchors-", dir=o.dir)
    try:
        measure(o, folder)
    finally:
        shutil.rmtree(folder)


def measure(o, folder):
    binary = os.path.join(folder, "bandwidth")
    subprocess.run(["gcc", "-O3", "-march=native", "-pthread", "-o", binary, os.path.join(here, "bandwidth.c")], check=True)
    c, bench = {}, {}
    for _ in range(o.runs):  # before any file lies in memory
        for name, rate in prototype(binary).items():
            c[name] = max(c.get(name, 0), rate)
        report = json.loads(command(o.soup, "bench", "merge", "--quiet", "--json", "--gb", f"4x{o.gb}")[1])
        for d in report["dtypes"]:
            for r in [{"name": "read", "bytes_per_second": d["read_bytes_per_second"]}, *d["results"]]:
                at = bench.setdefault(d["dtype"], {})
                at[r["name"]] = max(at.get(r["name"], 0), r["bytes_per_second"])
                if "seconds" in r:
                    best = at.get("s " + r["name"], r["seconds"])
                    at["s " + r["name"]] = min(best, r["seconds"])
        bench["memcpy"] = max(bench.get("memcpy", 0), report["memcpy_bytes_per_second"])
        bench["memory"] = report["memory"]
    paths = make_parents(folder, o.gb * 1e9)
    out = os.path.join(folder, "out")
    recipe = os.path.join(folder, "recipe.yaml")
    with open(recipe, "w") as f:
        f.write("merge_method: linear\ndtype: bfloat16\nmodels:\n")
        f.writelines(f"  - {{model: {p}, parameters: {{weight: 0.25}}}}\n" for p in paths)
    best = {}

    def keep(name, seconds):
        best[name] = min(best.get(name, seconds), seconds)

    for _ in range(o.runs):
        keep("soup merge, whole command", command(o.soup, "merge", "--quiet", "-o", out, *paths)[0])
        shutil.rmtree(out)
        summed, saved = torch_loop(paths, out)
        keep("PyTorch, float32 loop", summed)
        keep("PyTorch, save_file", saved)
        os.remove(out)
        if o.mergekit:
            keep("mergekit, whole command", command(o.mergekit, recipe, out, "--lazy-unpickle", env={"HF_HUB_OFFLINE": "1"})[0])
            shutil.rmtree(out)
    show(c, bench, best)


def show(c, bench, best):
    bf16 = bench["bfloat16"]
    new_file = bf16["s new_file"]
    print("| what | measured |\n|---|---|")
    for name, rate in c.items():
        print(f"| C prototype: {name} | {rate:.1f} GB/s |")
    print(f"| soup: reused buffer, bfloat16 | {bf16['reused_buffer'] / 1e9:.1f} GB/s |")
    print(f"| share of the C prototype's merge | {bf16['reused_buffer'] / 1e9 / next(r for n, r in c.items() if n.startswith('merge4')):.2f} |")
    for dtype in ("bfloat16", "float16", "float32"):
        print(f"| soup: reused buffer, {dtype}, of memcpy | {bench[dtype]['reused_buffer'] / bench['memcpy']:.2f} |")
    print(f"| one of eight groups, of a whole cook | {bf16['s one_group_of_eight'] / bf16['s reused_buffer']:.3f} |")
    print(f"| a batch of four, a candidate, of a whole cook | {bf16['s batch_of_four'] / bf16['s reused_buffer']:.2f} |")
    print(f"| soup: new file, hashed and on the disk | {new_file:.2f} s |")
    for name, seconds in best.items():
        print(f"| {name} | {seconds:.2f} s, {seconds / new_file:.1f} of soup's new file |")
    for m in bench["memory"]:
        print(f"| memory beside mapped files, {m['parents']} parents | {m['most_bytes'] / 1e6:.1f} MB |")


main()
