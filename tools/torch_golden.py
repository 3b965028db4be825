#!/usr/bin/env python3
"""Writes the PyTorch archives that the tests of merge read, with the sha256 of every tensor as
torch holds it: merge/internal/torchfile/testdata and merge/testdata/torch. Needs torch, numpy and
safetensors; run from the root of the repository. The archives differ in nothing but torch's version
from run to run: all numbers come from a fixed seed."""
import collections, hashlib, json, os, pathlib, warnings, zipfile
import safetensors.torch
import torch

warnings.filterwarnings("ignore")
HERE = pathlib.Path("merge/internal/torchfile/testdata")
NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
generator = torch.Generator().manual_seed(1)
golden = {}


def noise(*shape, dtype=torch.float32):
    x = torch.randn(*shape, generator=generator)
    return x.to(dtype) if dtype.is_floating_point else (x * 50).to(dtype)


def facts(tensors):
    return [{"name": n, "dtype": NAMES[t.dtype], "shape": list(t.shape),
             "sha256": hashlib.sha256(t.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()}
            for n, t in tensors.items()]


def save(name, value, tensors=None, **options):
    torch.save(value, HERE / name, **options)
    if tensors is not None:
        golden[name] = facts(tensors)


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.lm_head = torch.nn.Linear(4, 6, bias=False)
        self.lm_head.weight = self.embed.weight


class System:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def read():
    every = collections.OrderedDict((str(d).removeprefix("torch."), noise(3, 5, dtype=d)) for d in NAMES)
    every["scalar"], every["empty"] = torch.tensor(2.5), torch.zeros(0, 7)
    for protocol in (2, 4, 5):
        save(f"dtypes-{protocol}.bin", every, every, pickle_protocol=protocol)
    torch.manual_seed(1)
    module = Tied()
    save("module.bin", module.state_dict(), module.state_dict())
    kept = dict(module.named_parameters(remove_duplicate=False))
    save("parameters.bin", kept, kept)
    whole = noise(8, 4, dtype=torch.bfloat16)
    views = {"last": whole[6:], "first": whole[:2], "middle": whole[3:5].view(4, 2), "row": whole[2:3].t()[:1].t()[:, :1]}
    save("views.bin", views, views)
    save("wrapped.pt", {"state_dict": every, "epoch": 3, "loss": 0.25, "names": ["a", ("b", None, True)]}, every)


def refused():
    x = noise(4, 6)
    save("strided.bin", {"x": x.t()})
    save("overlap.bin", {"x": x[:3], "y": x[2:]})
    save("expanded.bin", {"x": noise(1, 6).expand(4, 6)})
    save("sparse.bin", {"x": x.to_sparse()})
    save("quantised.bin", {"x": torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)})
    save("complex.bin", {"x": x.to(torch.complex64)})
    save("conjugate.bin", {"x": torch.view_as_complex(noise(4, 2)).conj()})
    save("float8.bin", {"x": x.to(torch.float8_e4m3fn)})
    save("uint16.bin", {"x": torch.arange(6).to(torch.uint16)})
    save("meta.bin", {"x": torch.empty(3, device="meta")})
    save("module-object.bin", torch.nn.Linear(2, 2))
    save("bare.bin", x)
    save("system.bin", {"x": x, "y": System("touch executed")})
    save("legacy.bin", {"x": x}, _use_new_zipfile_serialization=False)
    save("not-a-dict.bin", [x])
    save("number-beside.bin", {"x": x, "step": 3})
    save("int-key.bin", {0: x})
    torch.jit.script(torch.nn.Linear(2, 2)).save(HERE / "script.pt")
    with zipfile.ZipFile(HERE / "views.bin") as source, zipfile.ZipFile(HERE / "compressed.bin", "w", zipfile.ZIP_DEFLATED) as to:
        for entry in source.namelist():
            to.writestr(entry, source.read(entry))


def directories():
    """The same model three times: one file, two shards, and as safetensors, without the tied head."""
    at = pathlib.Path("merge/testdata/torch")
    model = {"model.embed.weight": noise(6, 4, dtype=torch.bfloat16), "model.a.weight": noise(4, 4, dtype=torch.bfloat16),
             "model.norm.weight": noise(4)}
    tied = model | {"lm_head.weight": model["model.embed.weight"]}
    config = {"architectures": ["Tiny"], "model_type": "tiny", "hidden_size": 4, "vocab_size": 6, "tie_word_embeddings": True}
    for name in ("one", "shards", "safetensors"):
        (at / name).mkdir(parents=True, exist_ok=True)
        (at / name / "config.json").write_text(json.dumps(config) + "\n")
    torch.save(tied, at / "one" / "pytorch_model.bin")
    safetensors.torch.save_file(model, at / "safetensors" / "model.safetensors", {"format": "pt"})
    parts = [{k: tied[k] for k in ("model.embed.weight", "lm_head.weight")}, {k: tied[k] for k in ("model.a.weight", "model.norm.weight")}]
    index = {"metadata": {"total_size": 0}, "weight_map": {}}
    for i, part in enumerate(parts):
        file = f"pytorch_model-{i + 1:05}-of-00002.bin"
        torch.save(part, at / "shards" / file)
        for k, t in part.items():
            index["metadata"]["total_size"] += t.nbytes
            index["weight_map"][k] = file
    (at / "shards" / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")
    golden["directories"] = facts(model)


HERE.mkdir(parents=True, exist_ok=True)
read()
refused()
directories()
(HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
