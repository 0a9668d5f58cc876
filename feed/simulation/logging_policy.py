"""Which posts the past showed: a mixture of four ways of filling a page, with propensities.

Each page follows one of the ways, drawn with `SHARES`. The stored propensity of an impression is
the probability of its post at its place given the places before, over the whole mixture:

    P(i_k | i_1..i_k-1) = sum_z P(z | i_1..i_k-1) w_z(i_k) / (1 - sum_j<k w_z(i_j))

so no single way's bias is baked in, and off-policy estimates can be checked.
"""

from dataclasses import dataclass

import numpy as np

POLICIES = ("chronological", "popular", "similar", "random")
SHARES = np.array((0.38, 0.22, 0.26, 0.14))
FLOOR = 0.03  # share of every policy spread evenly, so that each has full support


@dataclass(frozen=True)
class Pages:
    """Chosen pool columns [S, K], the propensity of each place and the policy of each page."""

    columns: np.ndarray
    propensity: np.ndarray
    policy: np.ndarray


def policy_weights(
    *, valid: np.ndarray, age_hours: np.ndarray, in_network: np.ndarray, popularity: np.ndarray, taste: np.ndarray
) -> np.ndarray:
    """Normalised weights [S, len(POLICIES), C] over each page's pool; invalid columns get 0."""
    recency = np.exp(-age_hours / 4.0)
    raw = np.stack(
        (
            np.where(in_network, recency + 1e-4, 1e-4 * recency),
            (popularity + 0.05) ** 1.2,
            np.exp(1.3 * taste) * (recency + 0.15),
            np.ones_like(taste),
        ),
        axis=1,
    )
    raw *= valid[:, None, :]
    raw /= raw.sum(axis=2, keepdims=True) + 1e-12
    even = valid / np.maximum(valid.sum(axis=1, keepdims=True), 1)
    return (1.0 - FLOOR) * raw + FLOOR * even[:, None, :]


def fill_pages(rng: np.random.Generator, weights: np.ndarray, length: int) -> Pages:
    """Draw each page's policy and its posts without replacement (Gumbel top-k)."""
    sessions = len(weights)
    policy = rng.choice(len(POLICIES), size=sessions, p=SHARES)
    chosen = weights[np.arange(sessions), policy]
    with np.errstate(divide="ignore"):
        keys = np.log(chosen) + rng.gumbel(size=chosen.shape)
    columns = np.argsort(-keys, axis=1)[:, :length]
    return Pages(columns, _propensities(weights, columns), policy)


def _propensities(weights: np.ndarray, columns: np.ndarray) -> np.ndarray:
    picked = np.take_along_axis(weights, columns[:, None, :], axis=2)
    used = np.cumsum(picked, axis=2) - picked
    conditional = picked / np.maximum(1.0 - used, 1e-6)
    with np.errstate(divide="ignore"):
        evidence = np.cumsum(np.log(np.maximum(conditional, 1e-12)), axis=2)
    evidence = np.concatenate((np.zeros_like(evidence[:, :, :1]), evidence[:, :, :-1]), axis=2)
    posterior = SHARES[None, :, None] * np.exp(evidence - evidence.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    return np.minimum((posterior * conditional).sum(axis=1), 1.0)
