"""Reading text: mentions and hashtags."""

import pytest

from posts.services import text


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("@ann and @Ann, (@bob)", ["ANN", "BOB"]),
        ("mail me@example.com or see example.com/@ann", []),
        ("@ann@elsewhere.example", []),
        ("@" + "x" * 31, []),
        ("Hi @ann. @bob's", ["ANN", "BOB"]),
    ],
)
def test_mentions(written, names):
    assert text.mentioned_names(written) == names


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("#Tea #tea #Кофе", ["tea", "кофе"]),
        ("#1 #2024 #4you", ["4you"]),
        ("a#b &#39; example.com/#top", []),
        ("#" + "x" * 101, []),
    ],
)
def test_hashtags(written, tags):
    assert text.hashtags(written) == tags
