"""What a feed page is made of, in plain values for the templates."""

from dataclasses import dataclass
from typing import Any

from accounts.cards import PersonCard
from accounts.models import User
from accounts.selectors import interests
from posts.cards import PostCard


@dataclass(frozen=True, slots=True)
class AdCard:
    """An advertisement; `token` comes back with what happens to it."""

    impression_id: str
    advertiser: str
    face: PersonCard
    handle: str
    title: str
    text: str
    image_url: str
    token: str
    why: tuple[str, ...] = ()
    post: PostCard | None = None


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """A person worth following, with the reason."""

    id: int
    username: str
    name: str
    avatar_url: str
    reason: str = ""

    @property
    def url(self) -> str:
        return f"/@{self.username}"


@dataclass(frozen=True, slots=True)
class PageItem:
    """One place on a page; `kind` says which of the other fields is filled."""

    kind: str
    position: int | None = None
    request_id: str = ""
    context: str = ""
    post: PostCard | None = None
    ad: AdCard | None = None
    prompt: Any = None
    people: tuple[SuggestionCard, ...] = ()


def post_item(card: PostCard) -> PageItem:
    """A post without a receipt: nothing ranked it."""
    return PageItem(kind="post", post=card)


def tabs(viewer: User) -> dict[str, Any]:
    """The followed topics, which stand as tabs beside For You and Following."""
    rows = interests.followed_topics(viewer)
    return {"followed_topics": [row.topic for row in rows if not row.is_snoozed]}
