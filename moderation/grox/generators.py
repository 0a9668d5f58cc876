"""Streams waiting for the dispatcher: whose turn it is, and how fast each may go."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from moderation.grox.payload import Stream

WINDOW_S = 1.0


@dataclass
class Generator:
    """Posts of one stream in the order of their coming; at most `max_qps` of them in any second of the clock."""

    stream: Stream
    weight: int = 1
    max_qps: int | None = None
    now: Callable[[], float] = time.monotonic
    waiting: deque[int] = field(default_factory=deque)
    _window: float = -WINDOW_S
    _taken: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.weight, int) or self.weight < 1:
            raise ValueError(f"{self.stream}: the weight must be a whole number of at least 1, not {self.weight!r}")

    def take(self, number: int) -> list[int]:
        """Up to `number` posts; none while the window is full or nothing waits."""
        if self.now() - self._window >= WINDOW_S:
            self._window, self._taken = self.now(), 0
        if self.max_qps is not None:
            number = min(number, self.max_qps - self._taken)
        taken = [self.waiting.popleft() for _ in range(min(number, len(self.waiting)))]
        self._taken += len(taken)
        return taken

    def give_back(self, post_ids: Sequence[int]) -> None:
        """Put posts that could not be handed on at the front again."""
        self.waiting.extendleft(reversed(post_ids))


class PriorityGenerator:
    """Picks among generators at random by weight. One that has nothing is left out of that round only."""

    def __init__(self, generators: Iterable[Generator], draw: random.Random | None = None) -> None:
        self.generators = {generator.stream: generator for generator in generators}
        if not self.generators:
            raise ValueError("at least one generator is needed")
        self._draw = draw or random.Random()

    def put(self, stream: Stream, post_id: int) -> None:
        """Let a post wait. Raise KeyError for a stream that nobody configured."""
        self.generators[stream].waiting.append(post_id)

    def take(self, number: int) -> tuple[Generator, list[int]] | None:
        """The next posts with the generator they came from; None when no generator has any."""
        left = [generator for generator in self.generators.values() if generator.waiting]
        while left:
            [chosen] = self._draw.choices(left, [generator.weight for generator in left])
            if post_ids := chosen.take(number):
                return chosen, post_ids
            left.remove(chosen)
        return None

    def __len__(self) -> int:
        return sum(len(generator.waiting) for generator in self.generators.values())
