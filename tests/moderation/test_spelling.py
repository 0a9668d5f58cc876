"""Slips of English words are put right before the models read them; names, slang and other languages are left alone."""

import pytest

from moderation.grox.documents import documents_of
from moderation.grox.spelling import mended


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("i htae women", "i hate women"),
        ("gay poeple are disgsuting", "gay people are disgusting"),
        ("trans peple shuold leave", "trans people should leave"),
        ("i hat3 them", "i hate them"),
        ("immigrantsarescum", "immigrants are scum"),
        ("(welcomeimmigrants!)", "(welcome immigrants!)"),
    ],
)
def test_slips_are_put_right(written, meant):
    assert mended(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@htae #htae $htae",
        "kanye and lewandowski at tottenham",
        "ps4, mp3, win10 and gr8",
        "lmao thx u r gonna luv this brexit selfie",
        "the tram along the lakes",
        "xqzvkjw wqhtrpskdlfjgh",
    ],
)
def test_names_slang_and_nonsense_are_left_alone(text):
    assert mended(text) == text


def test_the_models_read_what_was_meant():
    slip, meant = documents_of([1, 2], ["I htae all of these women", "I hate all of these women"])
    assert slip.text == meant.text
    assert slip.vector.tolist() == meant.vector.tolist()
    assert slip.raw_text == "I htae all of these women"


def test_other_languages_are_not_put_right():
    (document,) = documents_of([1], ["Me gusta mucho el shuold y la cerveza con mis amigos de la escuela"])
    assert document.language == "es"
    assert "shuold" in document.text
