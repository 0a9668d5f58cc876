"""How people in the demo world react to a post: the preference model.

    eta        = match + affinity + quality + freshness - fatigue + noise, with interactions
    logit P_h  = bias_h + weights_h . (eta, quality, controversy, ... )        per head h
    dwell      ~ LogNormal(mean(eta, length, form), DWELL_SPREAD)

All arrays are [N]: one entry per (person, post) encounter.
"""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

DWELL_SPREAD = 0.75
DWELL_SECONDS = 5.0
NOT_DWELLED_SECONDS = 1.5
IMPOSSIBLE = -40.0
CALIBRATION_STEPS = 6
BIAS_BOUNDS = (-15.0, 8.0)  # for heads that too few encounters allow

#: Head -> target rate per impression. Negative heads are about five times life, so that a
#: small world has enough of them to learn from. Names are those of posts.types.EngagementKind;
#: the negative ones come last.
BASE_RATES = {
    "favorite": 0.040,
    "reply": 0.006,
    "repost": 0.008,
    "photo_expand": 0.015,
    "click": 0.050,
    "profile_click": 0.010,
    "video_quality_view": 0.012,
    "share": 0.004,
    "share_via_dm": 0.002,
    "share_via_copy_link": 0.002,
    "quote": 0.0012,
    "quoted_click": 0.001,
    "follow_author": 0.003,
    "bookmark": 0.003,
    "not_interested": 0.005,
    "block_author": 0.001,
    "mute_author": 0.001,
    "report": 0.0005,
}
DWELL_RATE = 0.25
HEADS = (*BASE_RATES, "dwell", "not_dwelled")
VIDEO_HEADS = ("video_quality_view",)
#: Done at most once; who sees a post again has done it the first time or will not.
ONCE_HEADS = ("favorite", "repost", "bookmark")
NEGATIVE_HEADS = ("not_interested", "block_author", "mute_author", "report")
POSITIVE_HEADS = tuple(head for head in BASE_RATES if head not in NEGATIVE_HEADS)

#: Weights of the encounter's features in each head's logit; unnamed features weigh nothing.
WEIGHTS: dict[str, dict[str, float]] = {
    "favorite": {"eta": 1.0},
    "reply": {"eta": 0.8, "controversy": 1.8, "mutual": 0.9, "bait": 0.4},
    "repost": {"eta": 1.05, "quality": 0.5, "burst": 0.8},
    "photo_expand": {"eta": 0.75, "form_taste": 0.8},
    "click": {"eta": 0.7, "length": 0.3, "controversy": 0.5, "bait": 0.6},
    "profile_click": {"eta": 0.6, "quality": 0.5, "follows": -0.9},
    "video_quality_view": {"eta": 0.9, "form_taste": 0.6, "video_length": -0.5},
    "share": {"eta": 0.9, "quality": 0.5},
    "share_via_dm": {"eta": 0.8, "mutual": 1.2},
    "share_via_copy_link": {"eta": 0.8, "quality": 0.5, "burst": 0.5},
    "quote": {"eta": 0.8, "controversy": 1.5, "burst": 0.6},
    "quoted_click": {"eta": 0.8},
    "follow_author": {"eta": 1.1, "quality": 0.7},
    "not_interested": {"eta": -0.9, "fatigue": 0.6, "mismatch": 0.6, "spam": 0.8},
    "block_author": {"eta": -0.4, "insult": 3.2, "spam": 1.2, "controversy": 0.8},
    "mute_author": {"eta": -0.6, "fatigue": 1.0, "insult": 1.4, "spam": 0.8},
    "report": {"spam": 3.0, "insult": 2.6, "eta": -0.2},
    "bookmark": {"eta": 0.9, "quality": 0.4, "length": 0.4},
}


@dataclass
class Encounter:
    """What bears on the reaction of one person to one post, as columns of N.

    `match` and `hot` are long- and short-term interest; `chemistry` is the fixed liking for the
    author's manner; `possible` [N, H of BASE_RATES] is False where a head cannot happen.
    """

    match: np.ndarray
    hot: np.ndarray
    affinity: np.ndarray
    chemistry: np.ndarray
    follows: np.ndarray
    mutual: np.ndarray
    quality: np.ndarray
    controversy: np.ndarray
    controversy_taste: np.ndarray
    form_taste: np.ndarray
    length: np.ndarray
    length_taste: np.ndarray
    video_length: np.ndarray
    age_hours: np.ndarray
    burst: np.ndarray
    fatigue: np.ndarray
    foreign: np.ndarray
    spam: np.ndarray
    insult: np.ndarray
    bait: np.ndarray
    generosity: np.ndarray
    mood: np.ndarray
    possible: np.ndarray

    @property
    def mismatch(self) -> np.ndarray:
        """How far the subject is from anything the person likes."""
        return np.maximum(-self.match, 0.0) + 1.5 * self.foreign


@dataclass(frozen=True)
class Reaction:
    """Probabilities [N, len(HEADS)] and the mean of log dwell seconds [N]."""

    probabilities: np.ndarray
    log_dwell: np.ndarray


def eta(e: Encounter) -> np.ndarray:
    """Overall liking: the one number all heads share."""
    liking = 0.60 * e.match + 1.15 * e.hot + 0.75 * e.affinity + 0.30 * e.chemistry
    worth = 0.55 * e.quality + 0.20 * e.match * e.quality + 0.35 * e.follows
    manner = e.form_taste * (1.0 + 0.5 * e.affinity) + e.length_taste * e.length
    worth += manner + 0.8 * e.controversy * e.controversy_taste + 0.3 * e.burst
    worth -= 0.22 * np.log1p(e.age_hours / 3.0) + e.fatigue
    harm = 1.6 * e.spam + 1.2 * e.insult + 2.2 * e.foreign + 0.3 * e.bait
    return liking + worth - harm + e.generosity + e.mood


def log_dwell(e: Encounter, liking: np.ndarray) -> np.ndarray:
    """Mean of the logarithm of dwell seconds."""
    return 0.62 + 0.30 * liking + 0.30 * e.length + 0.25 * e.controversy + 0.55 * (e.video_length > 0)


def _longer(seconds: float, log_mean: np.ndarray) -> np.ndarray:
    """Probability of dwelling longer than this."""
    return ndtr((log_mean - np.log(seconds)) / DWELL_SPREAD)


def _scores(e: Encounter, liking: np.ndarray) -> np.ndarray:
    """Logits [N, len(BASE_RATES)] without the heads' biases."""
    scores = np.zeros((len(liking), len(WEIGHTS)), dtype=np.float64)
    for column, head in enumerate(BASE_RATES):
        for name, weight in WEIGHTS[head].items():
            scores[:, column] += weight * (liking if name == "eta" else getattr(e, name))
    scores[~e.possible] = IMPOSSIBLE
    return scores


@dataclass(frozen=True)
class Preferences:
    """The heads' biases: with them the model gives probabilities."""

    biases: np.ndarray
    dwell_bias: float

    def react(self, e: Encounter) -> Reaction:
        """Probabilities of all heads for every encounter."""
        liking = eta(e)
        acting = expit(_scores(e, liking) + self.biases)
        dwell_mean = log_dwell(e, liking) + self.dwell_bias
        dwell = _longer(DWELL_SECONDS, dwell_mean)
        brief = 1.0 - _longer(NOT_DWELLED_SECONDS, dwell_mean)
        idle = np.prod(1.0 - acting[:, : len(POSITIVE_HEADS)], axis=1)
        probabilities = np.column_stack((acting, dwell, brief * idle)).astype(np.float32)
        return Reaction(probabilities, dwell_mean)


def joined(encounters: list[Encounter]) -> Encounter:
    """Several batches of encounters as one."""
    names = [field.name for field in fields(Encounter)]
    return Encounter(**{name: np.concatenate([getattr(e, name) for e in encounters]) for name in names})


def thinned(e: Encounter, most: int) -> Encounter:
    """Evenly spaced encounters, at most so many."""
    step = -(-len(e.match) // most)
    return Encounter(**{field.name: getattr(e, field.name)[::step] for field in fields(Encounter)})


def calibrated(e: Encounter, start: Preferences | None = None) -> Preferences:
    """Biases with which the given encounters have the target rates on average.

    Each step moves a bias by what its head's mean lacks in log odds, which for small
    probabilities is Newton's step; `start` saves some of the steps.
    """
    liking = eta(e)
    scores, dwell = _scores(e, liking), log_dwell(e, liking)
    rates = np.fromiter(BASE_RATES.values(), dtype=np.float64)
    biases, dwell_bias = (start.biases, start.dwell_bias) if start else (logit(rates), 0.0)
    for _ in range(CALIBRATION_STEPS):
        made = np.clip(expit(scores + biases).mean(axis=0), 1e-9, 1 - 1e-9)
        biases = np.clip(biases + logit(rates) - logit(made), *BIAS_BOUNDS)
        share = np.clip(_longer(DWELL_SECONDS, dwell + dwell_bias).mean(), 1e-9, 1 - 1e-9)
        dwell_bias += float(DWELL_SPREAD * (ndtri(DWELL_RATE) - ndtri(share)))
    return Preferences(biases, dwell_bias)


def draw(rng: np.random.Generator, reaction: Reaction) -> tuple[np.ndarray, np.ndarray]:
    """Actions [N, len(HEADS)] (bool) and dwell seconds [N] of the encounters."""
    count = len(reaction.log_dwell)
    seconds = np.exp(reaction.log_dwell + DWELL_SPREAD * rng.normal(size=count))
    acted = rng.random((count, len(BASE_RATES))) < reaction.probabilities[:, : len(BASE_RATES)]
    busy = acted[:, : len(POSITIVE_HEADS)].any(axis=1)
    seconds = np.where(busy, np.maximum(seconds, NOT_DWELLED_SECONDS + 0.1), np.minimum(seconds, 240.0))
    dwelled = seconds > DWELL_SECONDS
    brief = seconds < NOT_DWELLED_SECONDS
    return np.column_stack((acted, dwelled, brief)), seconds
