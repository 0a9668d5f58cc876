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


SAFE = ("GET", "HEAD", "OPTIONS")


class ScopePermission(BasePermission):
    """A signed-in browser session needs no scope; a token does."""

    read, write, is_public = "", "", False

    def scope_for(self, method: str) -> str:
        """What a token needs for this method."""
        return self.read if method in SAFE else self.write

    def has_permission(self, request: Request, view: APIView) -> bool:
        token: Any = request.auth
        if token is not None:
            return grants(token.scope.split(), self.scope_for(request.method or ""))
        is_signed_in = bool(request.user and request.user.is_authenticated)
        return is_signed_in or (self.is_public and request.method in SAFE)


def requires(*, read: str = "", write: str = "", public: bool = False) -> type[ScopePermission]:
    """A permission class: `read` for safe methods, `write` for the others.

    With `public`, safe methods are open to everybody without a token.
    """
    return type("Requires", (ScopePermission,), {"read": read, "write": write, "is_public": public})
