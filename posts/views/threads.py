"""A post with what it answers and what answers it."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render

from posts import selectors
from posts.cards import PostCard, post_cards
from posts.selectors import Thread
from xsocial.kernel import richtext
from xsocial.kernel.pages import PageRequest


@dataclass(frozen=True)
class Line:
    """A place in a conversation; without `post` something was said there that is gone.

    `continues` says that the next line answers this one, so a line is drawn between them.
    """

    post: PostCard | None
    continues: bool = False


def thread(request: PageRequest, username: str, post_id: int) -> HttpResponse:
    """The page of one post. A repost leads to its original, a wrong name to the right one."""
    row = selectors.get_visible_post(request.user, post_id)
    if row.is_repost:
        row = selectors.get_visible_post(request.user, row.repost_of_id)
    if row.pk != post_id or row.author.username != username:
        return redirect(f"/@{row.author.username}/{row.pk}")
    talk = selectors.thread(request.user, row, with_deleted=True)
    [focus] = selectors.posts_by_id(request.user, [row.pk])
    rows = [*talk.ancestors, focus, *talk.descendants]
    cards = _cards(request, rows)
    context = {
        "post": cards[focus.pk],
        "ancestors": [Line(cards.get(post.pk), continues=True) for post in talk.ancestors],
        "replies": _replies(talk, cards),
    }
    return render(request, "posts/thread.html", context)


def _cards(request: PageRequest, rows: list) -> dict[int, PostCard]:
    kept = [row for row in rows if not row.is_deleted]
    return {card.entry_id: card for card in post_cards(kept, request.user)}


def _replies(talk: Thread, cards: dict[int, PostCard]) -> list[Line]:
    depths = [talk.depths[post.pk] for post in talk.descendants]
    deeper = [following > depth for depth, following in zip(depths, [*depths[1:], 0], strict=False)]
    return [Line(cards.get(post.pk), goes_on) for post, goes_on in zip(talk.descendants, deeper, strict=True)]


def history(request: PageRequest, username: str, post_id: int) -> HttpResponse:
    """Every wording a post had, the latest first."""
    post = selectors.get_visible_post(request.user, post_id)
    earlier = selectors.edit_history(post)[::-1]
    versions = [
        {"html": richtext.to_html(row.text), "spoiler_text": row.spoiler_text, "written_at": written_at}
        for row, written_at in [
            (post, post.edited_at or post.created_at),
            *((edit, edit.written_at) for edit in earlier),
        ]
    ]
    return render(request, "posts/history.html", {"post": {"url": f"/@{username}/{post_id}"}, "versions": versions})
