"""Keeps a seeded world going: people post, like, answer and repost through the ordinary services."""

from collections.abc import Iterator

import numpy as np

from accounts.models import User
from feed.simulation import text
from feed.simulation.authoring import PostTable
from feed.simulation.people import Population, population
from feed.simulation.topics import LANGUAGES, all_topics, topic_space
from posts.models import Post, PostTopic
from posts.selectors import Cursor, public_timeline
from posts.services import create_post, favorite, record_engagement, repost
from posts.types import EngagementKind, Surface
from xsocial.kernel.errors import ApplicationError

POST_SHARE = 0.3  # of actions that are a new post; the others are reading one
READ_FROM = 30  # latest posts among which a reader finds one
DAYS = 28


class Life:
    """Acts for the people of the world seeded with `seed`, whom it draws again from the seed."""

    def __init__(self, *, seed: int) -> None:
        self.rng = np.random.default_rng()
        drawn = np.random.default_rng(seed)
        self.space = topic_space(drawn)
        known = dict(User.objects.filter(is_active=True).values_list("username", "id"))
        self.people: Population = population(drawn, users=len(known), days=DAYS, space=self.space)
        handles = text.handles(seed, len(known))
        self.members = [row for row, handle in enumerate(handles) if handle in known and row not in self.people.demo]
        self.ids = {row: known[handles[row]] for row in self.members}
        self.handles = handles

    def actions(self) -> Iterator[str]:
        """One action at a time, for ever; each is told in a line."""
        rate = self.people.sessions_per_day[self.members]
        while True:
            row = int(self.rng.choice(self.members, p=rate / rate.sum()))
            user = User.objects.get(pk=self.ids[row])
            try:
                yield self._write(row, user) if self.rng.random() < POST_SHARE else self._read(row, user)
            except ApplicationError as error:  # somebody deleted or hid the post meanwhile
                yield f"@{user.username} could not: {error}"

    def _write(self, row: int, user: User) -> str:
        subtopic = int(self.rng.choice(len(self.space.topic_of), p=self._interest(row)))
        post = create_post(author=user, text=self._text(row, subtopic), language=self._language(row))
        return f"@{user.username} posted: {post.text}"

    def _interest(self, row: int) -> np.ndarray:
        weight = self.people.subtopic_weight[row].astype(np.float64)
        return weight / weight.sum()

    def _language(self, row: int) -> str:
        return LANGUAGES[self.people.language[row]]

    def _text(self, row: int, subtopic: int, parent: int | None = None) -> str:
        """Words for a new post, or for an answer to person `parent`."""
        table = PostTable(2)
        columns = {
            "subtopic": subtopic,
            "language": int(self.people.language[row]),
            "length": 90.0,
            "quality": self.people.quality[row],
            "controversy": self.people.tone[row],
        }
        for author in (row,) if parent is None else (parent, row):
            table.append(
                seconds=np.zeros(1), author=np.array([author]), **{k: np.array([v]) for k, v in columns.items()}
            )
        if parent is not None:
            table.in_reply_to[1] = 0
        writer = text.Writer(table, self.people, self.handles, int(self.rng.integers(1 << 31)))
        return writer.text(len(table) - 1)

    def _read(self, row: int, user: User) -> str:
        """Look at one recent post and perhaps react, more gladly to a subject one likes."""
        recent = [post for post in public_timeline(user, Cursor(limit=READ_FROM)) if post.author_id != user.pk]
        if not recent:
            return f"@{user.username} found nothing to read"
        post = recent[int(self.rng.integers(len(recent)))]
        liking = self._liking(row, post)
        draw = self.rng.random()
        if draw < 0.06 * liking:
            return self._answer(row, user, post)
        if draw < 0.14 * liking:
            repost(user=user, post=post, surface=Surface.HOME_FOR_YOU)
            return f"@{user.username} reposted {post.pk}"
        if draw < 0.6 * liking:
            favorite(user=user, post=post, surface=Surface.HOME_FOR_YOU)
            return f"@{user.username} liked {post.pk}"
        seconds = float(self.rng.lognormal(0.8, 0.8))
        kind = EngagementKind.DWELL if seconds > 1.5 else EngagementKind.NOT_DWELLED
        record_engagement(user=user, post_id=post.pk, kind=kind, surface=Surface.HOME_FOR_YOU, seconds=seconds)
        return f"@{user.username} read {post.pk} for {seconds:.1f} s"

    def _answer(self, row: int, user: User, post: Post) -> str:
        author = next((member for member, user_id in self.ids.items() if user_id == post.author_id), row)
        subtopic = int(self.rng.choice(np.flatnonzero(self.space.topic_of == self._topic(row, post))))
        answer = create_post(
            author=user,
            text=self._text(row, subtopic, parent=author),
            in_reply_to=post,
            language=self._language(row),
            surface=Surface.HOME_FOR_YOU,
        )
        return f"@{user.username} answered {post.pk}: {answer.text}"

    def _topic(self, row: int, post: Post) -> int:
        """The post's topic as the classifier has it, else the reader's favourite."""
        slug = PostTopic.objects.filter(post=post).order_by("-confidence").values_list("topic__slug", flat=True).first()
        numbers = {topic.slug: index for index, topic in enumerate(all_topics())}
        return numbers.get(slug or "", int(self.space.topic_of[self.people.subtopic_weight[row].argmax()]))

    def _liking(self, row: int, post: Post) -> float:
        """Between 0.1 and 1: how well the subject suits the reader."""
        taste = self.people.taste[row, self.space.topic_of == self._topic(row, post)].mean()
        return float(np.clip(0.4 + 0.3 * taste, 0.1, 1.0))
