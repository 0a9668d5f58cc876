"""People as pages show them: plain values, so that templates never ask the database."""

from dataclasses import dataclass

from accounts.models import User


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
