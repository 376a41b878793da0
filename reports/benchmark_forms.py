"""The forms by which an owner adds a public score: typed, or a row of a leaderboard."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reports import leaderboards
from reports.benchmarks import Score
from reports.leaderboards import NoSuchRow

LEADERBOARD = "Open LLM Leaderboard"


class BenchmarkForm(forms.Form):
    """What both forms ask: whose score it is."""

    arm = forms.ChoiceField(label=_("System"))

    prefixed = "score"

    def __init__(self, report: Mapping[str, Any], *args: Any) -> None:
        super().__init__(*args)
        self.auto_id = f"{self.prefixed}-%s"
        self.models = {one["arm"]: one["model"] or one["name"] for one in report["systems"]}
        choices = [(one["arm"], one["name"]) for one in report["systems"]]
        self.fields["arm"].choices = choices  # type: ignore[attr-defined]  # of the choice field

    def scores(self) -> dict[str, list[Score]]:
        """By the code of the arm, as `benchmarks.add` takes them."""
        return {self.cleaned_data["arm"]: self.given()}

    def given(self) -> list[Score]:
        """The scores of a valid form."""
        raise NotImplementedError


class TypedScoreForm(BenchmarkForm):
    """One score."""

    name = forms.CharField(label=_("Benchmark"), max_length=120)
    score = forms.FloatField(label=_("Score"), help_text=_("In the benchmark's own unit."))
    source = forms.CharField(label=_("Source"), max_length=500, help_text=_("Where it can be looked up."))
    dated = forms.DateField(
        label=_("Date of the source"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean_score(self) -> float:
        """A number that ends."""
        value = float(self.cleaned_data["score"])
        if not math.isfinite(value) or abs(value) > 1e9:
            raise forms.ValidationError(_("Enter a number."))
        return value

    def clean_dated(self) -> date:
        """Not in the future."""
        return _past(self.cleaned_data["dated"])

    def given(self) -> list[Score]:
        """The one."""
        given = self.cleaned_data
        return [Score(name=given["name"], score=given["score"], source=given["source"], dated=given["dated"])]


class LeaderboardForm(BenchmarkForm):
    """A row of the Open LLM Leaderboard."""

    prefixed = "row"
    file = forms.FileField(label=_("Its row, as CSV or JSON"), max_length=200)
    dated = forms.DateField(
        label=_("Date"),
        required=False,
        help_text=_("Left out, the one that the row has."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def clean(self) -> dict[str, Any]:
        """The row has scores of the leaderboard, and somebody says of when."""
        data = self.cleaned_data
        if "arm" not in data or "file" not in data:
            return data
        try:
            read = leaderboards.read(data["file"].read(leaderboards.LARGEST + 1), model=self.models[data["arm"]])
        except NoSuchRow as problem:
            self.add_error("file", str(problem))
            return data
        if not (data.get("dated") or read.dated):
            self.add_error("dated", _("The row has no date: say when it was taken."))
        else:
            data["dated"] = _past(data.get("dated") or read.dated)
        data["read"] = read.scores
        return data

    def given(self) -> list[Score]:
        """One for each column of the leaderboard."""
        given = self.cleaned_data
        return [
            Score(name=name, score=score, source=LEADERBOARD, dated=given["dated"])
            for name, score in given["read"].items()
        ]


FORMS: dict[str, type[BenchmarkForm]] = {"typed": TypedScoreForm, "row": LeaderboardForm}


def _past(day: Any) -> date:
    if not isinstance(day, date) or day > timezone.now().date():
        raise forms.ValidationError(_("The date lies in the future."))
    return day
