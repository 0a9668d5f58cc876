"""Pictures, clips, avatars and headers of the demo world, drawn here by simple geometry."""

import io
import math
import random
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import blurhash
import numpy as np
from PIL import Image, ImageDraw

from feed.simulation.topics import Topic

SIZE = (960, 640)
CLIP_SIZE = (480, 270)
FRAMES_PER_SECOND = 12
AVATAR_SIDE = 128
HEADER_SIZE = (900, 300)

#: Background, middle, foreground, accent.
PALETTES = (
    ("#f4e9d8", "#d9a566", "#7a4b2a", "#c8442e"),
    ("#dcecf2", "#7fb3c8", "#27536b", "#f2b84b"),
    ("#101b33", "#26406b", "#5d7fb0", "#ffe08a"),
    ("#eaf1de", "#9fbf7a", "#3f6b3a", "#e2703a"),
    ("#f7e3e3", "#d98c8c", "#7c3a4d", "#3a7c6b"),
    ("#efeaf7", "#a893cf", "#4b3a7c", "#f0a3b5"),
    ("#fbf3cf", "#e8c24a", "#8a6a1f", "#2f6f8f"),
    ("#22252b", "#4a505c", "#a7adb8", "#ef6f53"),
)

Draw = ImageDraw.ImageDraw
Palette = tuple[str, str, str, str]


@dataclass(frozen=True)
class Picture:
    """An encoded file with what a reader who cannot see it should know."""

    name: str
    data: bytes
    content_type: str
    width: int
    height: int
    alt_text: str
    blurhash: str
    duration_ms: int | None = None
    poster: bytes | None = None


def _hills(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    r = h // 9
    x, y = rng.randrange(w // 6, w * 5 // 6), rng.randrange(h // 6, h // 2)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=c[3])
    for layer in range(3):
        base = h * (0.5 + 0.15 * layer)
        phase, period = rng.random() * 6, w / rng.uniform(4, 9)
        crest = [(px, base + h * 0.08 * math.sin(px / period + phase)) for px in range(0, w + 9, 8)]
        draw.polygon([*crest, (w, h), (0, h)], fill=(c[1], c[2], _shade(c[2], 0.7))[layer])


def _sea(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    draw.rectangle((0, h * 0.45, w, h), fill=c[1])
    for row in range(12):
        y = h * (0.48 + 0.045 * row)
        for _ in range(7 + row):
            x = rng.randrange(w)
            draw.line((x, y, x + rng.randrange(20, 70), y), fill=_shade(c[1], 1.25), width=3)
    x, y = rng.randrange(w // 4, w * 3 // 4), h * 0.47
    draw.polygon(((x - 70, y), (x + 70, y), (x + 45, y + 28), (x - 45, y + 28)), fill=c[2])
    draw.polygon(((x, y - 130), (x, y - 8), (x + 62, y - 8)), fill=c[3])


def _stars(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    draw.rectangle((0, 0, w, h), fill="#0e1630")
    for _ in range(260):
        x, y, r = rng.randrange(w), rng.randrange(h), rng.choice((1, 1, 1, 2, 3))
        draw.ellipse((x - r, y - r, x + r, y + r), fill="#f5f1dd")
    x, y, r = rng.randrange(w // 4, w * 3 // 4), rng.randrange(h // 4, h * 2 // 3), rng.randrange(60, 120)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=c[1])
    draw.arc((x - 2 * r, y - r * 0.5, x + 2 * r, y + r * 0.5), 0, 360, fill=c[3], width=6)


def _birds(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for _ in range(rng.randrange(7, 18)):
        x, y, s = rng.randrange(w), rng.randrange(int(h * 0.7)), rng.randrange(14, 46)
        draw.arc((x - 2 * s, y - s, x, y + s), 200, 340, fill=c[2], width=5)
        draw.arc((x, y - s, x + 2 * s, y + s), 200, 340, fill=c[2], width=5)
    for x in range(0, w, 14):
        top = h - rng.randrange(30, 130)
        draw.line((x, h, x + rng.randrange(-14, 14), top), fill=c[1], width=4)


def _leaves(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for _ in range(46):
        x, y, s = rng.randrange(w), rng.randrange(h), rng.randrange(26, 70)
        draw.ellipse((x - s, y - s // 3, x + s, y + s // 3), fill=rng.choice((c[1], c[2], _shade(c[1], 0.8))))
        draw.line((x - s, y, x + s, y), fill=c[0], width=2)
    for _ in range(5):
        x, y, s = rng.randrange(w), rng.randrange(h), rng.randrange(18, 40)
        draw.ellipse((x - s, y - s, x + s, y + s), fill=c[3])


def _circuit(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for _ in range(34):
        x, y = rng.randrange(0, w, 32), rng.randrange(0, h, 32)
        for _ in range(4):
            nx, ny = (x + rng.choice((-96, -64, 64, 96)), y) if rng.random() < 0.5 else (x, y + rng.choice((-64, 64)))
            draw.line((x, y, nx, ny), fill=c[2], width=4)
            x, y = nx, ny
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=c[3], outline=c[2], width=3)
    draw.rectangle((w * 0.4, h * 0.38, w * 0.6, h * 0.62), fill=c[1], outline=c[2], width=5)


def _bars(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    count = rng.randrange(6, 13)
    width = (w - 160) / count
    for index in range(count):
        x, top = 90 + index * width, h - 90 - rng.random() * (h - 220)
        draw.rectangle((x, top, x + width * 0.7, h - 90), fill=c[3] if index == count - 1 else c[1])
    draw.line((80, 60, 80, h - 90, w - 60, h - 90), fill=c[2], width=5)


def _curve(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for step in range(1, 6):
        y = 60 + step * (h - 150) / 6
        draw.line((80, y, w - 60, y), fill=_shade(c[0], 0.9), width=2)
    for colour in (c[1], c[3]):
        value, points = rng.uniform(0.3, 0.6), []
        for x in range(80, w - 60, 12):
            value = min(max(value + rng.gauss(0.004, 0.03), 0.05), 0.95)
            points.append((x, h - 90 - value * (h - 170)))
        draw.line(points, fill=colour, width=6, joint="curve")
    draw.line((80, 60, 80, h - 90, w - 60, h - 90), fill=c[2], width=5)


def _board(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    side = h // 9
    left = (w - 8 * side) // 2
    for row in range(8):
        for column in range(8):
            x, y = left + column * side, side // 2 + row * side
            draw.rectangle((x, y, x + side, y + side), fill=c[1] if (row + column) % 2 else _shade(c[0], 0.95))
            if rng.random() < 0.25:
                fill = rng.choice((c[2], c[3]))
                draw.ellipse((x + side * 0.2, y + side * 0.2, x + side * 0.8, y + side * 0.8), fill=fill)


def _skyline(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    x = 0
    while x < w:
        width, top = rng.randrange(50, 130), rng.randrange(h // 4, h * 3 // 4)
        draw.rectangle((x, top, x + width, h), fill=rng.choice((c[1], c[2], _shade(c[2], 0.8))))
        for wy in range(top + 18, h - 20, 34):
            for wx in range(x + 12, x + width - 14, 26):
                if rng.random() < 0.55:
                    draw.rectangle((wx, wy, wx + 10, wy + 16), fill=c[3])
        x += width + 4


def _peaks(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for layer in range(3):
        for _ in range(4):
            x, top, half = rng.randrange(w), h * rng.uniform(0.15, 0.5) + layer * 70, rng.randrange(150, 330)
            draw.polygon(((x - half, h), (x, top), (x + half, h)), fill=(c[1], c[2], _shade(c[2], 0.75))[layer])
            if layer < 2:
                cap = half * 0.22
                draw.polygon(
                    ((x - cap, top + (h - top) * 0.22), (x, top), (x + cap, top + (h - top) * 0.22)), fill=c[0]
                )


def _spines(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for shelf in (0.08, 0.55):
        x = 30
        while x < w - 40:
            width, top = rng.randrange(22, 62), h * shelf + rng.randrange(0, 70)
            draw.rectangle((x, top, x + width, h * (shelf + 0.37)), fill=rng.choice(c[1:]))
            draw.line((x + 6, top + 40, x + width - 6, top + 40), fill=c[0], width=3)
            x += width + 3
        draw.rectangle((0, h * (shelf + 0.37), w, h * (shelf + 0.40)), fill=c[2])


def _waves(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    for line in range(9):
        y, amplitude, period = h * (0.1 + 0.1 * line), rng.uniform(8, 55), rng.uniform(30, 120)
        points = [(x, y + amplitude * math.sin(x / period + line)) for x in range(0, w + 8, 8)]
        draw.line(points, fill=c[1 + line % 3], width=7, joint="curve")


def _table(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    draw.rectangle((0, 0, w, h), fill=c[1])
    for _ in range(6):
        x, y, r = rng.randrange(80, w - 80), rng.randrange(80, h - 80), rng.randrange(50, 120)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=c[0], outline=_shade(c[1], 0.8), width=4)
        inner = r * rng.uniform(0.5, 0.8)
        draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=rng.choice((c[2], c[3])))


def _tiles(draw: Draw, rng: random.Random, c: Palette, w: int, h: int) -> None:
    side = rng.choice((80, 107, 160))
    for x in range(0, w, side):
        for y in range(0, h, side):
            start = rng.choice((0, 90, 180, 270))
            draw.rectangle((x, y, x + side, y + side), fill=rng.choice((c[0], c[1])))
            draw.pieslice((x - side, y - side, x + side, y + side), start, start + 90, fill=rng.choice((c[2], c[3])))
            draw.ellipse((x + side * 0.3, y + side * 0.3, x + side * 0.7, y + side * 0.7), fill=rng.choice(c))


Scene = tuple[Callable[[Draw, random.Random, Palette, int, int], None], str]

HILLS: Scene = (_hills, "Three ranges of hills under a low sun")
SEA: Scene = (_sea, "A small sailing boat on a calm sea")
STARS: Scene = (_stars, "A ringed planet among stars")
BIRDS: Scene = (_birds, "Birds over tall reeds")
LEAVES: Scene = (_leaves, "Overlapping leaves with round fruit")
CIRCUIT: Scene = (_circuit, "Tracks of a circuit board around one large chip")
BARS: Scene = (_bars, "A bar chart with the last bar highlighted")
CURVE: Scene = (_curve, "A line chart comparing two slowly rising series")
BOARD: Scene = (_board, "A checked game board with pieces of two colours")
SKYLINE: Scene = (_skyline, "A row of houses with lit windows")
PEAKS: Scene = (_peaks, "Snow-capped mountains one behind another")
SPINES: Scene = (_spines, "Two shelves of books of different height")
WAVES: Scene = (_waves, "Nine wavy lines, like a recording of sound")
TABLE: Scene = (_table, "Plates and cups on a table, seen from above")
TILES: Scene = (_tiles, "A pattern of quarter circles and dots")

SCENES: dict[str, tuple[Scene, ...]] = {
    "space": (STARS, STARS, CURVE),
    "ocean": (SEA, SEA, WAVES),
    "birds": (BIRDS, BIRDS, HILLS),
    "gardening": (LEAVES, LEAVES, TABLE),
    "programming": (CIRCUIT, BARS, TILES),
    "machine-learning": (CURVE, BARS, CURVE),
    "electronics": (CIRCUIT, CIRCUIT, WAVES),
    "woodworking": (TILES, TABLE, LEAVES),
    "design": (TILES, TILES, WAVES),
    "football": (BARS, BOARD, CURVE),
    "cycling": (HILLS, PEAKS, CURVE),
    "running": (HILLS, CURVE, SKYLINE),
    "climbing": (PEAKS, PEAKS, HILLS),
    "film": (STARS, SKYLINE, TILES),
    "books": (SPINES, SPINES, LEAVES),
    "music": (WAVES, WAVES, TILES),
    "photography": (HILLS, SEA, SKYLINE),
    "games": (BOARD, BOARD, TILES),
    "cooking": (TABLE, TABLE, LEAVES),
    "coffee": (TABLE, TABLE, TILES),
    "pets": (LEAVES, BIRDS, TABLE),
    "travel": (SEA, PEAKS, HILLS),
    "cities": (SKYLINE, SKYLINE, BARS),
    "politics": (BARS, CURVE, SKYLINE),
    "history": (TILES, SPINES, HILLS),
}


def _shade(colour: str, factor: float) -> str:
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{min(255, int(part * factor)):02x}" for part in parts)


def _painted(scene: Scene, rng: random.Random, size: tuple[int, int]) -> Image.Image:
    palette = rng.choice(PALETTES)
    image = Image.new("RGB", SIZE, palette[0])
    scene[0](ImageDraw.Draw(image), rng, palette, *SIZE)
    return image.resize(size, Image.Resampling.LANCZOS) if size != SIZE else image


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=84)
    return buffer.getvalue()


def _blurhash(image: Image.Image) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library asks Pillow for getdata()
        return blurhash.encode(image.resize((32, 24)), x_components=4, y_components=3)


def topic_pictures(topic: Topic, count: int, seed: int) -> list[Picture]:
    """Still pictures that suit a topic."""
    rng = random.Random(f"{seed}-{topic.slug}")
    return [_still(topic, number, rng) for number in range(count)]


def _still(topic: Topic, number: int, rng: random.Random) -> Picture:
    scene = SCENES[topic.slug][number % len(SCENES[topic.slug])]
    image = _painted(scene, rng, SIZE)
    return Picture(
        name=f"{topic.slug}-{number}.jpg",
        data=_jpeg(image),
        content_type="image/jpeg",
        width=image.width,
        height=image.height,
        alt_text=f"{scene[1]}. A drawing for a post about {topic.name.lower()}.",
        blurhash=_blurhash(image),
    )


def clip(number: int, seconds: float, seed: int) -> Picture:
    """A silent H.264 clip: a drawn scene, slowly panned over, with a moving light."""
    rng = random.Random(f"{seed}-clip-{number}")
    scene = (SEA, STARS, HILLS, SKYLINE, WAVES, PEAKS, BIRDS, TILES, LEAVES, CIRCUIT)[number % 10]
    frames = _frames(_painted(scene, rng, SIZE), int(seconds * FRAMES_PER_SECOND))
    poster = Image.fromarray(frames[0])
    return Picture(
        name=f"clip-{number}.mp4",
        data=_encoded(frames),
        content_type="video/mp4",
        width=CLIP_SIZE[0],
        height=CLIP_SIZE[1],
        alt_text=f"{scene[1]}, the view drifting sideways. Silent.",
        blurhash=_blurhash(poster),
        duration_ms=int(seconds * 1000),
        poster=_jpeg(poster),
    )


def _frames(image: Image.Image, count: int) -> list[np.ndarray]:
    pixels = np.asarray(image, dtype=np.float32)[::2, ::2]
    height, width = CLIP_SIZE[1], CLIP_SIZE[0]
    canvas = np.concatenate((pixels, pixels[:, ::-1]), axis=1)
    frames = []
    for index in range(count):
        shift = int(index / count * (canvas.shape[1] - width) * 0.4)
        light = 1.0 + 0.12 * math.sin(2 * math.pi * index / count)
        view = canvas[25 : 25 + height, shift : shift + width]
        frames.append(np.clip(view * light, 0, 255).astype(np.uint8))
    return frames


def _encoded(frames: list[np.ndarray]) -> bytes:
    """H.264 in MP4, index first; the muxer needs a real file for that."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        with av.open(file.name, "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
            stream.width, stream.height = CLIP_SIZE
            stream.pix_fmt = "yuv420p"
            stream.options = {"preset": "veryfast", "crf": "30"}
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return Path(file.name).read_bytes()


def avatar(seed: str) -> bytes:
    """A geometric avatar as PNG: mirrored blocks or rings in one palette."""
    rng = random.Random(seed)
    palette = rng.choice(PALETTES)
    image = Image.new("RGB", (AVATAR_SIDE, AVATAR_SIDE), palette[0])
    draw = ImageDraw.Draw(image)
    (_rings if rng.random() < 0.4 else _blocks)(draw, rng, palette)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _blocks(draw: Draw, rng: random.Random, palette: Palette) -> None:
    cell = AVATAR_SIDE // 8
    for row in range(1, 7):
        for column in range(1, 4):
            if rng.random() < 0.55:
                fill = rng.choice(palette[1:])
                for x in (column, 7 - column):
                    draw.rectangle((x * cell, row * cell, (x + 1) * cell, (row + 1) * cell), fill=fill)


def _rings(draw: Draw, rng: random.Random, palette: Palette) -> None:
    for radius in (56, 42, 27, 13):
        x, y = 64 + rng.randrange(-6, 7), 64 + rng.randrange(-6, 7)
        start = rng.randrange(360)
        draw.pieslice(
            (x - radius, y - radius, x + radius, y + radius),
            start,
            start + rng.randrange(150, 361),
            fill=rng.choice(palette[1:]),
        )


def header(number: int, seed: int) -> bytes:
    """A wide picture for the top of a profile, as JPEG."""
    rng = random.Random(f"{seed}-header-{number}")
    scene = rng.choice((HILLS, SEA, STARS, SKYLINE, PEAKS, TILES, WAVES))
    image = _painted(scene, rng, SIZE)
    return _jpeg(image.crop((0, 200, 960, 520)).resize(HEADER_SIZE, Image.Resampling.LANCZOS))
