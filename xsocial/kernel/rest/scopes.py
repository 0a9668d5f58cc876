"""Permission classes by OAuth scope."""

from collections.abc import Iterable
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

#: What the older `follow` scope stands for.
FOLLOW_SCOPES = frozenset(f"{verb}:{part}" for verb in ("read", "write") for part in ("blocks", "follows", "mutes"))


def grants(granted: Iterable[str], wanted: str) -> bool:
    """Whether a token's scopes cover `wanted`: itself, its broad form, or `follow` for its parts."""
    held = set(granted)
    if wanted in held or wanted.split(":")[0] in held:
        return True
    return wanted in FOLLOW_SCOPES and "follow" in held


def requires(*, read: str = "", write: str = "", public: bool = False) -> type[BasePermission]:
    """A permission class: `read` for safe methods, `write` for the others.

    A signed-in browser session needs no scope; a token does. With `public`, safe methods are
    open to everybody.
    """

    class ScopePermission(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            safe = request.method in ("GET", "HEAD", "OPTIONS")
            token: Any = request.auth
            if token is not None:
                return grants(token.scope.split(), read if safe else write)
            return bool(request.user and request.user.is_authenticated) or (safe and public)

    return ScopePermission
