"""What can be found in one attachment, as plain values that cross a process boundary."""

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_CHARS = 2_000  # of writing and of speech; longer ones are cut


@dataclass(frozen=True)
class Reading:
    """`not_scored` names the parts that nothing here could judge; empty when all were.

    `nudity` is that of the worst frame, 0 to 1; None when no model looked. `fingerprints` are (milliseconds, bits).
    """

    writing: str = ""
    transcript: str = ""
    nudity: float | None = None
    not_scored: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    fingerprints: tuple[tuple[int, str], ...] = ()
    milliseconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For the pipe."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Reading":
        """The inverse of `as_json`."""
        values["not_scored"] = tuple(values["not_scored"])
        values["fingerprints"] = tuple((int(at_ms), bits) for at_ms, bits in values["fingerprints"])
        return cls(**values)


def unreadable(reason: str) -> Reading:
    """The reading of a file that could not be read."""
    return Reading(not_scored=(f"file: {reason}",))
