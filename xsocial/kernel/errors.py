"""The errors that services and selectors raise, and nothing else does the translating.

`message` is for people, `extra` for machines. REST and HTML each map the family once.
"""

from typing import Any, ClassVar


class ApplicationError(Exception):
    """The root of the family. `status` is the HTTP status an edge answers with."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", *, extra: dict[str, Any] | None = None) -> None:
        self.message = message or self.default_message()
        self.extra = extra or {}
        super().__init__(self.message)

    @classmethod
    def default_message(cls) -> str:
        """The first line of the class's docstring, which is written for people."""
        return (cls.__doc__ or cls.__name__).partition("\n")[0]


class Invalid(ApplicationError):
    """That does not work. Please check what you entered."""

    status = 422
    code = "invalid"


class NotAllowed(ApplicationError):
    """You may not do that."""

    status = 403
    code = "not_allowed"


class NotFound(ApplicationError):
    """There is nothing here."""

    status = 404
    code = "not_found"


class Conflict(ApplicationError):
    """That was already done, or has changed meanwhile."""

    status = 409
    code = "conflict"


class RateLimited(ApplicationError):
    """Too many at once. Please wait a little."""

    status = 429
    code = "rate_limited"


class Unavailable(ApplicationError):
    """This is not available right now. Please try again soon."""

    status = 503
    code = "unavailable"
