"""The form by which an owner changes what is assumed about volume and cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django import forms
from django.forms import BoundField
from django.utils import timezone

from backends import price_list
from experiments.models import Experiment
from reports import assumptions
from reports.cost_fields import BY_TOKENS, LABELS, OF_GPUS, WORTH_TOO_MUCH, Labels, amount, field_of, stated
from reports.models import Assumptions

GENERAL: Labels = {
    "requests_per_day": ("Requests a day", "Left out, GPUs are taken to be busy for a share of the time."),
    "operations_per_day": ("Operations, USD a day", "People's time and everything else that is fixed."),
    "governance_per_year": (
        "Avoided data-governance risk, USD a year",
        "Your own figure: what one avoided audit or impact assessment would be worth.",
    ),
    "vendor_risk_per_year": (
        "Avoided vendor risk, USD a year",
        "Your own figure: an outage, a price rise or a model withdrawn. It is added to the one before.",
    ),
    "cached_share": ("Cached share of input tokens", "0 to 1; left out, what was measured in the first pass."),
    "p95_target_ms": (
        "p95 that you would allow, ms",
        "Capacity is that of the highest load within it; left out, of the best load, however slow.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields under a title, and what to know about what they hold already."""

    title: str
    note: str
    fields: list[BoundField]


class AssumptionsForm(forms.Form):
    """One number each; an empty field means that nothing is assumed. Systems have fields of their own kind of cost."""

    def __init__(self, experiment: Experiment, report: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.experiment, self.report = experiment, report
        self.offers = price_list.offers(experiment, today=timezone.now().date())
        for name, (label, hint) in GENERAL.items():
            self.fields[name] = amount(label, hint, *assumptions.GENERAL[name])
        for system in report["systems"]:
            for labels in _kinds(system).values():
                self.fields.update({f"{system['arm']}-{name}": field_of(name) for name in labels})

    @classmethod
    def showing(cls, experiment: Experiment, report: Mapping[str, Any]) -> Self:
        """The form with what is assumed now, and with listed prices where nothing is stated."""
        now = assumptions.current(experiment)
        form = cls(experiment, report, initial={name: now.get(name) for name in GENERAL})
        for system in report["systems"]:
            known = system["cost"]["stated"] or {}
            if form._offered(system):
                known = {**known, **form.offers[system["arm"]].cost}
            form.initial.update({f"{system['arm']}-{name}": known.get(name) for name in LABELS})
        return form

    @classmethod
    def given(cls, experiment: Experiment, report: Mapping[str, Any], data: Mapping[str, Any]) -> Self:
        """The form as it was sent."""
        return cls(experiment, report, data)

    def clean(self) -> dict[str, Any]:
        """A machine is worth no more at the end than it cost."""
        for system in self.report["systems"]:
            arm = system["arm"]
            price, rest = (self.cleaned_data.get(f"{arm}-{name}") for name in ("purchase_price", "residual_value"))
            if rest is not None and rest > (price or 0):
                self.add_error(f"{arm}-residual_value", WORTH_TOO_MUCH)
        return self.cleaned_data

    def groups(self) -> Iterator[Group]:
        """The fields under their titles."""
        yield Group(title="Volume and everything around", note="", fields=[self[name] for name in GENERAL])
        for system in self.report["systems"]:
            for kind, labels in _kinds(system).items():
                fields = [self[f"{system['arm']}-{name}"] for name in labels]
                note = self._note(system) if labels is BY_TOKENS else ""
                yield Group(title=f"{system['name']}: {kind}", note=note, fields=fields)

    def values(self) -> dict[str, Any]:
        """As `assumptions.state` takes them."""
        cleaned = self.cleaned_data
        return {
            **{name: cleaned[name] for name in GENERAL},
            "systems": {
                system["arm"]: stated(cleaned, prefix=f"{system['arm']}-") for system in self.report["systems"]
            },
        }

    def history(self) -> list[dict[str, Any]]:
        """What was assumed and when, in words, newest first."""
        names = {system["arm"]: system["name"] for system in self.report["systems"]}
        return [
            {"stated_at": row.stated_at, "stated_by": row.stated_by, "words": _words(row, names)}
            for row in assumptions.history(self.experiment)
        ]

    def _offered(self, system: Mapping[str, Any]) -> bool:
        return system["cost"]["basis"] == "none" and system["arm"] in self.offers

    def _note(self, system: Mapping[str, Any]) -> str:
        if self._offered(system):
            return f"Filled in, and counted only once you use it: {self.offers[system['arm']].words}"
        if system["cost"]["basis"] == "none" and not price_list.is_installed():
            return price_list.INSTALL
        return ""


def _kinds(system: Mapping[str, Any]) -> dict[str, Labels]:
    """The groups of fields of one system, by what they are about."""
    tokens = {"prices by token": BY_TOKENS}
    return {"tokens": tokens, "gpu": OF_GPUS}.get(system["cost"]["basis"], {**tokens, **OF_GPUS})


def _words(row: Assumptions, names: Mapping[str, str]) -> str:
    said = [
        f"{GENERAL[name][0]} {value:g}" for name, value in row.values.items() if name in GENERAL and value is not None
    ]
    for arm, values in row.values.get("systems", {}).items():
        given = [f"{LABELS[name][0]} {value}" for name, value in values.items() if name in LABELS and value is not None]
        if given:
            said.append(f"{names.get(arm, arm)}: {', '.join(given)}")
    return "; ".join(said) or "nothing"
