"""Who lives in the demo world: interests, tastes, habits and honesty, as columns."""

from dataclasses import dataclass, fields

import numpy as np

from feed.simulation.topics import LANGUAGES, TopicSpace, all_topics

STYLE_DIMENSIONS = 4
FORMS = ("text", "picture", "video")

#: The printed logins: handle, display name, favourite topics. Invented handles, no persons.
DEMO_PEOPLE = (
    ("orla", "Orla", ("birds", "photography", "ocean", "travel")),
    ("tidepool", "Tide Pool", ("programming", "machine-learning", "coffee", "cycling")),
    ("bramble", "Bramble", ("film", "music", "cooking", "football")),
)


@dataclass
class Population:
    """Columns over people. Rates are per day, days are relative to now (past is negative).

    `subtopic_weight` [n, S] sums to 1 and drives posting; `taste` [n, S] is its smoothed,
    standardised form and drives liking. `ring` is -1 for people in no spam ring. Posts of the locked are for
    followers; creators keep some of theirs for those who pay.
    """

    subtopic_weight: np.ndarray
    taste: np.ndarray
    sessions_per_day: np.ndarray
    posts_per_day: np.ndarray
    attractiveness: np.ndarray
    quality: np.ndarray
    tone: np.ndarray
    style: np.ndarray
    style_taste: np.ndarray
    form_habit: np.ndarray
    form_taste: np.ndarray
    length_habit: np.ndarray
    length_taste: np.ndarray
    controversy_taste: np.ndarray
    generosity: np.ndarray
    patience: np.ndarray
    spam_sensitivity: np.ndarray
    insult_sensitivity: np.ndarray
    language: np.ndarray
    second_language: np.ndarray
    hours_from_utc: np.ndarray
    joined_day: np.ndarray
    left_day: np.ndarray
    away_from: np.ndarray
    away_until: np.ndarray
    is_spammer: np.ndarray
    ring: np.ndarray
    is_provocateur: np.ndarray
    is_hidden_gem: np.ndarray
    is_locked: np.ndarray
    is_creator: np.ndarray

    def __len__(self) -> int:
        return len(self.quality)

    def is_present(self, day: np.ndarray | float, who: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Who has joined, has not left and is not away on a day, relative to now."""
        here = (self.joined_day[who] < day) & (self.left_day[who] > day)
        return here & ~((self.away_from[who] <= day) & (self.away_until[who] > day))

    @property
    def demo(self) -> np.ndarray:
        """Indices of the people whose logins are printed."""
        return np.arange(min(len(DEMO_PEOPLE), len(self)))

    def columns(self) -> dict[str, np.ndarray]:
        """Every column by name, for saving."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _subtopic_weights(rng: np.random.Generator, n: int, space: TopicSpace) -> np.ndarray:
    topic_weight = rng.dirichlet(np.full(len(all_topics()), 0.15), size=n)
    within = rng.gamma(0.6, size=(n, len(space.topic_of))) + 1e-3
    weight = topic_weight[:, space.topic_of] * within
    return weight / weight.sum(axis=1, keepdims=True)


def _demo_weights(rng: np.random.Generator, space: TopicSpace, count: int) -> np.ndarray:
    number = {topic.slug: index for index, topic in enumerate(all_topics())}
    weight = np.full((count, len(space.topic_of)), 2e-3)
    for row, (_, _, slugs) in enumerate(DEMO_PEOPLE[:count]):
        for rank, slug in enumerate(slugs):
            inside = space.topic_of == number[slug]
            weight[row, inside] = rng.uniform(0.4, 1.0, inside.sum()) / (1 + 0.5 * rank)
    return weight / weight.sum(axis=1, keepdims=True)


def tastes(weight: np.ndarray, space: TopicSpace) -> np.ndarray:
    """Interest smoothed over similar subtopics, as a standard score per person."""
    kernel = np.exp(5.0 * (space.similarity - 1.0)).astype(np.float32)
    raw = np.log(weight.astype(np.float32) @ kernel + 0.02)
    raw -= raw.mean(axis=1, keepdims=True)
    return (raw / (raw.std(axis=1, keepdims=True) + 1e-6)).astype(np.float32)


def _activity(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Sessions and posts per day: log-normal, a few very active, every tenth a lurker."""
    sessions = rng.lognormal(0.0, 0.8, n)
    posts = rng.lognormal(-0.6, 1.25, n) * sessions**0.4
    top = rng.random(n) < 0.01
    sessions[top] *= 5
    posts[top] *= 4
    posts[rng.random(n) < 0.10] = 0.0
    return sessions, posts


def _tenure(rng: np.random.Generator, n: int, days: float) -> tuple[np.ndarray, np.ndarray]:
    """Days of joining and of falling silent, relative to now."""
    joined = -days - rng.exponential(240.0, n)
    recent = rng.random(n) < 0.12
    joined[recent] = -rng.uniform(1.0, days, recent.sum())
    joined[rng.random(n) < 0.01] = -rng.uniform(0.05, 0.9)
    left = np.full(n, np.inf)
    dormant = rng.random(n) < 0.05
    left[dormant] = -rng.uniform(6.0, max(days - 2.0, 6.5), dormant.sum())
    return joined, left


def _spam_rings(rng: np.random.Generator, spammers: np.ndarray) -> np.ndarray:
    """Half of the spammers work in rings of four to six accounts."""
    ring = np.full(len(spammers), -1)
    members = np.flatnonzero(spammers)
    organised = members[: len(members) // 2]
    ring[organised] = np.arange(len(organised)) // int(rng.integers(4, 7))
    return ring


def _languages(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    language = rng.choice(len(LANGUAGES), size=n, p=(0.70, 0.08, 0.06, 0.06, 0.06, 0.04))
    second = np.where((language > 0) | (rng.random(n) < 0.15), 0, language)
    learners = (language == 0) & (second == 0) & (rng.random(n) < 0.2)
    second[learners] = rng.integers(1, len(LANGUAGES), learners.sum())
    home_zone = np.array((-4, -5, 1, 1, -3, 9))[language]
    zone = np.where(language == 0, rng.choice((-8, -5, 0, 1, 5, 10), size=n), home_zone)
    return language, second, zone


def _settle_special_people(people: Population, rng: np.random.Generator) -> None:
    """Give spammers, provocateurs and hidden gems the traits that make them so."""
    spam, gem, troll = people.is_spammer, people.is_hidden_gem, people.is_provocateur
    people.quality[spam] = -1.2 + 0.2 * rng.normal(size=spam.sum())
    people.posts_per_day[spam] = rng.uniform(1.0, 4.0, spam.sum())
    people.attractiveness[spam] *= 0.1
    people.quality[gem] = 1.5 + 0.2 * rng.normal(size=gem.sum())
    people.posts_per_day[gem] = rng.uniform(0.8, 2.5, gem.sum())
    people.attractiveness[gem] *= 0.01
    people.tone[troll] = rng.uniform(0.6, 0.95, troll.sum())
    people.posts_per_day[troll] += rng.uniform(1.0, 3.0, troll.sum())


def _settle_demo_people(people: Population, rng: np.random.Generator, space: TopicSpace) -> None:
    """Printed logins are ordinary, active, long-standing, English-speaking members."""
    demo = people.demo
    people.subtopic_weight[demo] = _demo_weights(rng, space, len(demo))
    people.sessions_per_day[demo] = 1.9
    people.posts_per_day[demo] = 0.8
    people.joined_day[demo] = -400.0 - np.arange(len(demo))
    people.left_day[demo] = np.inf
    people.language[demo] = people.second_language[demo] = 0
    people.hours_from_utc[demo] = 0
    people.quality[demo] = 0.4
    people.tone[demo] = 0.15
    for flag in (people.is_spammer, people.is_provocateur, people.is_hidden_gem, people.is_locked):
        flag[demo] = False
    people.ring[demo] = -1


def _settle_creators(people: Population) -> None:
    """One in a hundred, good and busy, keeps some posts for those who pay."""
    appeal = people.quality + 0.3 * np.log1p(people.posts_per_day)
    appeal[people.is_locked | people.is_hidden_gem | people.is_spammer] = -np.inf
    appeal[people.demo] = appeal[people.posts_per_day < 0.8] = -np.inf
    people.is_creator[np.argsort(-appeal)[: max(3, len(people) // 100)]] = True


def population(rng: np.random.Generator, *, users: int, days: float, space: TopicSpace) -> Population:
    """Draw `users` people whose visible history spans the last `days` days."""
    sessions, posts = _activity(rng, users)
    joined, left = _tenure(rng, users, days)
    language, second, zone = _languages(rng, users)
    kind = rng.random(users)
    spammer = kind < 0.02
    weight = _subtopic_weights(rng, users, space)
    people = Population(
        subtopic_weight=weight.astype(np.float32),
        taste=np.empty(0),
        sessions_per_day=sessions,
        posts_per_day=posts,
        attractiveness=rng.pareto(1.6, users) + 0.15,
        quality=0.6 * rng.normal(size=users),
        tone=rng.beta(1.4, 5.0, users),
        style=rng.normal(size=(users, STYLE_DIMENSIONS)).astype(np.float32),
        style_taste=rng.normal(size=(users, STYLE_DIMENSIONS)).astype(np.float32),
        form_habit=rng.dirichlet((2.2, 1.2, 0.25), size=users).astype(np.float32),
        form_taste=(0.35 * rng.normal(size=(users, len(FORMS)))).astype(np.float32),
        length_habit=rng.normal(size=users),
        length_taste=0.3 * rng.normal(size=users),
        controversy_taste=rng.normal(-0.3, 0.8, users),
        generosity=0.5 * rng.normal(size=users),
        patience=rng.lognormal(0.0, 0.35, users),
        spam_sensitivity=rng.gamma(4.0, 0.25, users),
        insult_sensitivity=rng.gamma(4.0, 0.25, users),
        language=language,
        second_language=second,
        hours_from_utc=zone,
        joined_day=joined,
        left_day=left,
        away_from=np.full(users, np.inf),
        away_until=np.full(users, np.inf),
        is_spammer=spammer,
        ring=_spam_rings(rng, spammer),
        is_provocateur=(kind >= 0.02) & (kind < 0.035),
        is_hidden_gem=(kind >= 0.035) & (kind < 0.05),
        is_locked=(kind >= 0.05) & (kind < 0.09),
        is_creator=np.zeros(users, dtype=bool),
    )
    _settle_special_people(people, rng)
    _settle_demo_people(people, rng, space)
    _settle_creators(people)
    people.taste = tastes(people.subtopic_weight, space)
    return people


def rhythm(hours_utc: np.ndarray | float, hours_from_utc: np.ndarray) -> np.ndarray:
    """Relative activity (mean about 1) at a UTC hour for people of the given zones."""
    local = (hours_utc + hours_from_utc) % 24.0
    evening = np.exp(-0.5 * ((local - 20.5) / 2.6) ** 2)
    morning = np.exp(-0.5 * ((local - 8.5) / 1.8) ** 2)
    noon = np.exp(-0.5 * ((local - 13.0) / 2.5) ** 2)
    return 0.12 + 2.0 * evening + 1.1 * morning + 0.9 * noon
