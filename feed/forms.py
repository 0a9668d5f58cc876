"""Forms of the operators: a number for each weight, and a value of any type for a parameter. And a viewer's tuning."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from feed.home_mixer import params
from feed.home_mixer.tuning import AS_IS, GROUPS, Group
from feed.models import FeatureParameter, WeightSet
from feed.receipts.words import VERBS
from ranking import services as ranking


def _number(weight: params.Weight) -> forms.FloatField:
    return forms.FloatField(
        required=False,
        label=VERBS[weight.head][1],
        help_text=f"{weight.head}, published {weight.default:g}",
        min_value=0 if weight.sign > 0 else -params.MAX_WEIGHT,
        max_value=0 if weight.sign < 0 else params.MAX_WEIGHT,
    )


class _WeightSetForm(forms.ModelForm):
    """What is left empty keeps the published weight."""

    class Meta:
        model = WeightSet
        fields = ["name", "note"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        self.instance.weights = {head: values[head] for head in params.HEADS if values.get(head) is not None}
        return values


#: With a field for each action that has a weight.
WeightSetForm = type(_WeightSetForm)(
    "WeightSetForm", (_WeightSetForm,), {weight.head: _number(weight) for weight in params.WEIGHTS}
)


class _TuningForm(forms.Form):
    """One multiplier for each group."""

    def multipliers(self) -> dict[str, float]:
        """What was chosen."""
        return {name: float(value) for name, value in self.cleaned_data.items()}


def _multiplier(group: Group) -> forms.ChoiceField:
    words = {0.0: "Not at all (0)", AS_IS: "As it is (1)"}
    choices = [(f"{step:g}", words.get(step, f"{step:g} times")) for step in group.steps]
    return forms.ChoiceField(choices=choices, label=group.label, help_text=group.about)


TuningForm = type(_TuningForm)("TuningForm", (_TuningForm,), {group.name: _multiplier(group) for group in GROUPS})


class FeatureParameterForm(forms.ModelForm):
    """A known name, and its value as one would write it: 20, 0.5, true, or a word."""

    name = forms.ChoiceField(choices=[(name, name) for name, *_ in params.parameters()])
    value = forms.CharField()

    class Meta:
        model = FeatureParameter
        fields = ["name", "value", "note"]

    def clean_value(self) -> Any:
        try:
            return json.loads(self.cleaned_data["value"])
        except (ValueError, RecursionError):
            return self.cleaned_data["value"]

    def clean(self) -> dict[str, Any]:
        """A model that shall serve must exist."""
        values = super().clean() or self.cleaned_data
        kind, value = params.model_kind(values.get("name") or self.instance.name), values.get("value")
        if kind and isinstance(value, str) and not ranking.is_registered(value, kind):
            self.add_error("value", f"There is no {kind} model called {value}.")
        return values
