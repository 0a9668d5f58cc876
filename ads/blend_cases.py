"""Golden cases for the blenders: reading a case file, running a case, telling the differences.

The file format is `xsocial-ads-blend/1`: one JSON object with `constants` and `cases`; each case holds posts,
ads and the result expected from both blenders.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ads.blending import (
    PARTITION_ORGANIC,
    SAFE_GAP,
    AdjacencyControl,
    AdjacencyRisk,
    BlendResult,
    OrganicPost,
    PlacedAd,
    Verdict,
    blend,
)
from ads.blending.spacing import DEFAULT_SPACING, MIN_POSTS_FOR_ADS, MIN_REQUESTED_GAP
from xsocial.kernel.errors import Invalid

FORMAT = "xsocial-ads-blend/1"

Json = Mapping[str, Any]


def load_cases(path: str | Path) -> Json:
    """The parsed file. Raises Invalid when it cannot be read or is not a case file."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"cannot read {path}: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Invalid(f"{path} is not a {FORMAT} file")
    if not isinstance(document.get("cases"), list) or not document["cases"]:
        raise Invalid(f"{path} holds no cases")
    if not isinstance(document.get("constants", {}), dict):
        raise Invalid(f"the constants of {path} are not an object")
    return document


def differing_constants(document: Json) -> list[str]:
    """Constants of the file that are not ours, as lines of text."""
    ours = {
        "min_posts": MIN_POSTS_FOR_ADS,
        "min_requested_gap": MIN_REQUESTED_GAP,
        "default_spacing": asdict(DEFAULT_SPACING),
    }
    theirs = document.get("constants", {})
    return _differences(ours, {name: theirs[name] for name in ours if name in theirs})


def check_case(case: Json, *, result_size: int) -> list[str]:
    """What both blenders give differently from the case, as lines of text. Raises Invalid if malformed."""
    try:
        posts = [_post(row) for row in case["posts"]]
        ads = [_ad(row) for row in case["ads"]]
        expected = dict(case["expected"])
    except (KeyError, TypeError, ValueError) as error:
        name = case.get("id", "?") if isinstance(case, dict) else "?"
        raise Invalid(f"case {name} is malformed: {error!r}") from error
    safe_gap = blend(posts, ads, blender=SAFE_GAP, result_size=result_size)
    partition = blend(posts, ads, blender=PARTITION_ORGANIC, result_size=result_size)
    actual = {
        "spacing": asdict(partition.spacing),
        "safe_gap": _sequence(safe_gap),
        "safe_gap_gaps": list(safe_gap.gaps),
        "partition_organic": _sequence(partition),
        "partition_target": partition.target,
        "enforcement": asdict(partition.enforcement),
    }
    return _differences(actual, expected)


def _differences(actual: Json, expected: Json) -> list[str]:
    names = sorted(actual.keys() | expected.keys())
    return [
        f"{name}: expected {expected.get(name)}, got {actual.get(name)}"
        for name in names
        if name in expected and actual.get(name) != expected[name]
    ]


def _sequence(result: BlendResult) -> list[str]:
    ads_or_posts = [("A", item.ad) if item.ad else ("P", item.post) for item in result.items]
    return [f"{kind}{one.id}" for kind, one in ads_or_posts if one is not None]


def _post(row: Json) -> OrganicPost:
    verdict = None if row["verdict"] is None else Verdict[row["verdict"].upper()]
    return OrganicPost(
        id=int(row["id"]),
        author_id=int(row["author"]),
        text=str(row["text"]),
        score=float(row["score"]),
        verdict=verdict,
    )


def _ad(row: Json) -> PlacedAd:
    control = None
    if row["risk"] is not None:
        control = AdjacencyControl(
            risk=AdjacencyRisk(row["risk"]),
            handles=frozenset(row["handles"]),
            keywords=tuple(row["keywords"]),
        )
    return PlacedAd(id=int(row["id"]), insert_position=int(row["insert_position"]), control=control)
