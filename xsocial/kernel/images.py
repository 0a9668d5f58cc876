"""Uploaded pictures: verified by content, bounded, stripped and encoded anew.

Nothing of an upload is kept as it came. What is stored was drawn by this code from decoded
pixels, so neither metadata nor a disguised second format survives.
"""

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, ImageSequence

from xsocial.kernel.errors import Invalid

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 40_000_000  # of one frame: a 40 megapixel photo decodes to 120 MB
MAX_ANIMATION_PIXELS = 60_000_000  # of all frames together
MAX_SIDE = 16_000
QUALITY = 85

# What Pillow raises on broken or hostile files.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error)

Floats = npt.NDArray[np.float64]
_HASH_SIDE = 32
_HASH_X, _HASH_Y = 4, 3
_BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


@dataclass(frozen=True)
class EncodedImage:
    """A picture as we store it. Sizes in pixels; `extension` without a dot."""

    data: bytes
    content_type: str
    extension: str
    width: int
    height: int
    blurhash: str


def reencode(file: BinaryIO, *, fit_side: int = 2048, crop_to: tuple[int, int] | None = None) -> EncodedImage:
    """Decode an uploaded picture and encode it anew, upright and without metadata.

    It is shrunk so that neither side passes `fit_side`, or cut to exactly `crop_to`.
    Raises Invalid for anything that is not a sound picture within the limits.
    """
    check_size(file, MAX_BYTES)
    try:
        image = Image.open(file, formats=FORMATS)
        _check_limits(image)
        if getattr(image, "is_animated", False) and crop_to is None:
            return _encode_animation(image, fit_side)
        return encode(_sized(_upright(image), fit_side, crop_to), is_photo=image.format == "JPEG")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid("This picture has too many pixels.", extra={"field": "file"}) from error
    except _BROKEN as error:
        raise Invalid(
            "This file is not a sound JPEG, PNG, WebP or GIF picture.",
            extra={"field": "file"},
        ) from error


def encode(image: Image.Image, *, is_photo: bool) -> EncodedImage:
    """Encode decoded pixels: photos as JPEG, drawings and transparency as WebP."""
    if is_photo and image.mode == "RGB":
        return _written(image, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return _written(image, "WEBP", quality=QUALITY, method=4)


def fitted(image: Image.Image, side: int) -> Image.Image:
    """The picture shrunk, if need be, so that neither side passes `side`; the argument is kept."""
    copy = image.copy()
    if max(copy.size) > side:
        copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    return copy


def shrunk(picture: EncodedImage, side: int) -> EncodedImage:
    """A still preview of a picture that `reencode` made."""
    image = Image.open(io.BytesIO(picture.data))
    pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return encode(fitted(pixels, side), is_photo=picture.extension == "jpg")


def check_size(file: BinaryIO, max_bytes: int) -> None:
    """Raise Invalid for an empty or oversized file; leaves it rewound."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise Invalid("The file is empty.", extra={"field": "file"})
    if size > max_bytes:
        raise Invalid(f"The file is larger than {max_bytes // 2**20} MB.", extra={"field": "file"})


def _check_limits(image: Image.Image) -> None:
    width, height = image.size
    frames = getattr(image, "n_frames", 1)
    too_wide = max(width, height) > MAX_SIDE or width * height > MAX_PIXELS
    if too_wide or (frames > 1 and frames * width * height > MAX_ANIMATION_PIXELS):
        raise Invalid("This picture has too many pixels.", extra={"field": "file"})


def _upright(image: Image.Image) -> Image.Image:
    """The pixels in sRGB, turned as the camera meant, as RGB or RGBA."""
    profile = image.info.get("icc_profile")
    turned = ImageOps.exif_transpose(image)
    has_alpha = turned.has_transparency_data
    pixels = turned.convert("RGBA" if has_alpha else "RGB")
    return _in_srgb(pixels, profile) if profile and turned.mode in ("RGB", "RGBA") else pixels


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Translate the colours; a profile that cannot be read is treated as sRGB."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return image
    return converted or image


def _sized(image: Image.Image, fit_side: int, crop_to: tuple[int, int] | None) -> Image.Image:
    if crop_to:
        return ImageOps.fit(image, crop_to, Image.Resampling.LANCZOS)
    return fitted(image, fit_side)


def _encode_animation(image: Image.Image, fit_side: int) -> EncodedImage:
    durations, frames = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(max(20, int(frame.info.get("duration", 100))))
        frames.append(_sized(frame.convert("RGBA"), fit_side, None))
    return _written(
        frames[0],
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        quality=QUALITY,
        method=2,
    )


def _written(image: Image.Image, format_: str, **options: object) -> EncodedImage:
    image.info.clear()  # Pillow would write back what it remembers of the source
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    extension = {"JPEG": "jpg", "WEBP": "webp"}[format_]
    return EncodedImage(
        data=buffer.getvalue(),
        content_type=f"image/{format_.lower()}",
        extension=extension,
        width=image.width,
        height=image.height,
        blurhash=hash_of(image),
    )


def hash_of(image: Image.Image) -> str:
    """The blurhash (github.com/woltapp/blurhash) of 4 by 3 components: colours to show while loading."""
    small = image.convert("RGB")
    small.thumbnail((_HASH_SIDE, _HASH_SIDE))
    dc, *ac = _cosine_components(_to_linear(np.asarray(small, dtype=np.float64) / 255.0))
    peak = max(abs(float(value)) for component in ac for value in component)
    # The scale of the AC part is quantised to 1/166 before the parts are.
    quantised = min(82, max(0, int(peak * 166 - 0.5)))
    scale = (quantised + 1) / 166
    size_flag = (_HASH_X - 1) + (_HASH_Y - 1) * 9
    return "".join(
        [
            _base83(size_flag, 1),
            _base83(quantised, 1),
            _base83(_packed_colour(dc), 4),
            *(_base83(_packed_detail(component / scale), 2) for component in ac),
        ]
    )


def _cosine_components(pixels: Floats) -> list[Floats]:
    """Linear RGB [H, W, 3] -> 12 components of 3 channels, x running fastest."""
    height, width, _ = pixels.shape
    across = np.cos(np.pi * np.outer(np.arange(_HASH_X), np.arange(width)) / width)
    down = np.cos(np.pi * np.outer(np.arange(_HASH_Y), np.arange(height)) / height)
    components = np.einsum("yh,xw,hwc->yxc", down, across, pixels) * 2 / (width * height)
    components[0, 0] /= 2
    return list(components.reshape(-1, 3))


def _to_linear(srgb: Floats) -> Floats:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _packed_colour(linear: Floats) -> int:
    clipped = np.clip(linear, 0, 1)
    srgb = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    red, green, blue = (int(value) for value in np.rint(srgb * 255))
    return (red << 16) + (green << 8) + blue


def _packed_detail(scaled: Floats) -> int:
    rooted = np.sign(scaled) * np.sqrt(np.abs(scaled))
    red, green, blue = (int(value) for value in np.clip(np.floor(rooted * 9 + 9.5), 0, 18))
    return (red * 19 + green) * 19 + blue


def _base83(value: int, length: int) -> str:
    return "".join(_BASE83[value // 83**place % 83] for place in reversed(range(length)))
