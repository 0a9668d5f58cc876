"""The child process that opens strangers' files: `python -m moderation.grox.media.worker [SPEECH_MODEL]`.

It reads one request a line, {"path", "kind"}, and answers each with one line of JSON. It is given little
memory and a low priority, knows neither settings nor database, and ends when nobody asks for a while.
Whoever asked kills it when an answer takes too long.
"""

import json
import os
import resource
import select
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from moderation.grox.media import files, models
from moderation.grox.media.reading import MAX_CHARS, Reading, unreadable
from xsocial.kernel.fingerprints import fingerprint

MEMORY_BYTES = 6 * 2**30  # of address space; the libraries reserve much more than they use
NICENESS = 10
IDLE_S = 120.0


def read(path: Path, kind: str) -> Reading:
    """Look at a file with every model that is installed."""
    started = time.perf_counter()
    try:
        frames = files.pictures(path, kind)
        reading = _read(path, kind, frames)
    except files.BadFile as error:
        return unreadable(str(error))
    except MemoryError:
        return unreadable("too large to be opened")
    return Reading(**{**vars(reading), "milliseconds": round(1000 * (time.perf_counter() - started), 1)})


def _read(path: Path, kind: str, frames: Sequence[tuple[int, Image.Image]]) -> Reading:
    images = [image for _, image in frames]
    not_scored, versions = [], {}
    writing, nudity, transcript = "", None, ""
    samples = files.sound(path) if kind == "video" else ()
    parts = [models.WRITING, models.NUDITY, *([models.SPEECH] if len(samples) else [])]
    for part in parts:
        if models.missing(part):
            not_scored.append(f"no model for {part}")
            continue
        versions[part] = models.version_of(part)
        match part:
            case models.WRITING:
                lines = dict.fromkeys(line for image in images for line in models.read_writing(image))
                writing = "\n".join(lines)[:MAX_CHARS]
            case models.NUDITY:
                nudity = max(models.judge_nudity(image) for image in images)
            case models.SPEECH:
                transcript, is_clear = models.transcribe(samples)
                if not is_clear:
                    not_scored.append("unclear speech")
    bits = {at_ms: found for at_ms, image in frames if (found := fingerprint(image))}
    return Reading(writing, transcript[:MAX_CHARS], nudity, tuple(not_scored), versions, tuple(bits.items()))


def main() -> None:
    """Answer requests until there are none for a while, or nobody is left to ask."""
    with suppress(ValueError, OSError):  # macOS refuses; the time limit holds there as well
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(NICENESS)
    models.use_speech_model(sys.argv[1] if len(sys.argv) > 1 else "")
    # libraries print what they like; answers go out on a descriptor of their own
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    while select.select([sys.stdin], [], [], IDLE_S)[0] and (line := sys.stdin.readline()):
        request = json.loads(line)
        print(json.dumps(read(Path(request["path"]), request["kind"]).as_json()), file=answers, flush=True)


if __name__ == "__main__":
    main()
