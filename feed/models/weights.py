"""Ranking weights and parameters as data: numbered, immutable, and a log of what was live when."""

import hashlib

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict


class AppendOnly(models.Model):
    """Rows are written once; changing or deleting one raises `Conflict`."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            raise Conflict(f"A {self._meta.verbose_name} never changes; make a new one.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs) -> None:
        raise Conflict(f"A {self._meta.verbose_name} is never deleted.")


class WeightSet(AppendOnly):
    """One numbered set of ranking weights: head name -> weight. Number 0 is the published set."""

    number = models.AutoField(primary_key=True)
    name = models.CharField(max_length=60)
    weights = models.JSONField(help_text="Head name to weight; heads left out keep the published value.")
    note = models.CharField(max_length=200, blank=True, help_text="Why this set exists.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.name}"

    def clean(self) -> None:
        """Only known heads, each within its bounds."""
        from feed.home_mixer import params

        complaints = params.weight_problems(self.weights)
        if complaints:
            raise ValidationError({"weights": complaints})


class WeightChange(AppendOnly):
    """One activation. `digest` covers this row and the previous digest, so edits show."""

    weight_set = models.ForeignKey(WeightSet, models.PROTECT, related_name="activations")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    previous_digest = models.CharField(max_length=64, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} activated set {self.weight_set_id}"

    def computed_digest(self) -> str:
        """SHA-256 over the previous digest and everything this row says."""
        body = {
            "previous": self.previous_digest,
            "set": self.weight_set_id,
            "weights": self.weight_set.weights,
            "actor": self.actor_id,
            "reason": self.reason,
            "at": clock.to_ms(self.created_at),
        }
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


class FeatureParameter(models.Model):
    """A live value that replaces a parameter's default. Deleting the row restores the default."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"

    def clean(self) -> None:
        """A known parameter, of its type, within its bounds."""
        from feed.home_mixer import params

        complaint = params.override_problem(self.name, self.value)
        if complaint:
            raise ValidationError({"value": complaint})
