"""What owners can send from their pages, checked field by field; what fits together is for the domain to say."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backends.deadlines import DEFAULTS, LONGEST, problems
from backends.presets import PRESETS
from experiments.models import Decision

RATERS_AT_ONCE = 100
CHECKED_AT_ONCE = 200
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


class SearchForm(forms.Form):
    """Words to look for, and which page of the list."""

    q = forms.CharField(required=False, max_length=200, strip=True)
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)


class CollectingForm(forms.Form):
    """What to do about collecting, of all systems or of one."""

    do = forms.ChoiceField(choices=[(do, do) for do in ("start", "pause", "resume", "retry", "cancel", "again")])
    system = forms.CharField(required=False, max_length=120)


class DecisionForm(forms.Form):
    """What to do with the chosen outputs of the check."""

    decision = forms.ChoiceField(
        choices=[(one.value, one.value) for one in (Decision.MASKED, Decision.RELEASED, Decision.WITHHELD)]
    )
    reason = forms.CharField(required=False, max_length=300, strip=True)
    kind = forms.CharField(required=False, max_length=20)

    def clean(self) -> dict[str, Any]:
        """Withholding says why; at least one output is chosen."""
        chosen = [str(handle)[:64] for handle in _several(self.data, "output")][:CHECKED_AT_ONCE]
        if not chosen:
            raise forms.ValidationError(_("Choose at least one answer."))
        if self.cleaned_data.get("decision") == Decision.WITHHELD and not self.cleaned_data.get("reason"):
            raise forms.ValidationError(_("Say why the answers are withheld: the report gives the reason."))
        return self.cleaned_data | {"outputs": chosen}


def _several(data: Mapping[str, Any], name: str) -> list[Any]:
    return data.getlist(name) if isinstance(data, QueryDict) else list(data.get(name, []))


class InviteForm(forms.Form):
    """Whom to make links for: names, one a line, or a number."""

    labels = forms.CharField(
        label=_("Names, one a line"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "Dr. Weber\nDr. Okafor"}),
        help_text=_("A name is how you tell raters apart. Raters see only their own."),
    )
    count = forms.IntegerField(
        label=_("Or so many links"), required=False, min_value=1, max_value=RATERS_AT_ONCE, help_text=_("Rater 1, 2, …")
    )
    days = forms.IntegerField(label=_("Good for days"), initial=14, min_value=1, max_value=365)

    def clean_labels(self) -> list[str]:
        """The names as a list."""
        names = [line.strip() for line in str(self.cleaned_data["labels"]).splitlines() if line.strip()]
        if len(names) > RATERS_AT_ONCE:
            raise forms.ValidationError(_("At most %d names at a time.") % RATERS_AT_ONCE)
        return names

    def clean(self) -> dict[str, Any]:
        """Names or a number, not neither and not both."""
        data = self.cleaned_data
        if "labels" in data and "count" in data and bool(data["labels"]) == bool(data["count"]):
            raise forms.ValidationError(_("Give names, or say how many links to make."))
        return data


class SwapForm(forms.Form):
    """Which row of the log comes in; none: one is drawn."""

    spare = forms.IntegerField(required=False, min_value=1, max_value=2**62)


class PersonalForm(forms.Form):
    """What becomes of personal data that was found."""

    personal = forms.ChoiceField(choices=[("mask", "mask"), ("keep", "keep")])


class RaterForm(forms.Form):
    """What to do with one rater's link, and with what came by it."""

    rater = forms.IntegerField(min_value=1)
    do = forms.ChoiceField(choices=[(do, do) for do in ("revoke", "leave_out", "count", "replace")])


class OpeningForm(forms.Form):
    """The confirmation before the seal."""

    understood = forms.BooleanField()


class DeletingForm(forms.Form):
    """The confirmation before an experiment is deleted: its short name, typed."""

    slug = forms.CharField(label=_("To confirm, type"), max_length=80, strip=True)

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted

    def clean_slug(self) -> str:
        """It is the right one."""
        if self.cleaned_data["slug"] != self.wanted:
            raise forms.ValidationError(_("This is not its short name."))
        return str(self.cleaned_data["slug"])


def preset_choices() -> list[tuple[str, str]]:
    """Every kind of server by its title, ours to run first."""
    shown = [preset for name, preset in PRESETS.items() if name != "recorded"]
    ordered = sorted(shown, key=lambda preset: (preset.needs_key, preset.title.lower()))
    return [(preset.name, preset.title) for preset in ordered]


def _seconds(label: Any, usual: Any) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        required=False,
        min_value=0.001,
        max_value=LONGEST,
        widget=forms.NumberInput(attrs={"placeholder": usual, "step": "any"}),
    )


class EndpointForm(forms.Form):
    """A server that answers; its key is only ever written."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("How owners pick it, for example “our server”."))
    preset = forms.ChoiceField(label=_("Kind of server"), choices=preset_choices)
    base_url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_("For example http://127.0.0.1:8000/v1. Leave it empty for a maker's own API."),
    )
    secret = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=2000,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Stored encrypted, and never shown again. Leave it empty where none is needed."),
    )
    secret_env = forms.RegexField(
        r"^[A-Za-z_][A-Za-z0-9_]*$",
        label=_("Or the environment variable that holds the key"),
        required=False,
        max_length=100,
        error_messages={"invalid": _("A variable's name has letters, digits and underscores.")},
    )
    headers = forms.CharField(
        label=_("Further headers, one a line"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "X-Team: support", "spellcheck": "false"}),
        help_text=_("Stored as they are: no keys here."),
    )
    max_concurrency = forms.IntegerField(label=_("Calls at a time, at most"), initial=8, min_value=1, max_value=1000)
    forget = forms.BooleanField(label=_("Forget the stored key"), required=False)
    connect = _seconds(_("Seconds to connect, at most"), "10")
    first_token = _seconds(_("Seconds to the first token, at most"), _("as long as the whole answer"))
    silence = _seconds(_("Seconds without a byte, at most"), "120")
    total = _seconds(_("Seconds for a whole answer, at most"), "300")

    def __init__(self, *args: Any, stored: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if stored:
            self.fields["secret"].help_text = _("Empty keeps the stored one. A new host needs the key again.")
        else:
            del self.fields["forget"]

    def clean_headers(self) -> dict[str, str]:
        """Name and value by line."""
        made = {}
        for line in str(self.cleaned_data["headers"]).splitlines():
            name, colon, value = (part.strip() for part in line.partition(":"))
            if line.strip() and not (colon and _HEADER.fullmatch(name) and value.isprintable() and value.isascii()):
                raise forms.ValidationError(_("“%s” is no header: write a name, a colon and a value.") % line[:60])
            if name:
                made[name] = value
        return made

    def clean(self) -> dict[str, Any]:
        """A key is kept in one place; the dialect follows from the kind of server."""
        data = self.cleaned_data
        if data.get("secret") and data.get("secret_env"):
            raise forms.ValidationError(_("Give the key, or the variable that holds it, not both."))
        preset = PRESETS.get(data.get("preset", ""))
        deadlines = {name: data[name] for name in DEFAULTS if data.get(name) is not None}
        if wrong := problems(deadlines):
            raise forms.ValidationError([sentence[:1].upper() + sentence[1:] for sentence in wrong])
        return data | {"dialect": preset.dialect if preset else "", "deadlines": deadlines}


class TrialForm(forms.Form):
    """Which model to ask for a few words; empty: the first one that the server lists."""

    model = forms.CharField(required=False, max_length=300, strip=True)
