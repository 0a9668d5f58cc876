"""Numbers of the command line are refused out of bounds, by name."""

from argparse import ArgumentTypeError

import pytest

from xsocial.kernel.arguments import number, port, seed, whole


def test_values_within_bounds_are_taken():
    assert (whole()("7"), whole(0)("0"), seed("4294967295"), port("0")) == (7, 0, 4294967295, 0)
    assert (number()("0.5"), number(-3)("-2")) == (0.5, -2.0)


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (whole(), "0", "at least 1, not 0"),
        (whole(20), "-4", "at least 20, not -4"),
        (whole(), "1e9", "'1e9' is not a whole number"),
        (whole(), "", "'' is not a whole number"),
        (seed, "-1", "at least 0"),
        (seed, "99999999999999999999", "at most 4294967295"),
        (port, "99999", "at most 65535"),
        (number(), "nan", "'nan' is not a number"),
        (number(), "inf", "'inf' is not a number"),
        (number(0.001), "0", "at least 0.001"),
    ],
)
def test_others_are_refused(parse, text: str, words: str):
    with pytest.raises(ArgumentTypeError, match=words):
        parse(text)
