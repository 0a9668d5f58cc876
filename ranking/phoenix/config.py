"""The one object that describes a Phoenix model; it travels in every checkpoint and artifact.

Keys and defaults are those of the published `config.json`; keys below the line `ours` are optional
extensions whose defaults give exactly the published model.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

MAX_DIMENSION = 1 << 31
# Far beyond any model, and small enough that a wrong number cannot exhaust the machine.
LIMITS = {
    "emb_size": 1 << 14,
    "num_layers": 1 << 9,
    "num_heads": 1 << 10,
    "key_size": 1 << 12,
    "history_seq_len": 1 << 16,
    "candidate_seq_len": 1 << 20,
    "num_actions": 1 << 12,
    "product_surface_vocab_size": 1 << 20,
    "num_continuous": 1 << 12,
    "dwell_hidden": 1 << 14,
    "content_size": 1 << 16,
    "feature_hidden": 1 << 14,
    "num_subjects": 1 << 12,
    "item_ids_below": (1 << 63) - 1,
}
MAX_HASHES = 64
WIDENING_FACTOR = 2.0
ATTENTION_MULTIPLIER = 0.125
ATTENTION_CAP = 30.0
NORM_EPSILON = 1e-5
DWELL_COLUMN = 1
DWELL_SCALE_SECONDS = 30.0
MAX_POST_AGE_MINUTES = 4800


class ConfigError(ValueError):
    """The configuration is not one a Phoenix model can be built from."""


@dataclass(frozen=True)
class EntityHash:
    """Hash functions of one entity type: H_j(x) = ((x * scale_j + bias_j) mod modulus) mod (V - 1) + 1."""

    scales: tuple[int, ...]
    biases: tuple[int, ...]
    modulus: int
    vocab_size: int

    @property
    def num_hashes(self) -> int:
        return len(self.scales)


@dataclass(frozen=True)
class PhoenixConfig:
    """Sizes, hash functions and options of a retrieval or ranker model."""

    model_type: str
    emb_size: int
    num_layers: int
    num_heads: int
    key_size: int
    history_seq_len: int
    candidate_seq_len: int
    num_actions: int
    user_hash: EntityHash
    item_hash: EntityHash
    author_hash: EntityHash
    product_surface_vocab_size: int = 16
    post_age_granularity_mins: int = 60
    # inferred from array shapes when an artifact is read
    num_continuous: int = 8
    dwell_hidden: int = 64
    # ours
    right_anchored_rope: bool = False
    dwell_use_log: bool = False
    linear_candidate_tower: bool = True
    pooling_decay: float = 1.0
    content_size: int = 0
    content_match: bool = False  # what was liked and what a post says, compared directly
    num_subjects: int = 0  # by which what people look at is told apart
    history_feature_names: tuple[str, ...] = ()
    candidate_feature_names: tuple[str, ...] = ()
    feature_hidden: int = 64
    head_bias: bool = False
    item_ids_below: int = 0  # posts from this id on came after the training: their rows mean nothing
    action_names: tuple[str, ...] = ()
    continuous_names: tuple[str, ...] = ()
    surface_names: tuple[str, ...] = ()
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.model_type not in ("retrieval", "ranker"):
            raise ConfigError(f"model_type must be 'retrieval' or 'ranker', not {self.model_type!r}")
        for field in dataclasses.fields(self):
            self._check(field.name, field.type, getattr(self, field.name))
        if self.key_size % 2:
            raise ConfigError(f"key_size must be even for rotary positions, not {self.key_size}")
        if self.content_match and not (self.content_size and "strength" in self.history_feature_names):
            raise ConfigError("content_match needs a content_size and the history feature 'strength'")
        if self.num_subjects and not self.content_size:
            raise ConfigError("num_subjects needs a content_size")
        if self.content_match and self.model_type == "ranker" and not self.candidate_feature_names:
            raise ConfigError("content_match is one more candidate feature, and this ranker has none")
        for names, size, key in (
            (self.action_names, self.num_actions, "action_names"),
            (self.continuous_names, self.num_continuous, "continuous_names"),
        ):
            if names and len(names) != size:
                raise ConfigError(f"{key} has {len(names)} names for {size} heads")

    def _check(self, name: str, kind: Any, value: Any) -> None:
        zero_allowed = name in OPTIONAL_SIZES
        if kind == "int":
            if not isinstance(value, int) or isinstance(value, bool):
                raise ConfigError(f"{name} must be an integer, not {value!r}")
            least, most = 0 if zero_allowed else 1, LIMITS.get(name, MAX_DIMENSION - 1)
            if not least <= value <= most:
                raise ConfigError(f"{name} is out of range: {value}, not {least} to {most}")
        elif kind == "float":
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
                raise ConfigError(f"{name} must be a number above 0 and at most 1, not {value!r}")
        elif kind == "bool" and not isinstance(value, bool):
            raise ConfigError(f"{name} must be true or false, not {value!r}")
        elif kind == "str" and not isinstance(value, str):
            raise ConfigError(f"{name} must be text, not {value!r}")

    @property
    def ffn_size(self) -> int:
        """Feed-forward width: two thirds of the widened size, rounded up to a multiple of 8."""
        width = int(WIDENING_FACTOR * self.emb_size) * 2 // 3
        return width + (8 - width) % 8

    @property
    def heads_size(self) -> int:
        return self.num_heads * self.key_size

    @property
    def num_age_buckets(self) -> int:
        return MAX_POST_AGE_MINUTES // self.post_age_granularity_mins + 2

    @property
    def num_post_parts(self) -> int:
        """Vectors of emb_size that represent a post and its author (hash rows, then content)."""
        content = 1 if self.content_size else 0
        return self.item_hash.num_hashes + self.author_hash.num_hashes + content

    @property
    def num_history_parts(self) -> int:
        """Post parts, actions, surface; the ranker adds dwell; ours adds history features."""
        dwell = 1 if self.model_type == "ranker" else 0
        return self.num_post_parts + 2 + dwell + (1 if self.num_history_features else 0)

    @property
    def num_candidate_parts(self) -> int:
        """Post parts, surface, post age; ours adds candidate features (live counts, relation, match)."""
        return self.num_post_parts + 2 + (1 if self.num_candidate_features else 0)

    @property
    def num_history_features(self) -> int:
        return len(self.history_feature_names)

    @property
    def num_candidate_features(self) -> int:
        """Features given; with a content match the model adds that as one more."""
        return len(self.candidate_feature_names)

    def replace(self, **changes: Any) -> PhoenixConfig:
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The published `config.json` keys, then our extensions where they differ from the default."""
        out: dict[str, Any] = {name: getattr(self, name) for name in PUBLISHED_KEYS}
        params: dict[str, Any] = {}
        for entity in ENTITIES:
            hashes: EntityHash = getattr(self, f"{entity}_hash")
            out[f"{entity}_vocab_size"] = hashes.vocab_size
            out[f"num_{entity}_hashes"] = hashes.num_hashes
            params[f"{entity}_hash_scales"] = list(hashes.scales)
            params[f"{entity}_biases"] = list(hashes.biases)
            params[f"{entity}_modulus"] = hashes.modulus
        out["hash_params"] = params
        for field in dataclasses.fields(self):
            if field.name in EXTENSION_KEYS and getattr(self, field.name) != field.default:
                value = getattr(self, field.name)
                out[field.name] = list(value) if isinstance(value, tuple) else value
        return out

    @classmethod
    def from_dict(cls, raw: Any) -> PhoenixConfig:
        """Build from `config.json`; raises ConfigError naming the key that is missing or wrong."""
        if not isinstance(raw, dict):
            raise ConfigError("the configuration is not a JSON object")
        missing = [key for key in REQUIRED_KEYS if key not in raw]
        if missing:
            raise ConfigError(f"missing keys: {', '.join(missing)}")
        values = {key: raw[key] for key in PUBLISHED_KEYS if key in raw}
        values |= {f"{entity}_hash": _entity_hash(raw, entity) for entity in ENTITIES}
        for key in EXTENSION_KEYS:
            if key in raw:
                values[key] = _names(key, raw[key]) if key.endswith("_names") else raw[key]
        return cls(**values)


ENTITIES = ("user", "item", "author")
PUBLISHED_KEYS = (
    "model_type",
    "emb_size",
    "num_layers",
    "num_heads",
    "key_size",
    "history_seq_len",
    "candidate_seq_len",
    "num_actions",
    "product_surface_vocab_size",
    "post_age_granularity_mins",
)
EXTENSION_KEYS = (
    "num_continuous",
    "dwell_hidden",
    "right_anchored_rope",
    "dwell_use_log",
    "linear_candidate_tower",
    "pooling_decay",
    "content_size",
    "content_match",
    "num_subjects",
    "history_feature_names",
    "candidate_feature_names",
    "feature_hidden",
    "head_bias",
    "item_ids_below",
    "action_names",
    "continuous_names",
    "surface_names",
    "dtype",
)
REQUIRED_KEYS = PUBLISHED_KEYS[:8]
OPTIONAL_SIZES = {"content_size", "item_ids_below", "num_subjects"}


def _names(key: str, raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise ConfigError(f"{key} must be a list of names")
    if len(set(raw)) != len(raw):
        raise ConfigError(f"{key} has a name twice")
    return tuple(raw)


def _entity_hash(raw: dict[str, Any], entity: str) -> EntityHash:
    params = raw.get("hash_params")
    if not isinstance(params, dict):
        raise ConfigError("hash_params must be an object")
    scales = _integers(params, f"{entity}_hash_scales")
    biases = _integers(params, f"{entity}_biases")
    modulus = _integer(params, f"{entity}_modulus")
    vocab_size = _integer(raw, f"{entity}_vocab_size")
    declared = raw.get(f"num_{entity}_hashes", len(scales))
    if not len(scales) == len(biases) == declared:
        raise ConfigError(f"{entity}: {declared} hashes, {len(scales)} scales, {len(biases)} biases")
    if not 1 <= len(scales) <= MAX_HASHES:
        raise ConfigError(f"{entity}: {len(scales)} hashes, not 1 to {MAX_HASHES}")
    if modulus < 1 or not 2 <= vocab_size < MAX_DIMENSION:
        raise ConfigError(f"{entity}: modulus {modulus} or vocabulary {vocab_size} is out of range")
    return EntityHash(scales, biases, modulus, vocab_size)


def _integer(raw: dict[str, Any], key: str) -> int:
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 63) <= value < 1 << 63:
        raise ConfigError(f"{key} must be a 64-bit integer, not {value!r}")
    return value


def _integers(raw: dict[str, Any], key: str) -> tuple[int, ...]:
    values = raw.get(key)
    if not isinstance(values, list):
        raise ConfigError(f"{key} must be a list of integers")
    return tuple(_integer({key: value}, key) for value in values)
