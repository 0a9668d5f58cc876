"""Perceptual fingerprints of pictures: 256 bits that hardly change when a picture is scaled, re-encoded or tinted.

The bits say which of the 256 coarsest cosine components of the grey picture are above their median
(imagehash's `phash` with a side of 16). Two fingerprints are compared by how many bits differ. A mirrored
or heavily cropped picture has another fingerprint.
"""

import imagehash
import numpy as np
from PIL import Image

BITS = 256
#: Bits that may differ between two encodings of one picture. Unrelated pictures differ in about half.
SAME_WITHIN = 40
#: Below it two pictures are alike because there is little in either. Scale and value are those of PDQ
#: (github.com/facebook/ThreatExchange), which counts steps between neighbours at 64 by 64.
MIN_DETAIL = 50.0
_SIDE = 64


def fingerprint(image: Image.Image) -> str | None:
    """The fingerprint as 256 signs "0" or "1"; None for a picture too plain to be told from others."""
    grey = _flat(image).convert("L")
    if _detail(grey) < MIN_DETAIL:
        return None
    return "".join("1" if bit else "0" for bit in imagehash.phash(grey, hash_size=16).hash.flat)


def distance(one: str, other: str) -> int:
    """In how many bits two fingerprints differ."""
    return (int(one, 2) ^ int(other, 2)).bit_count()


def to_hex(bits: str) -> str:
    """The short way to write a fingerprint down: 64 hexadecimal digits."""
    return f"{int(bits, 2):0{BITS // 4}x}"


def from_hex(digits: str) -> str:
    """Read what `to_hex` wrote. Raises ValueError for anything else."""
    if len(digits) != BITS // 4:
        raise ValueError(f"a fingerprint has {BITS // 4} hexadecimal digits")
    return f"{int(digits, 16):0{BITS}b}"


def _flat(image: Image.Image) -> Image.Image:
    """Transparent pixels on white, as most people see them."""
    if not image.has_transparency_data:
        return image
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground


def _detail(grey: Image.Image) -> float:
    """Steps between neighbouring pixels in whole percent, summed and divided by 90; a soft slope has none."""
    pixels = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float64)
    steps = [np.floor(np.abs(np.diff(pixels, axis=axis)) * 100 / 255).sum() for axis in (0, 1)]
    return float(sum(steps)) / 90
