"""The forms by which judgments, a bundle or the next version of a system are brought in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backends.listing import endpoints
from console.regression import Candidate
from console.upload_forms import ENCODINGS
from experiments.models import Experiment


class JudgmentsForm(forms.Form):
    """A table of judgments made elsewhere."""

    file = forms.FileField(
        label=_("A table of judgments"),
        error_messages={"empty": _("The file is empty. Choose another.")},
        help_text=_("Columns input, rater, left, right and verdict; at most 100 MB and 1,000,000 rows."),
    )
    encoding = forms.ChoiceField(label=_("Encoding"), required=False, choices=ENCODINGS)


class BundleForm(forms.Form):
    """An experiment from another installation."""

    file = forms.FileField(
        label=_("A bundle"),
        error_messages={"empty": _("The file is empty. Choose another.")},
        help_text=_("As its Exports page gives it, at most 100 MB. Larger ones come in by the command import_bundle."),
    )


class FollowForm(forms.Form):
    """The next version, asked as the last one was."""

    name = forms.CharField(label=_("Name of the new version"), max_length=80, help_text=_("Example: candidate-2."))
    endpoint = forms.ChoiceField(label=_("Endpoint"))
    model = forms.CharField(label=_("Model"), max_length=300, help_text=_("As the server calls it."))
    accepted = forms.ChoiceField(
        label=_("The system in use, whose stored answers it meets"),
        help_text=_("The baseline, unless it was replaced."),
    )
    like = forms.ChoiceField(
        label=_("Settings are those of"), help_text=_("Prompt and parameters; change them in the draft.")
    )
    title = forms.CharField(label=_("Title"), required=False, max_length=200)

    def __init__(self, *args: Any, source: Experiment, systems: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in systems]
        asked = [(one.name, f"{one.name} · {one.title}") for one in endpoints() if one.dialect != "recorded"]
        self.fields["endpoint"].choices = asked  # type: ignore[attr-defined]  # of the choice field
        for field in ("accepted", "like"):
            self.fields[field].choices = names  # type: ignore[attr-defined]  # likewise
        self.fields["title"].widget.attrs["placeholder"] = f"{source.title}: …"

    def candidate(self) -> Candidate:
        """For `console.regression.follow`."""
        data = self.cleaned_data
        return Candidate(name=data["name"], model=data["model"], endpoint=data["endpoint"])
