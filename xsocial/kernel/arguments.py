"""Types for the command line: what is out of bounds is refused while parsing, with the option named."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

MOST = 2**63 - 1


def whole(least: int = 1, most: int = MOST) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is not a whole number") from None
        _check(value, least, most)
        return value

    return parse


def number(least: float = 0.0, most: float = math.inf) -> Callable[[str], float]:
    """A finite number within bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ArgumentTypeError(f"{text!r} is not a number")
        _check(value, least, most)
        return value

    return parse


def _check(value: float, least: float, most: float) -> None:
    if value < least:
        raise ArgumentTypeError(f"must be at least {least}, not {value}")
    if value > most:
        raise ArgumentTypeError(f"must be at most {most}, not {value}")


# What NumPy and PyTorch both take.
seed = whole(0, 2**32 - 1)
port = whole(0, 65_535)
