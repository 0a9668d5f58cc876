"""The tokeniser that adjacency keywords and muted keywords share."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads.blending.tokenizer import contains_run, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don’t #Know @Bank_x $TSLA", "i don t know bank_x tsla"),  # noqa: RUF001
        ("ＰＬＡＮＥ Straße 3.5%", "plane strasse 3 5"),  # noqa: RUF001
        ("東京タワーへ go", "東 京 タ ワ ー へ go"),
        ("nice 😀 day", "nice 😀 day"),
        ("https://x.example/a?b=1 end", "https://x.example/a?b=1 end"),
        ("見てhttps://x.example/é です", "見 て https://x.example/é で す"),
        ("👩‍💻❤️", "👩 💻 ❤"),
        ("!!! ... '", ""),
        ("", ""),
    ],
)
def test_worked_examples(text, tokens):
    assert tokenize(text) == tokens.split()


@pytest.mark.parametrize(
    ("text", "keyword", "found"),
    [
        ("A #Plane crash!", "plane crash", True),
        ("the plane did crash", "plane crash", False),
        ("an airplane", "plane", False),
        ("ask @bank", "bank", True),
        ("see https://bank.example/x", "bank", False),
        ("a a b", "a b", True),
        ("wow!!!", "!!!", False),
        ("short", "short of words", False),
    ],
)
def test_keyword_matches_whole_words_in_a_row(text, keyword, found):
    assert contains_run(tokenize(text), tokenize(keyword)) is found


CJK = [(0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3134F)]


def literally(text):
    """The rules one character at a time: slow, and easy to believe."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(character for character in text if character not in "\u200d\ufe0e\ufe0f")
    tokens, position = [], 0
    while position < len(text):
        end = position
        if link := re.compile(r"https?://\S*").match(text, position):
            end = link.end()
        elif kind(text[position]) == "single":
            end += 1
        else:
            while end < len(text) and kind(text[end]) == "word":
                end += 1
        if end > position:
            tokens.append(text[position:end])
        position = max(end, position + 1)
    return tokens


def kind(character):
    category = unicodedata.category(character)
    if any(first <= ord(character) <= last for first, last in CJK) or category == "So":
        return "single"
    return "word" if category[0] in "LNM" or character == "_" else "separator"


ODD = st.sampled_from([*"aÉ_ 9½́東ー😀©ー𠀀-]^\\#@’\u200d\ufe0f\U000e0100", "http://", "https://x", "\u00a0"])  # noqa: RUF001


@given(st.text() | st.text(st.characters(max_codepoint=127)) | st.lists(ODD).map("".join))
def test_the_expression_equals_the_rules_read_literally(text):
    assert tokenize(text) == literally(text)


def test_every_character_is_classed_as_the_rules_say():
    characters = [chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) not in ("Cs", "Co", "Cn")]
    settled = [c for c in characters if unicodedata.normalize("NFKC", c).casefold() == c not in "\u200d\ufe0e\ufe0f"]
    assert tokenize(" ".join(settled)) == [c for c in settled if kind(c) != "separator"]


@given(st.text())
def test_tokens_of_any_text_are_found_in_it(text):
    tokens = tokenize(text)
    assert contains_run(tokens, tokens[1:3]) is (len(tokens) > 1)
