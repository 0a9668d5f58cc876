"""Misspelled English words put right before the models read them.

A letter left out, two swapped, a digit for the last letter, words run together: that is how words slip past filters,
and how people type. Only what neither the dictionary nor the heads' own texts know is touched, and only if both know
what it must have meant. A letter too many, or in place of another, is left alone: names differ by no more.
"""

import re
from functools import lru_cache
from importlib.resources import files

from symspellpy import SymSpell, Verbosity

from moderation.grox.classifiers import heads
from moderation.grox.text import LEET

TAUGHT_BY = ("offensive", "abuse", "spam", "topics")  # heads whose vocabularies know how people write
SHORTEST = {"swapped": 4, "left out": 5, "run together": 8}  # letters
COMMON = 1_000_000  # times among the dictionary's trillion words
LIKELY = -1.1  # log10 of the probability of words run together, a letter
REMEMBERED = 50_000

_DICTIONARY = "frequency_dictionary_en_82_765.txt"
_WORD = re.compile(r"(?<![@#\w$])[a-z@$0-9]*[a-z][a-z@$0-9]*(?![\w@$])")


def mended(text: str) -> str:
    """Return normalised English text with slips replaced by what they were meant to be."""
    return _WORD.sub(lambda match: _mended_word(match.group()), text)


@lru_cache(maxsize=1)
def _dictionary() -> SymSpell:
    known = SymSpell(max_dictionary_edit_distance=1)
    known.load_dictionary(str(files("symspellpy") / _DICTIONARY), term_index=0, count_index=1)
    return known


def _is_written(word: str) -> bool:
    return any(word in heads.load(task).words.places for task in TAUGHT_BY)


def _is_meant(word: str) -> bool:
    return _dictionary().words.get(word, 0) >= COMMON and _is_written(word)


@lru_cache(maxsize=REMEMBERED)
def _mended_word(word: str) -> str:
    if len(word) < min(SHORTEST.values()) or _is_written(word) or word in _dictionary().words:
        return word
    if not word.isalpha():
        unmasked = word.translate(LEET)
        return unmasked if _is_meant(unmasked) else word
    near = [found.term for found in _dictionary().lookup(word, Verbosity.ALL, 1) if _is_slip(word, found.term)]
    return near[0] if near else _parted(word)


def _is_slip(word: str, meant: str) -> bool:
    """Whether a letter within was left out, or neighbours were swapped."""
    if len(word) == len(meant):
        is_likely = sorted(word) == sorted(meant) and len(word) >= SHORTEST["swapped"]
    else:
        is_likely = len(word) < len(meant) and len(word) >= SHORTEST["left out"]
    return is_likely and word[0] == meant[0] and _is_meant(meant)


def _parted(word: str) -> str:
    if len(word) < SHORTEST["run together"]:
        return word
    parts = _dictionary().word_segmentation(word, max_edit_distance=0)
    is_likely = parts.log_prob_sum >= LIKELY * len(word) and all(map(_is_written, parts.corrected_string.split()))
    return parts.corrected_string if is_likely else word
