"""What the page's script saw being seen."""

from typing import Any

from django.http import HttpResponse

from posts import services
from posts.types import EngagementKind, SeenPost, Surface
from xsocial.kernel.errors import Invalid, NotFound
from xsocial.kernel.pages import PageRequest, action, parse_json

MAX_ROWS = 200
# Less than this is passing by; ranking knows it as its own kind.
DWELL_S = 1.5


@action
def impressions(request: PageRequest) -> HttpResponse:
    """Posts seen for a second, and how long posts were looked at when the page was left."""
    data = _parsed(request.POST.get("data", ""))
    seen = [_seen(row) for row in _rows(data, "impressions")]
    if seen:
        services.record_impressions(user=request.user, impressions=seen)
    for row in _rows(data, "dwells"):
        _dwelled(request, _seen(row))
    return HttpResponse(status=204)


def _parsed(raw: str) -> dict[str, Any]:
    data = parse_json(raw)
    if not isinstance(data, dict):
        raise Invalid("The report is not an object.")
    return data


def _rows(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = data.get(name, [])
    if not isinstance(rows, list) or len(rows) > MAX_ROWS or not all(isinstance(row, dict) for row in rows):
        raise Invalid(f"{name} must be a list of at most {MAX_ROWS} objects.")
    return rows


def _seen(row: dict[str, Any]) -> SeenPost:
    try:
        return SeenPost(
            post_id=int(row["post_id"]),
            surface=Surface(int(row.get("surface") or 0)),
            position=int(row["position"]) if row.get("position") is not None else None,
            request_id=int(row["request_id"]) if row.get("request_id") else None,
            seconds=float(row["seconds"]) if row.get("seconds") is not None else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Invalid("An impression is not complete.") from error


def _dwelled(request: PageRequest, seen: SeenPost) -> None:
    """Log the time a post held the eye. A post that vanished meanwhile is passed over."""
    seconds = seen.seconds or 0.0
    kind = EngagementKind.DWELL if seconds >= DWELL_S else EngagementKind.NOT_DWELLED
    try:
        services.record_engagement(
            user=request.user,
            post_id=seen.post_id,
            kind=kind,
            surface=seen.surface,
            seconds=seconds,
            request_id=seen.request_id,
        )
    except NotFound:
        return
