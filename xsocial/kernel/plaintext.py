"""What people typed, as it is stored: composed characters, and none that only disturb."""

import unicodedata

# They turn what follows around, even a link; right-to-left text needs none of them.
_OVERRIDES = "\u202d\u202e"
# In a name they would also turn the words beside it.
_DIRECTIONS = _OVERRIDES + "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"


def clean(text: str) -> str:
    """Text of any length: plain line ends, no control characters but tabs, no overrides of direction."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(char for char in composed if char in "\n\t" or _is_kept(char)).strip()


def clean_line(text: str) -> str:
    """A name or a place: one line, single spaces, and no say in the direction of its neighbours."""
    return " ".join("".join(char for char in clean(text) if char not in _DIRECTIONS).split())


def _is_kept(char: str) -> bool:
    return char not in _OVERRIDES and unicodedata.category(char) not in ("Cc", "Cs")
