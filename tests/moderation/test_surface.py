"""What a text looks like."""

import pytest

from moderation.grox.classifiers.surface import NAMES, surface
from moderation.grox.text import normalise


def looks(text):
    return dict(zip(NAMES, surface([normalise(text)])[0].tolist(), strict=True))


def test_a_text_message_that_sells_something():
    found = looks("WINNER!! Call 08712300220 now, only £1.50/msg or 150p per min http://x.example @you #win")
    assert found["has_long_number"] == found["has_money"] == found["has_price"] == found["longest_number"] == 1
    assert found["exclamations"] == pytest.approx(2 / 3)
    assert (found["links"], found["mentions"], found["tags"]) == pytest.approx((0.5, 1 / 3, 0.2))


def test_plain_words_look_like_nothing_and_everything_stays_within_bounds():
    assert looks("see you at lunch") == {**dict.fromkeys(NAMES, 0.0), "length": pytest.approx(0.08)}
    assert surface(["!" * 900 + "1" * 900 + "# http @user " * 90]).max() == 1
    assert surface([]).shape == (0, len(NAMES))
