"""Ranking weights and parameters as data: numbered, immutable, and a log of what was live when."""

import hashlib
import json
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from xsocial.kernel import clock
from xsocial.kernel.append_only import AppendOnly


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
    """One change of what ranks the feed: a set put in force, or a parameter given a value (null: its default again).

    `digest` covers this row and the previous digest, so edits show. The actor's id stays when the account is gone:
    emptying it would be an edit.
    """

    weight_set = models.ForeignKey(WeightSet, models.PROTECT, null=True, blank=True, related_name="activations")
    parameter = models.CharField(max_length=60, blank=True, default="", db_default="")
    value = models.JSONField(null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    previous_digest = models.CharField(max_length=64, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weight_set=None) ^ models.Q(parameter=""), name="feed_weightchange_one_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {self.what}"

    @property
    def what(self) -> str:
        """What changed, in words."""
        if self.weight_set is not None:
            return f"weight set {self.weight_set} in force"
        return f"{self.parameter} = {json.dumps(self.value)}" if self.value is not None else f"{self.parameter} reset"

    def computed_digest(self) -> str:
        """SHA-256 of `text`."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def text(self) -> str:
        """The previous digest and everything this row says, as JSON with sorted keys."""
        subject: dict[str, Any] = {"parameter": self.parameter, "value": self.value}
        if self.weight_set is not None:
            subject = {"set": self.weight_set.pk, "weights": self.weight_set.weights}
        body = {
            "previous": self.previous_digest,
            **subject,
            "actor": self.actor_id,
            "reason": self.reason,
            "at": clock.to_ms(self.created_at),
        }
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


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
