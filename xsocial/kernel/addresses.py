"""Parts of addresses that every app shares: `<id:post_id>` is an id that a row can have."""

from django.urls.converters import IntConverter

from xsocial.kernel import ids


class IdConverter(IntConverter):
    """Digits up to the largest id; beyond it there is no such page, rather than a database error."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = super().to_python(value)
        if number > ids.MAX_ID:
            raise ValueError(f"no id is larger than {ids.MAX_ID}")
        return number
