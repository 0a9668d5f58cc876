"""Events as frozen dataclasses, their registry by name, and publishing into the outbox."""

import dataclasses
from typing import Any, ClassVar, Self

from xsocial.kernel import clock, sql
from xsocial.kernel.models import OutboxEvent

registry: dict[str, type["Event"]] = {}


class UnknownEvent(Exception):
    """No class in this process declares that name."""


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened. Subclasses are frozen dataclasses of plain JSON values.

    A subclass declares `name` ("posts.post_created") and raises `version` when the meaning of a
    field changes; fields added later need a default.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            return  # a shared base, not an event of its own
        other = registry.get(cls.name)
        if other and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"event {cls.name} is declared by {other.__qualname__} and {cls.__qualname__}")
        registry[cls.name] = cls

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def from_payload(cls, payload: dict[str, Any], *, version: int) -> Self:
        """Rebuild the event; fields this code does not know, from a newer one, are dropped."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = cls.upgrade(payload, version=version)
        return cls(**{key: _hashable(value) for key, value in values.items() if key in known})

    @classmethod
    def upgrade(cls, payload: dict[str, Any], *, version: int) -> dict[str, Any]:
        """Translate the payload of an older version; events that changed override this."""
        return payload


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def decode(name: str, version: int, payload: dict[str, Any]) -> Event:
    """The event of a stored name, version and payload. Raises `UnknownEvent`."""
    if name not in registry:
        raise UnknownEvent(name)
    return registry[name].from_payload(payload, version=version)


def publish(*events: Event) -> None:
    """Write events to the outbox, in this order and as part of the caller's transaction. One statement.

    A trigger on the table wakes the relay when that transaction commits.
    """
    now = clock.now()
    sql.insert(
        [
            OutboxEvent(name=event.name, version=event.version, payload=event.payload(), created_at=now)
            for event in events
        ]
    )
