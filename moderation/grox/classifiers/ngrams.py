"""N-grams of normalised text: counted once for all heads, weighed by sparse products."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

WORD_OPTIONS = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b|[^\w\s]"}
CHAR_OPTIONS = {"analyzer": "char_wb", "ngram_range": (2, 5)}
WORDS_REMEMBERED = 20_000  # few words make up most of what people write

_word_grams = CountVectorizer(lowercase=False, **WORD_OPTIONS).build_analyzer()
_char_grams = CountVectorizer(lowercase=False, **CHAR_OPTIONS).build_analyzer()
_NONE = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True)
class Terms:
    """A fixed vocabulary with its inverse document frequencies."""

    terms: tuple[str, ...]
    idf: NDArray[np.float32]

    @cached_property
    def places(self) -> dict[str, int]:
        """Column of each term."""
        return {term: index for index, term in enumerate(self.terms)}


class WordGrams:
    """What some heads make of words and pairs of words.

    Every head has its own vocabulary, so a text's TF-IDF vector has a length of its own in each. With
    t = 1 + log(count) a class's part of the logit is sum(t idf w) / sqrt(sum(t² idf²)).
    """

    def __init__(self, terms: Sequence[Terms], weights: Sequence[NDArray[np.float32]]) -> None:
        """`weights` [C, terms] of each head."""
        known = dict.fromkeys(chain.from_iterable(each.terms for each in terms))
        self._places = {term: place for place, term in enumerate(known)}
        self._classes = [len(each) for each in weights]
        self._weights = np.zeros((len(known), sum(self._classes)), dtype=np.float32)
        self._squares = np.zeros((len(known), len(terms)), dtype=np.float32)
        first = 0
        for number, (each, head_weights) in enumerate(zip(terms, weights, strict=True)):
            places = [self._places[term] for term in each.terms]
            self._squares[places, number] = each.idf**2
            self._weights[places, first : first + len(head_weights)] = (head_weights * each.idf).T
            first += len(head_weights)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Parts of the logits [N, classes of all heads]."""
        counts = self._counted(texts)
        counts.data = 1 + np.log(counts.data)
        summed = counts @ self._weights
        counts.data **= 2
        lengths = np.sqrt(counts @ self._squares)
        return summed / np.maximum(lengths, 1e-12).repeat(self._classes, axis=1)

    def _counted(self, texts: Sequence[str]) -> csr_matrix:
        """How often each known n-gram occurs in each text."""
        columns = [self._columns(text) for text in texts]
        ends = np.cumsum([0, *map(len, columns)])
        indices = np.concatenate([_NONE, *columns])
        counts = csr_matrix((np.ones(len(indices), np.float32), indices, ends), (len(texts), len(self._places)))
        counts.sum_duplicates()
        return counts

    def _columns(self, text: str) -> NDArray[np.int32]:
        return self._known(_word_grams(text))

    def _known(self, grams: list[str]) -> NDArray[np.int32]:
        known = list(filter(self._places.__contains__, grams))
        return np.fromiter(map(self._places.__getitem__, known), np.int32, len(known))


class CharGrams(WordGrams):
    """The same of the characters within words; common words are taken apart once."""

    def __init__(self, terms: Sequence[Terms], weights: Sequence[NDArray[np.float32]]) -> None:
        super().__init__(terms, weights)
        self._columns_of_word = lru_cache(maxsize=WORDS_REMEMBERED)(lambda word: self._known(_char_grams(word)))

    def _columns(self, text: str) -> NDArray[np.int32]:
        return np.concatenate([_NONE, *map(self._columns_of_word, text.split())])
