#!/usr/bin/env python3
"""Says what transformers answers, greedily, to a list of prompts.

    tools/greedy.py MODEL PROMPTS.json > ANSWERS.json

MODEL is a Hugging Face directory. PROMPTS.json is a list of {"prompt": TEXT}
or {"messages": [{"role": .., "content": ..}]}, each with "tokens", the length of
the answer. Messages are rendered through the model's own chat template.

The answers are those of the weights as they are stored, computed in float32:
the reference without rounding. Where the weights are stored in bfloat16, what
transformers answers in bfloat16 is given as well ("bfloat16"): PyTorch rounds
every intermediate result there. "margins" has, for each token, the one that
ends the answer included, how far its logit was above the second best; "ends"
the bytes of the answer's whole characters up to and with that token. Needs
torch and transformers; CPU only.
"""
import argparse
import json
import sys
import warnings

import torch
import transformers


def continuation(model, ids, tokens, ends):
    """The likeliest tokens one after the other, with their margins."""
    out, margins, past = [], [], None
    step = torch.tensor([ids])
    with torch.no_grad():
        for _ in range(tokens):
            run = model(step, past_key_values=past, use_cache=True)
            past = run.past_key_values
            top = torch.topk(run.logits[0, -1].float(), 2)
            token = int(run.logits[0, -1].argmax())
            margins.append(round(float(top.values[0] - top.values[1]), 6))
            if token in ends:
                return out, margins, True
            out.append(token)
            step = torch.tensor([[token]])
    return out, margins, False


def text(tok, given, answer):
    """What the answer adds to the prompt's text."""
    decode = lambda ids: tok.decode(ids, clean_up_tokenization_spaces=False, skip_special_tokens=False)
    return decode(given + answer)[len(decode(given)):]


def whole(text):
    """Bytes of a text without the character at its end that is not complete yet."""
    return len(text.rstrip("\ufffd").encode())


def ask(models, tok, question):
    prompt = question.get("prompt")
    if prompt is None:
        prompt = tok.apply_chat_template(question["messages"], tokenize=False, add_generation_prompt=True)
    ids = tok(prompt)["input_ids"]
    ends = models["float32"].generation_config.eos_token_id
    ends = set(ends if isinstance(ends, list) else [ends])
    out, margins, ended = continuation(models["float32"], ids, question["tokens"], ends)
    answer = {"prompt": prompt, "ids": ids, "answer_ids": out, "answer": text(tok, ids, out), "ended": ended,
              "margins": margins, "ends": [whole(text(tok, ids, out[:k + 1])) for k in range(len(out))]}
    if "bfloat16" in models:
        rounded, _, _ = continuation(models["bfloat16"], ids, question["tokens"], ends)
        answer["bfloat16"] = text(tok, ids, rounded)
    return answer


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("model")
    args.add_argument("prompts")
    args = args.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    load = lambda dtype: transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=dtype).eval()
    models = {"float32": load(torch.float32)}
    if transformers.AutoConfig.from_pretrained(args.model).dtype == torch.bfloat16:
        models["bfloat16"] = load(torch.bfloat16)
    tok = transformers.AutoTokenizer.from_pretrained(args.model)
    with open(args.prompts) as f:
        answers = [ask(models, tok, q) for q in json.load(f)]
    json.dump({"answers": answers, "made_with": {"transformers": transformers.__version__, "torch": torch.__version__}}, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
