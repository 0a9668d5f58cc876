"""Plain text with links, mentions and hashtags, to safe HTML.

The markup is what Mastodon clients expect in `content`. Everything else is escaped.
"""

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_TOKEN = re.compile(
    r"(?P<url>https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]])"
    r"|(?<![\w/@])@(?P<mention>[A-Za-z0-9_]{1,30})\b"
    r"|(?<![\w/#&])#(?P<tag>\w*[^\W\d_]\w*)"
)
SHOWN_URL_LENGTH = 36


def _shown(url: str) -> str:
    bare = url.split("://", 1)[1].removeprefix("www.")
    return bare if len(bare) <= SHOWN_URL_LENGTH else bare[: SHOWN_URL_LENGTH - 1] + "…"


def _render(match: re.Match[str], origin: str) -> str:
    if url := match["url"]:
        return f'<a href="{escape(url)}" rel="nofollow noopener ugc" target="_blank">{escape(_shown(url))}</a>'
    if handle := match["mention"]:
        return f'<a href="{origin}/@{handle}" class="u-url mention">@{handle}</a>'
    tag = escape(match["tag"])
    return f'<a href="{origin}/tags/{tag}" class="mention hashtag" rel="tag">#{tag}</a>'


def to_html(text: str, *, origin: str = "") -> SafeString:
    """Escaped paragraphs with links. `origin` prefixes local links; empty keeps them relative."""
    if not text:
        return SafeString()
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts += [escape(text[end : match.start()]), _render(match, origin)]
        end = match.end()
    parts.append(escape(text[end:]))
    paragraphs = re.split(r"\n{2,}", "".join(parts).strip("\n"))
    # Safe: every piece above is escaped or built from escaped parts.
    return mark_safe("".join(f"<p>{p.replace(chr(10), '<br>')}</p>" for p in paragraphs))
