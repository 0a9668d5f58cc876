"""Streams in the OpenAPI file: they are beside Django, where its generator does not look."""

from typing import Any

from feed.streaming.streams import HASHTAG, LIST, MAX_TAG, NAMES, Stream

_TAG = {
    "in": "query",
    "name": "tag",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TAG},
    "description": "The hashtag, with or without its sign.",
}
_LIST = {
    "in": "query",
    "name": "list",
    "required": True,
    "schema": {"type": "string"},
    "description": "The id of one of the caller's lists.",
}
_PARAMETERS = {HASHTAG: [_TAG], LIST: [_LIST]}
_ANSWER = (
    "An answer that does not end: events `update`, `status.update`, `delete` and `notification`, a comment line "
    "every fifteen seconds. The same streams are served by a websocket at `/api/v1/streaming`."
)
_EXAMPLE = 'event: update\ndata: {"id": "2124430462343446528", "content": "<p>Good morning</p>"}\n\n'
_REFUSALS = {
    "400": "There is no such stream, or its tag or list is missing.",
    "401": "The token is missing, wrong or has expired.",
    "403": "The token lacks the scope.",
    "404": "There is no such list of the caller's.",
    "429": "Too many streams were opened.",
}


def add_streams(result: dict[str, Any], **about: Any) -> dict[str, Any]:
    """A hook of the generator: one path for each stream."""
    for name in NAMES:
        stream = Stream(name)
        result["paths"][f"/api/v1/streaming/{name.replace(':', '/')}/"] = {"get": _operation(stream)}
    return result


def _operation(stream: Stream) -> dict[str, Any]:
    answers = {"200": {"description": _ANSWER, "content": {"text/event-stream": _body()}}}
    return {
        "operationId": f"api_v1_streaming_{stream.name.replace(':', '_')}",
        "description": f"The stream `{stream.name}`, as server-sent events.",
        "parameters": _PARAMETERS.get(stream.kind, []),
        "tags": ["streaming"],
        "security": [{"oauth2": [stream.scope]}],
        "responses": answers | {status: {"description": words} for status, words in _REFUSALS.items()},
    }


def _body() -> dict[str, Any]:
    return {"schema": {"type": "string"}, "example": _EXAMPLE}
