"""Noisy pairs in eight scripts with sacreBLEU's sentence scores, then each script as a corpus."""

import invented


def metrics():
    from sacrebleu.metrics import BLEU, CHRF

    return {
        "chrf": (CHRF(), CHRF()),
        "chrf++": (CHRF(word_order=2), CHRF(word_order=2)),
        "bleu": (BLEU(effective_order=True, force=True), BLEU(force=True)),
    }


def pair(rng, script):
    reference = invented.sentence(rng, script)
    answer = invented.join(rng, invented.noisy(rng, script, reference))
    references = [invented.join(rng, reference)]
    if rng.random() < 0.15:
        references.append(invented.join(rng, invented.noisy(rng, script, reference)))
    return {"script": script, "answer": answer, "references": [r if r.strip() else "x" for r in references]}


def lines(rng, count):
    scorers = metrics()
    scripts = list(invented.SCRIPTS)
    pairs = [pair(rng, scripts[i % len(scripts)]) for i in range(count)]
    for p in pairs:
        for name, (sentence, _) in scorers.items():
            p[name] = sentence.sentence_score(p["answer"], p["references"]).score
        yield p
    for script in scripts:
        mine = [p for p in pairs if p["script"] == script]
        # Lists of references must be equally long: a pair with one reference has None as its second.
        streams = [[p["references"][i] if i < len(p["references"]) else None for p in mine] for i in range(2)]
        row = {"script": script, "corpus": True}
        for name, (_, corpus) in scorers.items():
            row[name] = corpus.corpus_score([p["answer"] for p in mine], streams).score
        yield row
