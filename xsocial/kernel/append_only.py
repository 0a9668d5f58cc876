"""Rows that are written once: logs, ledgers, what receipts refer to."""

from typing import Any

from django.db import models

from xsocial.kernel.errors import Conflict


class AppendOnly(models.Model):
    """Changing or deleting a row raises `Conflict`."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Conflict(f"A {self._meta.verbose_name} never changes; make a new one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise Conflict(f"A {self._meta.verbose_name} is never deleted.")
