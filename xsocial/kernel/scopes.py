"""OAuth scopes as Mastodon names them: broad (`read`) and fine (`read:statuses`).

Plain data, so that settings can name it.
"""

_READ = ("accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes", "notifications")
_WRITE = (
    *("accounts", "blocks", "bookmarks", "conversations", "favourites", "filters", "follows", "lists", "media"),
    *("mutes", "notifications", "reports", "statuses"),
)

SCOPES: dict[str, str] = {
    "read": "Read your timelines, posts and profile",
    "write": "Post and act for you",
    "follow": "Follow, block and mute for you",
    "push": "Receive your notifications",
    "profile": "See who you are",
    **{f"read:{part}": f"Read your {part}" for part in (*_READ, "search", "statuses")},
    **{f"write:{part}": f"Change your {part}" for part in _WRITE},
}
