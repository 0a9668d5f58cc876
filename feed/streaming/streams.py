"""What one may listen to, by the names of the Mastodon API."""

from dataclasses import dataclass

from xsocial.kernel import ids

USER, NOTIFICATIONS, PUBLIC, HASHTAG, LIST = "user", "user:notification", "public", "hashtag", "list"
#: Every post here is local, and so the names that say so mean the same.
_KINDS = {
    "user": USER,
    "user:notification": NOTIFICATIONS,
    "public": PUBLIC,
    "public:local": PUBLIC,
    "public:media": PUBLIC,
    "public:local:media": PUBLIC,
    "hashtag": HASHTAG,
    "hashtag:local": HASHTAG,
    "list": LIST,
}
NAMES = tuple(_KINDS)
MAX_TAG = 100


@dataclass(frozen=True)
class Stream:
    """One stream as it was asked for; `tag` only for hashtags, `list_id` only for lists."""

    name: str
    tag: str = ""
    list_id: int = 0

    @property
    def kind(self) -> str:
        return _KINDS[self.name]

    @property
    def only_media(self) -> bool:
        return self.name.endswith(":media")

    @property
    def label(self) -> list[str]:
        """How messages on a websocket say which stream they belong to."""
        return [self.name, *filter(None, (self.tag, str(self.list_id or "")))]

    @property
    def scope(self) -> str:
        return "read:notifications" if self.kind == NOTIFICATIONS else "read:statuses"


def stream_of(name: object, tag: object = "", *, list_id: object = "", only_media: bool = False) -> Stream:
    """The stream of this name. Raises ValueError for one that is not there, a hashtag or a list not named.

    Whether there is such a list, and whose it is, is asked when somebody comes in.
    """
    if not isinstance(name, str) or name not in _KINDS:
        raise ValueError("Unknown stream type")
    if only_media and name in ("public", "public:local"):
        name = f"{name}:media"
    if _KINDS[name] == LIST:
        number = ids.parsed(str(list_id or ""))
        if not number:
            raise ValueError("Name the list's id as `list`")
        return Stream(name, list_id=number)
    if _KINDS[name] != HASHTAG:
        return Stream(name)
    wanted = str(tag or "").removeprefix("#").casefold()
    if not 0 < len(wanted) <= MAX_TAG:
        raise ValueError("Name the hashtag as `tag`")
    return Stream(name, wanted)
