"""The published formulas once more in plain NumPy, float64, from the published arrays alone.

Shares no code with the models: one user, one candidate, token by token.
"""

import numpy as np

CAP = 30.0


def rows(config: dict, tables: dict, entity: str, identifier: int) -> np.ndarray:
    """All hash rows of an id, one after the other; zeros for id 0."""
    params, table = config["hash_params"], tables[f"{entity}_embeddings"].astype(np.float64)
    out = []
    scales, biases = params[f"{entity}_hash_scales"], params[f"{entity}_biases"]
    for scale, bias in zip(scales, biases, strict=True):
        if identifier == 0:
            out.append(np.zeros(table.shape[1]))
            continue
        wrapped = (identifier * scale + bias + (1 << 63)) % (1 << 64) - (1 << 63)
        out.append(table[wrapped % params[f"{entity}_modulus"] % (len(table) - 1) + 1])
    return np.concatenate(out)


def row_or_zero(table: np.ndarray, index: int) -> np.ndarray:
    return table[index] if 0 <= index < len(table) else np.zeros(table.shape[1])


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return gain * x / np.sqrt((x**2).mean() + 1e-5)


def turned(x: np.ndarray, position: float) -> np.ndarray:
    half = x.shape[-1] // 2
    angle = position * 10000.0 ** (-2 * np.arange(half) / x.shape[-1])
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


def age_bucket(impression: int, creation: int, step: int) -> int:
    age = (impression - creation) // 60
    if age < 0 or not impression or not creation:
        return 0
    return min(age // step + 1, 4800 // step + 1)


def history_token(config: dict, arrays: dict, tables: dict, request: dict, place: int) -> np.ndarray:
    root = "phoenix_model" if config["model_type"] == "ranker" else "phoenix_retrieval_model"
    actions = request["actions"][place].astype(np.float64)
    acted = (2 * actions - 1) @ arrays[f"{root}/action_projection"] if actions.any() else 0
    parts = [
        rows(config, tables, "item", int(request["post_ids"][place])),
        rows(config, tables, "author", int(request["author_ids"][place])),
        acted + np.zeros(config["emb_size"]),
        row_or_zero(arrays[f"{root}/product_surface_embedding_table"], int(request["surface"][place])),
    ]
    if config["model_type"] == "ranker":
        dwell = np.clip(float(request["dwell"][place]), 0, 30) / 30
        inner = gelu(dwell * arrays[f"{root}/history_dwell_time_proj1"][0])
        parts.append(inner @ arrays[f"{root}/history_dwell_time_proj2"])
    return np.concatenate(parts) @ arrays[f"{root}/proj_mat_3"]


def context_tokens(config: dict, arrays: dict, tables: dict, request: dict) -> list[tuple[np.ndarray, float]]:
    """Valid tokens of the context with their positions."""
    root = "phoenix_model" if config["model_type"] == "ranker" else "phoenix_retrieval_model"
    size, count = len(request["post_ids"]), int((request["post_ids"] != 0).sum())
    anchored = config.get("right_anchored_rope", False)
    tokens = []
    if request["user_id"]:
        tokens.append((rows(config, tables, "user", request["user_id"]) @ arrays[f"{root}/proj_mat_1"], 0.0))
    for place in range(count):
        position = 1 + size - count + place if anchored else 1 + place
        tokens.append((history_token(config, arrays, tables, request, place), float(position)))
    return tokens


def transformer(config: dict, arrays: dict, tokens: list[tuple[np.ndarray, float]]) -> list[np.ndarray]:
    """Causal; the last token sees all before it, so a candidate is simply the last token."""
    heads, size = config["num_heads"], config["key_size"]
    xs = [x for x, _ in tokens]
    for number in range(config["num_layers"]):
        name = f"transformer/decoder_layer_{number}"
        gains = [arrays[f"{name}/rms_norm{suffix}/scale"] for suffix in ("", "_1", "_2", "_3")]
        attention = f"{name}/multi_head_attention"
        normed = [norm(x, gains[0]) for x in xs]
        q, k, v = (
            [(x @ arrays[f"{attention}/{part}/w"]).reshape(heads, size) for x in normed]
            for part in ("query", "key", "value")
        )
        q, k = ([turned(x, p) for x, (_, p) in zip(part, tokens, strict=True)] for part in (q, k))
        for i in range(len(xs)):
            logits = np.array([CAP * np.tanh(0.125 * (q[i] * k[j]).sum(-1) / CAP) for j in range(i + 1)])
            weights = np.exp(logits - logits.max(0))
            weights /= weights.sum(0)
            mixed = sum(weights[j][:, None] * v[j] for j in range(i + 1)).reshape(-1)
            xs[i] = xs[i] + norm(mixed @ arrays[f"{attention}/linear/w"], gains[1])
            z = norm(xs[i], gains[2])
            inner = gelu(z @ arrays[f"{name}/linear/w"]) * (z @ arrays[f"{name}/linear_v/w"])
            xs[i] = xs[i] + norm(inner @ arrays[f"{name}/linear_1/w"], gains[3])
    return xs


def rank(config: dict, arrays: dict, tables: dict, request: dict, candidate: dict, slot: int) -> tuple:
    """Logits and continuous predictions of one candidate in one slot."""
    root = "phoenix_model"
    age = age_bucket(candidate["impression"], candidate["creation"], config["post_age_granularity_mins"])
    token = np.concatenate(
        [
            rows(config, tables, "item", candidate["post_id"]),
            rows(config, tables, "author", candidate["author_id"]),
            row_or_zero(arrays[f"{root}/product_surface_embedding_table"], candidate["surface"]),
            arrays[f"{root}/post_age_embedding_table"][age],
        ]
    )
    anchored = config.get("right_anchored_rope", False)
    position = 1.0 + len(request["post_ids"]) + (0 if anchored else slot)
    tokens = context_tokens(config, arrays, tables, request)
    x = transformer(config, arrays, [*tokens, (token @ arrays[f"{root}/proj_mat_2"], position)])[-1]
    y = norm(x, arrays[f"{root}/rms_norm/scale"])
    continuous = y @ arrays[f"{root}/continuous_unembeddings"]
    return y @ arrays[f"{root}/unembeddings"], 1 / (1 + np.exp(-continuous))


def user_vector(config: dict, arrays: dict, tables: dict, request: dict) -> np.ndarray:
    xs = transformer(config, arrays, context_tokens(config, arrays, tables, request))
    pooled = np.mean(xs, axis=0) if xs else np.zeros(config["emb_size"])
    return pooled / np.sqrt(max((pooled**2).sum(), 1e-12))


def post_vector(config: dict, arrays: dict, tables: dict, post_id: int, author_id: int) -> np.ndarray:
    tower = "phoenix_retrieval_model/~build_candidate_representation/candidate_tower/candidate_tower_projection"
    x = np.concatenate([rows(config, tables, "item", post_id), rows(config, tables, "author", author_id)])
    hidden = x @ arrays[f"{tower}_1"]
    z = (hidden / (1 + np.exp(-hidden))) @ arrays[f"{tower}_2"]
    return z / np.sqrt(max((z**2).sum(), 1e-12))
