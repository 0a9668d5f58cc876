"""Words for the demo world: what a post, a reply, a profile says.

The text carries the hidden truth only partly: subjects show in their nouns, heat and harm in
the manner of speaking, and honest people sometimes sound like the others.
"""

import random

import numpy as np

from feed.simulation import phrases
from feed.simulation.authoring import PostTable
from feed.simulation.people import DEMO_PEOPLE, Population
from feed.simulation.topics import LANGUAGES, all_topics, subtopic_rows

SPAM_HOSTS = ("deals.example", "fastcash.example", "win.example")
TAG_SHARE = 0.16


class Writer:
    """Writes texts for posts of one world; same seed, same words."""

    def __init__(self, posts: PostTable, people: Population, handles: list[str], seed: int) -> None:
        self.posts, self.people, self.handles = posts, people, handles
        self.rng = random.Random(seed)
        self._subjects = [self._subject(*row) for row in subtopic_rows()]
        self._ring_texts: dict[tuple[int, int], str] = {}

    @staticmethod
    def _subject(topic_index: int, inner: int) -> dict:
        topic = all_topics()[topic_index]
        subtopic = topic.subtopics[inner]
        return {"topic": topic, "name": subtopic.name, "nouns": subtopic.nouns}

    def text(self, row: int) -> str:
        """The text of one post; empty for a repost."""
        posts = self.posts
        if posts.repost_of[row] >= 0:
            return ""
        language = LANGUAGES[posts.language[row]]
        if posts.spam[row] > 0:
            return self._spam(row)
        if posts.insult[row] > 0.4 and self.rng.random() < 0.85:
            return self._addressed(row, self._fill("insult", row))
        if posts.in_reply_to[row] >= 0:
            return self._reply(row, language)
        if posts.quote_of[row] >= 0:
            return self._sentence(self._with_nouns(self.rng.choice(phrases.QUOTE_FRAMES), row))
        return self._original(row, language)

    # -- kinds ---------------------------------------------------------------------------------

    def _original(self, row: int, language: str) -> str:
        if language != "en":
            return self._foreign(row, language)
        parts = [self.rng.choice(phrases.OPENERS), self._fill(self._register(row), row)]
        if self.posts.length[row] > 110:
            parts.append(self._fill(self.rng.choice(("note", "opinion", "story")), row))
        closer = self.rng.choice(phrases.CLOSERS)
        parts.append(self._with_nouns(closer, row) if self.posts.length[row] > 70 else "")
        return " ".join(part for part in parts if part) + self._tag(row)

    def _reply(self, row: int, language: str) -> str:
        posts = self.posts
        parent = posts.in_reply_to[row]
        if posts.author[parent] == posts.author[row]:
            return self._sentence(self._with_nouns(self.rng.choice(phrases.THREAD_FRAMES), row))
        if language != "en":
            return self._addressed(row, self._sentence(self.rng.choice(phrases.FOREIGN_REPLIES[language])))
        frame = self.rng.choice(phrases.REPLIES[self._reply_manner(row, parent)])
        return self._addressed(row, self._sentence(self._with_nouns(frame, row)))

    def _reply_manner(self, row: int, parent: int) -> str:
        posts = self.posts
        grandparent = posts.in_reply_to[parent]
        if grandparent >= 0 and posts.author[grandparent] == posts.author[row] and self.rng.random() < 0.6:
            return "thank" if posts.controversy[row] < 0.5 else "argue"
        if self.rng.random() < posts.controversy[row]:
            return self.rng.choice(("argue", "doubt"))
        return self.rng.choice(("agree", "agree", "ask", "add", "add", "doubt"))

    def _register(self, row: int) -> str:
        posts, draw = self.posts, self.rng.random()
        if posts.bait[row] and draw < 0.8:
            return "bait"
        if draw < posts.controversy[row] * 0.8:
            return "heated"
        if posts.burst[row] > 0.3 and draw < 0.7:
            return "news"
        if posts.quality[row] > 0.7 and self.rng.random() < 0.6:
            return self.rng.choice(("tip", "story", "joy"))
        if posts.quality[row] < -0.6 and self.rng.random() < 0.5:
            return self.rng.choice(("complaint", "note"))
        return self.rng.choice(("note", "note", "question", "joy", "tip", "story", "news", "opinion", "complaint"))

    def _spam(self, row: int) -> str:
        """Ring members repeat their ring's text with small changes."""
        ring = int(self.people.ring[self.posts.author[row]])
        if ring < 0 or self.posts.in_reply_to[row] >= 0:
            return self._addressed(row, self._fill("spam", row))
        key = (ring, int(self.posts.seconds[row] // 172_800))
        if key not in self._ring_texts:
            self._ring_texts[key] = self._fill("spam", row)
        return f"{self._ring_texts[key]} {self.rng.choice(('!!', 'now', 'today', 'hurry', '#offer'))}"

    def _foreign(self, row: int, language: str) -> str:
        nouns = self._subjects[self.posts.subtopic[row]]["topic"].foreign[language]
        frames = phrases.FOREIGN[language]
        count = 2 if self.posts.length[row] > 90 else 1
        chosen = self.rng.sample(frames, count)
        return " ".join(self._sentence(frame.format(n=self.rng.choice(nouns))) for frame in chosen)

    # -- pieces --------------------------------------------------------------------------------

    def _fill(self, register: str, row: int) -> str:
        return self._sentence(self._with_nouns(self.rng.choice(phrases.FRAMES[register]), row))

    def _with_nouns(self, frame: str, row: int) -> str:
        subject = self._subjects[self.posts.subtopic[row]]
        first, second = self.rng.sample(subject["nouns"], 2)
        if self.rng.random() < 0.12:
            second = self.rng.choice(self.rng.choice(subject["topic"].subtopics).nouns)
        return frame.format(
            n=first,
            m=second,
            v=self.rng.choice(subject["topic"].activities),
            s=subject["name"],
            t=subject["topic"].name.lower(),
            u=f"https://{self.rng.choice(SPAM_HOSTS)}/{self.rng.randrange(10_000)}",
        )

    @staticmethod
    def _sentence(text: str) -> str:
        text = text[:1].upper() + text[1:]
        return text if text.endswith((".", "?", "!", "。")) or "http" in text else f"{text}."

    def _addressed(self, row: int, text: str) -> str:
        """Replies name the one they answer."""
        parent = self.posts.in_reply_to[row]
        if parent < 0 or self.posts.author[parent] == self.posts.author[row]:
            return text
        return f"@{self.handles[self.posts.author[parent]]} {text}"

    def _tag(self, row: int) -> str:
        subject = self._subjects[self.posts.subtopic[row]]
        if self.rng.random() > TAG_SHARE:
            return ""
        word = self.rng.choice((subject["topic"].slug, subject["name"]))
        return " #" + "".join(part for part in word.title() if part.isalnum())


def handles(seed: int, count: int) -> list[str]:
    """Distinct invented handles; the demo logins come first."""
    rng = random.Random(seed)
    names = [handle for handle, _, _ in DEMO_PEOPLE][:count]
    taken = set(names)
    while len(names) < count:
        handle = f"{rng.choice(phrases.HANDLE_FIRST)}_{rng.choice(phrases.HANDLE_SECOND)}"
        if handle in taken:
            handle += str(rng.randrange(2, 100_000))
        if handle not in taken:
            taken.add(handle)
            names.append(handle)
    return names


def bio(rng: random.Random, weights: np.ndarray) -> str:
    """A line about the two subjects a person cares about most."""
    rows = subtopic_rows()
    best = np.argsort(-weights)[:2]
    first, second = (all_topics()[rows[index][0]].subtopics[rows[index][1]].name for index in best)
    text = rng.choice(phrases.BIOS).format(a=first, b=second)
    return text[:1].upper() + text[1:]
