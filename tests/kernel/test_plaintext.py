"""What is kept of what people type."""

import pytest

from xsocial.kernel.plaintext import clean, clean_line


def test_controls_and_overrides_of_direction_go_and_words_stay():
    assert clean(" a\x00\x07\r\nb\u0065\u0301 ") == "a\nb\u00e9"
    assert clean("\u202egnp.exe\u202c") == "gnp.exe\u202c"
    assert clean("\u0645\u0631\u062d\u0628\u0627\u200f!") == "\u0645\u0631\u062d\u0628\u0627\u200f!"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Ann \n Lee\t", "Ann Lee"), ("\u202eAnn\u2066 Lee\u2069", "Ann Lee"), ("\u200d👩\u200d🚀", "\u200d👩\u200d🚀")],
)
def test_a_name_is_one_line_that_leaves_its_neighbours_alone(typed, kept):
    assert clean_line(typed) == kept
