#!/usr/bin/env python3
"""Makes tiny models of every architecture that soup converts itself, with what
transformers says about them.

    tools/pico.py DIR               Hugging Face directories DIR/NAME, and DIR/NAME/golden.json
    tools/pico.py DIR --testdata    also merge/convert/picotest/testdata: all but the weights

Weights are computed from the tensor's name and the element's number, so the Go
tests compute them as well (merge/convert/picotest) and only tokenizers,
configurations and answers are kept in the repository. Tokenizers are trained on
a fixed text. Needs torch, transformers, tokenizers, sentencepiece; CPU only.
"""
import argparse
import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

REPO = Path(__file__).resolve().parent.parent
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
TEKKEN = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEXT = """The quick brown fox jumps over the lazy dog. It's what we'll do, they've said; I'm sure you're right, don't worry.
Der schnelle braune Fuchs springt über den faulen Hund. Être ou ne pas être, voilà la question.
Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний.
敏捷的棕色狐狸跳过了懒狗。今天天气很好，我们去公园散步吧。机器学习模型的权重平均。
الثعلب البني السريع يقفز فوق الكلب الكسول. السلام عليكم ورحمة الله.
तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। नमस्ते दुनिया, आप कैसे हैं?
0 1 12 123 1234 12345 3.14159 2,718,281 1e-5 0x7f 100% $5.99 (2024-05-17)
def f(x):\n    if x > 0:\n        return x ** 2\n\treturn -x  # comment\nfor (int i = 0; i < n; ++i) { a[i] += b[i]; }
😀 👍🏽 🇩🇪 👩‍👩‍👧 — “quotes” … ½ ² Ⅷ
""" * 4
PROBE = (
    "Hello, World! It's 2024; we'll see what they've DONE.  Two  spaces,   three\tand a tab.\n\n\nNew lines\r\n"
    "Привет, мир! Съешь ещё этих булок.\n你好，世界。今天天气很好！１２３\nالسلام عليكم يا عالم\nनमस्ते दुनिया, कैसे हैं?\n"
    "😀👍🏽🇩🇪👩‍👩‍👧 ½²Ⅷ 1234567890 3.14 1e-5\n"
    "def f(x):\n    return x**2  # naïve café\n\tfor (i=0; i<n; ++i) { a[i] += 0x7F; }\n<|not special|> \u00a0\u2003end   "
)
PROMPTS = ["The quick brown fox", "def f(x):\n    return", "Съешь же ещё этих 12345", "今天天气很好", "नमस्ते दुनिया", "السلام عليكم", "a[i] += b[i];", "it's 3.14159", "<= Fuchs =>", "😀 hello"]


def byte_level(patterns, specials, nfc=False, ignore_merges=False, word_split=False, vocab=420):
    t = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if nfc:
        t.normalizer = normalizers.NFC()
    steps = []
    for p in patterns:
        steps.append(pre_tokenizers.Digits(individual_digits=True) if p == "digits" else pre_tokenizers.Split(Regex(p), "isolated"))
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=word_split))
    t.pre_tokenizer = pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab, special_tokens=[AddedToken(s, special=True, normalized=False) for s in specials],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    t.train_from_iterator([TEXT], trainer)
    return t


def with_bos(t, bos):
    t.post_processor = processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, t.token_to_id(bos))])
    return t


def piece_model(dummy_prefix, controls):
    """A SentencePiece BPE model as text, and the same as a tokenizer.json."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.replace("\t", " ").split("\n")), model_writer=out, model_type="bpe", vocab_size=640, byte_fallback=True,
        character_coverage=0.98, add_dummy_prefix=dummy_prefix, remove_extra_whitespaces=False, normalization_rule_name="identity",
        split_digits=True, allow_whitespace_only_pieces=True, minloglevel=2, num_threads=1, control_symbols=controls)
    sp = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    pieces = [(sp.id_to_piece(i), sp.get_score(i)) for i in range(sp.get_piece_size())]
    vocab = {p: i for i, (p, _) in enumerate(pieces)}
    merges = []  # every pair that makes a piece, best piece first: as transformers does it
    for piece, score in pieces:
        local = [(piece[:k], piece[k:], score) for k in range(1, len(piece)) if piece[:k] in vocab and piece[k:] in vocab]
        merges += sorted(local, key=lambda m: (vocab[m[0]], vocab[m[1]]))
    merges = [(a, b) for a, b, s in sorted(merges, key=lambda m: (m[2], len(m[0]), len(m[1])), reverse=True)]
    t = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    steps = [normalizers.Prepend("▁")] if dummy_prefix else []
    t.normalizer = normalizers.Sequence(steps + [normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    t.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if dummy_prefix else []))
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in ["<unk>", "<s>", "</s>"] + controls])
    return out.getvalue(), with_bos(t, "<s>")


ENDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
COMMON = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512)


def zoo():
    """Yields name, configuration class, settings, tokenizer, SentencePiece model, special tokens."""
    C = transformers
    bos = {"bos_token": "<|begin|>", "eos_token": "<|end|>"}
    chat = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    gpt = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    spm = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    yield ("llama", C.LlamaConfig, dict(COMMON, head_dim=24, attention_bias=True, rope_parameters=dict(
        rope_type="llama3", rope_theta=5000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
        with_bos(byte_level([LLAMA3], ["<|begin|>", "<|end|>"], ignore_merges=True), "<|begin|>"), None, bos)
    yield ("smollm", C.LlamaConfig, dict(COMMON, tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=100000.0)),
           byte_level(["digits"], ENDS, word_split=True), None, chat)
    yield ("gpt2tok", C.LlamaConfig, dict(COMMON, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
           byte_level([], ENDS[:1], word_split=True), None, gpt)
    yield ("qwen2", C.Qwen2Config, dict(COMMON, tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
           byte_level([QWEN2], ENDS, nfc=True), None, chat)
    yield ("qwen3", C.Qwen3Config, dict(COMMON, head_dim=32, rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
           byte_level([QWEN2], ENDS, nfc=True), None, chat)
    model, t = piece_model(True, [])
    yield ("mistral", C.MistralConfig, dict(COMMON, sliding_window=None), t, model, spm)
    yield ("nemo", C.MistralConfig, dict(COMMON, head_dim=32, sliding_window=256, rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
           with_bos(byte_level([TEKKEN], ["<unk>", "<s>", "</s>"], ignore_merges=True), "<s>"), None, spm)
    model, t = piece_model(False, ["<start_of_turn>", "<end_of_turn>"])
    yield ("gemma", C.GemmaConfig, dict(COMMON, head_dim=32), t, model, spm)
    yield ("gemma2", C.Gemma2Config, dict(COMMON, head_dim=32, query_pre_attn_scalar=32, sliding_window=128), t, model, spm)
    yield ("gemma3", C.Gemma3TextConfig, dict(COMMON, num_hidden_layers=7, head_dim=32, query_pre_attn_scalar=32, sliding_window=128), t, None, spm)
    yield ("olmo2", C.Olmo2Config, dict(COMMON, rope_parameters=dict(rope_type="default", rope_theta=500000.0)),
           byte_level([LLAMA3], ENDS), None, chat)


def noise(name, n):
    """n numbers in [-1, 1): splitmix64 of the FNV-1a hash of a name."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32)


def fill(name, shape, quiet, shifted, embedding):
    n = int(np.prod(shape))
    x = noise(name, n).reshape(shape)
    if name.endswith("norm.weight"):
        return x * np.float32(0.25) + np.float32(0 if shifted else 1)
    if len(shape) == 1:
        return x * np.float32(0.25)
    if name.endswith(("embed_tokens.weight", "lm_head.weight")):
        x[quiet] *= np.float32(1 / 64)  # tokens that are no text of their own: never the likeliest
        return x * np.float32(embedding)
    return x * np.float32(2 ** -round(np.log2(shape[1]) / 2 - 1))  # a power of two: exact in every type


def quiet_ids(tok):
    """Tokens that must not be answered: special ones, and bytes that are no character."""
    special = set(tok.all_special_ids) | set(tok.get_added_vocab().values())
    out = []
    for i in range(len(tok)):
        text = tok.decode([tok.convert_tokens_to_ids("a"), i], clean_up_tokenization_spaces=False)
        piece = tok.convert_ids_to_tokens(i)
        if i in special or "\ufffd" in text or (piece.startswith("<0x") and piece.endswith(">")) or not text[1:].isascii() or not text[1:].isprintable():
            out.append(i)
    return out


def answer(model, tok, prompt, tokens=24):
    ids = tok(prompt, return_tensors="pt")["input_ids"]
    given = ids.shape[1]
    margins = []
    with torch.no_grad():
        for _ in range(tokens):
            logits = model(ids).logits[0, -1]
            top = torch.topk(logits, 2)
            if top.values[0] - top.values[1] < 0.002:  # too close to call in another order of summation
                break
            margins.append(float(top.values[0] - top.values[1]))
            ids = torch.cat([ids, top.indices[:1].reshape(1, 1)], 1)
    ids = ids[0].tolist()
    if len(margins) < 12:
        return None
    text = tok.decode(ids, clean_up_tokenization_spaces=False, skip_special_tokens=True)
    before = tok.decode(ids[:given], clean_up_tokenization_spaces=False, skip_special_tokens=True)
    assert text.startswith(before), (text, before)
    return {"prompt": prompt, "ids": ids[:given], "answer_ids": ids[given:], "answer": text[len(before):], "smallest_margin": round(min(margins), 4)}


def make(root, name, config_class, settings, tokenizer, pieces, special):
    out = root / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tok = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **special)
    config = config_class(vocab_size=(len(tok) + 15) // 16 * 16, **settings)
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, key, getattr(tok, key))
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    quiet = quiet_ids(tok) + list(range(len(tok), config.vocab_size))
    state = model.state_dict()
    tied = config.tie_word_embeddings
    names = [n for n in state if not (tied and n == "lm_head.weight")]
    shifted = name.startswith("gemma")
    embedding = 1 / 16 if tied else 1  # tied and large, each token would be answered by itself
    for n in names:
        state[n].copy_(torch.from_numpy(fill(n, tuple(state[n].shape), quiet, shifted, embedding)))
    model.generation_config = transformers.GenerationConfig(bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id, do_sample=False)
    model.save_pretrained(out)
    tok.save_pretrained(out)
    if pieces:
        (out / "tokenizer.model").write_bytes(pieces)
    golden = {
        "probe": {"text": PROBE, "ids": tok(PROBE, add_special_tokens=False)["input_ids"], "with_special": tok(PROBE)["input_ids"]},
        "answers": [a for a in (answer(model, tok, p) for p in PROMPTS) if a][:3],
        "quiet": quiet, "shifted": shifted, "embedding": embedding,
        "tensors": {n: list(state[n].shape) for n in sorted(names)},
        "made_with": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]},
    }
    (out / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=None) + "\n")
    assert len(golden["answers"]) == 3, name
    print(name, [a["answer"][:40] for a in golden["answers"]], [a["smallest_margin"] for a in golden["answers"]])
    return out


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("dir", type=Path)
    args.add_argument("--testdata", action="store_true")
    args = args.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    for spec in zoo():
        out = make(args.dir, *spec)
        if args.testdata:
            to = REPO / "merge/convert/picotest/testdata" / spec[0]
            shutil.rmtree(to, ignore_errors=True)
            shutil.copytree(out, to, ignore=shutil.ignore_patterns("*.safetensors"))
            print(hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()[:16])


if __name__ == "__main__":
    main()
