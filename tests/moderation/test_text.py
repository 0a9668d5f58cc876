"""Text as the models read it, and the language it is in."""

import pytest

from moderation.grox import language
from moderation.grox.documents import NO_TEXT, documents_of
from moderation.grox.text import MAX_CHARS, normalise


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("stup1d 1d10t", "stupid 1diot"),
        ("p\u0430ypal with Cyrillic letters", "paypal with cyrillic letters"),
        ("\uff46\uff55\uff4c\uff4c width", "full width"),
        ("g o   a w a y now", "g o away now"),
        ("i d i o t", "idiot"),
        ("zero\u200bwidth \u202eflip", "zerowidth flip"),
        ("see https://example.org/a?b and www.example.org", "see http and http"),
        ("@someone@elsewhere.example hi @you", "@user hi @user"),
        ("sooooooo &amp; so", "sooo & so"),
        ("привет", "привет"),
        ("y\u0336o\u0336u\u0336 \u0336i\u0336d\u0336i\u0336o\u0336t\u0336", "you idiot"),
        ("n\u0303andu\u0301", "ñandú"),
        ("\u05e9\u05b8\u05c1", "\u05e9\u05b8\u05c1"),
        ("", ""),
        (" \n\t ", ""),
    ],
)
def test_tricks_are_undone(raw, expected):
    assert normalise(raw) == expected


def test_piled_marks_are_thinned_and_length_is_bounded():
    zalgo = "a" + "\u0301\u0302\u0303\u0304" * 20 + "b"
    assert len(normalise(zalgo)) < 6
    assert len(normalise("ab " * MAX_CHARS)) <= MAX_CHARS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The museum opens late on Thursday evening", "en"),
        ("El museo abre hasta tarde los jueves por la noche", "es"),
        ("今日は美術館に行きました", "ja"),
        ("Сегодня музей открыт до позднего вечера", "ru"),
        ("ok", language.UNDETERMINED),
        ("😀😀😀", language.UNDETERMINED),
        ("https://example.org", language.UNDETERMINED),
    ],
)
def test_language(text, expected):
    assert language.detect(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("lol nice", ""),
        ("good morning everyone", ""),
        ("Buenos días", "language und"),
        ("El museo abre hasta tarde los jueves por la noche", "language es"),
        ("😀😀", NO_TEXT),
        ("", NO_TEXT),
        ("xqzv", "language und"),
        ("thx u 2", ""),
        ("stfu idiot", ""),
        ("y0u 4r3 4 w0rthl3ss 1d10t", ""),
        ("I love this canción so much, es increíble", ""),
        ("eres tonto", "language und"),
        ("kya kar rahe ho bhai", "language und"),
        ("privet kak dela", "language und"),
        ("omg 너무 예뻐 I love it", "language ko"),
    ],
)
def test_what_the_english_heads_may_judge(text, reason):
    (document,) = documents_of([1], [text])
    assert document.not_scored == reason
