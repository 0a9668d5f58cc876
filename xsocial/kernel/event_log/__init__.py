"""The event log: what happened, in order, for whoever wants to know.

    services -> publish() -> outbox row, same transaction -> relay -> Redis stream -> Consumer | Tail

An event reaches the stream at least once after its transaction commits, and never before. Of two
events of which one could see the other's effect, the later never comes first; unrelated ones that
commit at the same time may come in either order. Handlers must therefore bear repeats.
"""

from xsocial.kernel.event_log.events import Event, UnknownEvent, decode, publish, registry
from xsocial.kernel.event_log.readers import Consumer, Envelope, Tail, replay
from xsocial.kernel.event_log.relay import Relay

__all__ = [
    "Consumer",
    "Envelope",
    "Event",
    "Relay",
    "Tail",
    "UnknownEvent",
    "decode",
    "publish",
    "registry",
    "replay",
]
