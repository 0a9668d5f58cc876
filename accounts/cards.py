"""People as pages show them: plain values, so that templates never ask the database."""

from dataclasses import dataclass

from accounts.models import User

# As many as the stylesheet has `.hue-N` classes.
NUM_HUES = 10


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person as cards show them."""

    id: int
    username: str
    name: str
    avatar_url: str
    is_locked: bool = False
    is_bot: bool = False

    @property
    def url(self) -> str:
        return f"/@{self.username}"


def person_card(user: User) -> PersonCard:
    """A person in plain values."""
    avatar = user.avatar.url if user.avatar else ""
    return PersonCard(user.id, user.username, user.name, avatar, user.is_locked, user.is_bot)


def hue_of(user_id: int) -> int:
    """Which fallback colour stands for a person without a picture: always the same one.

    The low bits of a snowflake are a counter, so the time part is mixed in.
    """
    return (user_id // 4096 * 2_654_435_761 + user_id) // 64 % NUM_HUES
