"""Invented words and sentences in eight scripts, and noise on them."""

# Letters, with marks where the script has them.
SCRIPTS = {
    "latin": [(0x61, 0x7A), (0xE0, 0xF6), (0x41, 0x5A), (0x17F, 0x17F), (0x130, 0x131)],
    "greek": [(0x3B1, 0x3C9), (0x391, 0x3A1), (0x3A3, 0x3A9)],
    "cyrillic": [(0x430, 0x44F), (0x410, 0x42F)],
    "arabic": [(0x621, 0x63A), (0x641, 0x652)],
    "devanagari": [(0x905, 0x939), (0x93E, 0x94D)],
    "thai": [(0xE01, 0xE3A), (0xE40, 0xE4E)],
    "han": [(0x4E00, 0x9FA5)],
    "hangul": [(0xAC00, 0xD7A3), (0x1100, 0x1112)],
}
SPACES = [" "] * 40 + ["  ", "\t", "\n", "\u00a0", "\u3000", "\u2009", "\x1c", "\u2028", "-\n"]
MARKS = list(".,;:!?'\"()[]{}<>-_/\\@#$%^&*+=|~`") + ["…", "—", "«", "»", "“", "”", "。", "，", "؟", "।", "¡", "\u0301"]
PIECES = ["&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;", "<skipped>", "1,234.5", "3.14", "-7", "20-30", "a.b", ",5", "5,", "U.S.", "\u0663\u0664", "\U0001f600", "..."]


def letter(rng, script):
    low, high = rng.choice(SCRIPTS[script])
    return chr(rng.randint(low, high))


def word(rng, script):
    return "".join(letter(rng, script) for _ in range(rng.randint(1, 3 if script in ("han", "hangul") else 9)))


def token(rng, words):
    kind = rng.random()
    if kind < 0.06:
        return rng.choice(PIECES)
    text = rng.choice(words)
    if kind < 0.16:
        text += rng.choice(MARKS)
    elif kind < 0.22:
        text = rng.choice(MARKS) + text
    elif kind < 0.25:
        text = rng.choice(MARKS) + text + rng.choice(MARKS)
    return text


def join(rng, tokens):
    return "".join(t + (rng.choice(SPACES) if i + 1 < len(tokens) else "") for i, t in enumerate(tokens))


def sentence(rng, script, most=30):
    words = [word(rng, script) for _ in range(rng.randint(3, 25))]
    return [token(rng, words) for _ in range(rng.randint(1, most))]


def noisy(rng, script, tokens):
    """tokens with some lost, doubled, swapped, replaced or misspelt."""
    rate = rng.choice([0, 0.05, 0.2, 0.5, 1])
    out = []
    for t in tokens:
        if rng.random() >= rate:
            out.append(t)
            continue
        kind = rng.randrange(6)
        if kind == 0:
            continue
        if kind == 1:
            out += [t, t]
        elif kind == 2 and out:
            out.insert(len(out) - 1, t)
        elif kind == 3:
            out.append(word(rng, script))
        elif kind == 4:
            at = rng.randrange(len(t) + 1)
            out.append(t[:at] + rng.choice([letter(rng, script), rng.choice(MARKS), ""]) + t[at + 1 :])
        else:
            out.append(t.upper() if rng.random() < 0.5 else t[::-1])
    return out
