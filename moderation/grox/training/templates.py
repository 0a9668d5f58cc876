"""Short made-up statements that teach what the collected tweets do not: negation, quotation, whom words are about.

Tweets of haters and of others differ in their topics, so a model learns topics. Here the same words stand on both
sides: a group praised and despised, hate denied and quoted, contempt for a group and for a printer. One in four is
misspelled on purpose. Whole templates are kept back together. The wordings of the functional tests differ from these.
"""

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np

from moderation.grox.spelling import mended
from moderation.grox.text import normalise
from moderation.grox.training.datasets import Labelled, is_kept_back

FILE = Path(__file__).parent / "templates.json"
ROWS = 6_000
MISSPELLED = 0.25
SEED = 11

_SLOT = re.compile(r"\{(\w+)\}")
_LEET = str.maketrans("aeio", "4310")


def statements(number: int = ROWS) -> Labelled:
    """Distinct statements, normalised and mended, with 1 for hateful and 0 for harmless, half of each."""
    draw = random.Random(SEED)
    book = json.loads(FILE.read_text(encoding="utf-8"))
    templates: dict[str, str] = {}
    labels: list[int] = []
    for label, side in ((1, "hateful"), (0, "harmless")):
        labels += [label] * (number // 2)
        while len(templates) < len(labels):
            template = draw.choice(book[side])
            templates.setdefault(mended(normalise(_misspelled(_filled(template, book, draw), draw))), template)
    return Labelled(
        list(templates),
        np.array(labels, dtype=np.int8)[:, None],
        np.zeros(len(labels), dtype=np.int64),
        np.array([is_kept_back(template) for template in templates.values()]),
    )


def _filled(template: str, book: dict[str, Any], draw: random.Random) -> str:
    def fill(match: re.Match[str]) -> str:
        slot = match[1]
        return (
            _filled(draw.choice(book["hateful"]), book, draw) if slot == "hateful" else draw.choice(book["slots"][slot])
        )

    return _SLOT.sub(fill, template)


def _misspelled(text: str, draw: random.Random) -> str:
    """One long word with letters swapped, left out, set apart or written as digits; or two words run together."""
    words = text.split()
    long = [place for place, word in enumerate(words) if len(word) > 3]
    if not long or draw.random() > MISSPELLED:
        return text
    place = draw.choice(long)
    word = words[place]
    cut = draw.randrange(1, len(word) - 2)
    match draw.randrange(5):
        case 0:
            word = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
        case 1:
            word = word[:cut] + word[cut + 1 :]
        case 2:
            word = " ".join(word)
        case 3:
            word = word.translate(_LEET)
        case _:
            return " ".join(words).replace(" ", "", 1)
    return " ".join([*words[:place], word, *words[place + 1 :]])
