"""The tokeniser that adjacency keywords and muted keywords share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads.blending.tokenizer import _tokenize_unicode, contains_run, tokenize


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


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_quick_path_for_plain_text_equals_the_rules(text):
    assert tokenize(text) == _tokenize_unicode(text.casefold())


@given(st.text())
def test_tokens_of_any_text_are_found_in_it(text):
    tokens = tokenize(text)
    assert contains_run(tokens, tokens[1:3]) is (len(tokens) > 1)
