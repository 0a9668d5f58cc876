"""A post with what it answers and what answers it."""

from dataclasses import dataclass
from itertools import pairwise

from django.http import HttpResponse
from django.shortcuts import redirect, render

from posts import selectors
from posts.cards import PostCard, cards_by_id
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
    talk = selectors.conversation(post_id)
    around = [*talk.above, *talk.below]
    cards = {card.id: card for card in cards_by_id([post_id, *around], request.user)}
    shown = cards.keys() | selectors.gone(around)
    context = {
        "post": cards[post_id],
        "ancestors": [Line(cards.get(above), continues=True) for above in talk.above if above in shown],
        "replies": _replies([below for below in talk.below if below in shown], talk.depths, cards),
    }
    return render(request, "posts/thread.html", context)


def _replies(ids: list[int], depths: dict[int, int], cards: dict[int, PostCard]) -> list[Line]:
    levels = pairwise([*(depths[post_id] for post_id in ids), 0])
    return [Line(cards.get(post_id), following > own) for post_id, (own, following) in zip(ids, levels, strict=True)]


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
