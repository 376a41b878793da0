"""The form by which an owner changes what is assumed about volume and cost."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from django import forms
from django.forms import BoundField

from experiments.models import Experiment
from reports import assumptions
from reports.models import Assumptions

GENERAL = {
    "requests_per_day": ("Requests a day", "Left out, GPUs are taken to be busy for a share of the time."),
    "operations_per_day": ("Operations, USD a day", "People's time and everything else that is fixed."),
    "governance_per_year": (
        "Avoided vendor and data-governance risk, USD a year",
        "Your own figure: what one avoided audit, outage or price rise would be worth.",
    ),
    "cached_share": ("Cached share of input tokens", "0 to 1; left out, what was measured."),
}
BY_TOKENS = {
    "input_per_million": "Input, USD per million tokens",
    "output_per_million": "Output, USD per million tokens",
    "cached_input_per_million": "Cached input, USD per million tokens",
}
BY_GPU = {
    "gpu_hourly": "One GPU, USD an hour",
    "gpus": "GPUs",
    "hours_per_day": "Hours a day they are paid for",
    "utilisation": "Share of time they work, 0 to 1",
    "storage_per_day": "Storage, USD a day",
}
SHARES = {"cached_share", "utilisation"}
MOST = 1e12


class AssumptionsForm(forms.Form):
    """One number each; an empty field means that nothing is assumed. Systems have fields of their own kind of cost."""

    def __init__(self, experiment: Experiment, report: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.experiment, self.report = experiment, report
        for name, (label, hint) in GENERAL.items():
            self.fields[name] = _number(name, label, hint)
        for system in report["systems"]:
            for name, label in _of(system).items():
                self.fields[f"{system['arm']}-{name}"] = _number(name, label)

    @classmethod
    def showing(cls, experiment: Experiment, report: Mapping[str, Any]) -> Self:
        """The form with what is assumed now."""
        now = assumptions.current(experiment)
        initial = {name: now.get(name) for name in GENERAL}
        for system in report["systems"]:
            stated = system["cost"]["stated"]
            initial |= {f"{system['arm']}-{name}": stated.get(name) for name in _of(system)}
        return cls(experiment, report, initial=initial)

    @classmethod
    def given(cls, experiment: Experiment, report: Mapping[str, Any], data: Mapping[str, Any]) -> Self:
        """The form as it was sent."""
        return cls(experiment, report, data)

    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The fields under their titles."""
        yield "Volume and everything around", [self[name] for name in GENERAL]
        for system in self.report["systems"]:
            yield system["name"], [self[f"{system['arm']}-{name}"] for name in _of(system)]

    def values(self) -> dict[str, Any]:
        """As `assumptions.state` takes them."""
        cleaned = self.cleaned_data
        return {
            **{name: cleaned[name] for name in GENERAL},
            "systems": {
                system["arm"]: {name: cleaned[f"{system['arm']}-{name}"] for name in _of(system)}
                for system in self.report["systems"]
            },
        }

    def history(self) -> list[dict[str, Any]]:
        """What was assumed and when, in words, newest first."""
        names = {system["arm"]: system["name"] for system in self.report["systems"]}
        return [
            {"stated_at": row.stated_at, "stated_by": row.stated_by, "words": _words(row, names)}
            for row in assumptions.history(self.experiment)
        ]


def _of(system: Mapping[str, Any]) -> dict[str, str]:
    return {"tokens": BY_TOKENS, "gpu": BY_GPU}.get(system["cost"]["basis"], {**BY_TOKENS, **BY_GPU})


def _number(name: str, label: str, hint: str = "") -> forms.FloatField:
    most = 1.0 if name in SHARES else MOST
    return forms.FloatField(label=label, help_text=hint, required=False, min_value=0, max_value=most)


def _words(row: Assumptions, names: Mapping[str, str]) -> str:
    said = [
        f"{GENERAL[name][0]} {value:g}" for name, value in row.values.items() if name in GENERAL and value is not None
    ]
    for arm, values in row.values.get("systems", {}).items():
        labels = {**BY_TOKENS, **BY_GPU}
        given = [f"{labels.get(name, name)} {value}" for name, value in values.items() if value is not None]
        if given:
            said.append(f"{names.get(arm, arm)}: {', '.join(given)}")
    return "; ".join(said) or "nothing"
