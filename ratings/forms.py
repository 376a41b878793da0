"""What a rater's forms may say; the buttons cannot be mistyped, so whatever does not fit was not sent by the page."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from ratings.desk import Answer

VERDICTS = [(value, value) for value in ("left", "right", "both_good", "both_bad")]
LAYOUTS = [(value, value) for value in ("ltr", "rtl", "stacked")]
STRENGTHS = [(value, value) for value in ("slightly", "clearly")]
YES_NO = [("yes", "yes"), ("no", "no")]
REASONS = [(value, value) for value in ("not_my_field", "unclear", "reveals", "broken", "other")]
SIDES = [(value, value) for value in ("left", "right", "unsure")]
CRITERION = forms.ChoiceField(choices=VERDICTS)
TRUTH = {"yes": True, "no": False}
LONGEST_COMMENT = 5000
REQUIRED_COMMENT = forms.CharField(max_length=LONGEST_COMMENT)


class Shared(dict[str, forms.Field]):
    """Fields that no instance of their form changes: they are not copied for each, which takes longer than checking."""

    def __deepcopy__(self, memo: object) -> dict[str, forms.Field]:
        return dict(self)


class Sent(forms.Form):
    """What one press of one button sends: each field once, and nobody has to choose between two."""

    def clean(self) -> dict[str, Any]:
        """Refuse a field that stands there twice."""
        twice = [name for name in self.fields if isinstance(self.data, QueryDict) and len(self.data.getlist(name)) > 1]
        if twice:
            raise forms.ValidationError(f"{twice[0]} stands there twice")
        return self.cleaned_data


class VerdictForm(Sent):
    """A verdict on a pair and what the experiment asks beside it."""

    assignment = forms.UUIDField()
    key = forms.UUIDField()
    verdict = forms.ChoiceField(choices=VERDICTS)
    strength = forms.ChoiceField(choices=STRENGTHS, required=False)
    left_acceptable = forms.ChoiceField(choices=YES_NO, required=False)
    right_acceptable = forms.ChoiceField(choices=YES_NO, required=False)
    comment = forms.CharField(max_length=LONGEST_COMMENT, required=False)
    layout = forms.ChoiceField(choices=LAYOUTS, required=False)
    differences_used = forms.ChoiceField(choices=[("1", "1"), ("0", "0")], required=False)

    def __init__(self, data: Any, *, criteria: Sequence[int] = (), require_comment: bool = False) -> None:
        super().__init__(data)
        self.criteria = criteria
        if require_comment:
            self.fields["comment"] = REQUIRED_COMMENT
        for position in criteria:
            self.fields[f"criterion-{position}"] = CRITERION

    def answer(self) -> Answer:
        """What was decided."""
        said = self.cleaned_data
        return Answer(
            verdict=said["verdict"],
            strength=said["strength"] or None,
            left_acceptable=TRUTH.get(said["left_acceptable"]),
            right_acceptable=TRUTH.get(said["right_acceptable"]),
            criteria={position: said[f"criterion-{position}"] for position in self.criteria},
            comment=said["comment"],
            layout=said["layout"],
            differences_used=said["differences_used"] == "1",
        )


VerdictForm.base_fields = Shared(VerdictForm.base_fields)


class SkipForm(Sent):
    """A pair that cannot be judged; the reason may be left out."""

    assignment = forms.UUIDField()
    reason = forms.ChoiceField(choices=REASONS, required=False)


class UndoForm(Sent):
    """Which judged pair to bring back; without one, the last."""

    again = forms.UUIDField(required=False)


class GuessForm(Sent):
    """Which card comes from the system in use today."""

    assignment = forms.UUIDField()
    guess = forms.ChoiceField(choices=SIDES)


class PreferencesForm(Sent):
    """The Aa menu; each line by itself may be missing."""

    size = forms.ChoiceField(choices=[(value, value) for value in ("m", "l", "xl")], required=False)
    theme = forms.ChoiceField(choices=[(value, value) for value in ("auto", "light", "dark")], required=False)
    text = forms.ChoiceField(choices=[(value, value) for value in ("rendered", "plain")], required=False)
    keys = forms.ChoiceField(choices=[(value, value) for value in ("on", "off")], required=False)
    back = forms.RegexField(r"^/rate/([a-z]+/)?\Z", required=False)


class PracticeForm(Sent):
    """A step of the practice, and a verdict where one was pressed."""

    step = forms.ChoiceField(choices=[(value, value) for value in ("1", "2", "ready", "start")])
    verdict = forms.ChoiceField(choices=VERDICTS, required=False)
