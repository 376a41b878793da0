"""The forms by which an experiment is put together: its question, its plan, its inputs and its systems."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backends import price_list
from backends.listing import endpoint_with, endpoints
from console.upload_forms import ENCODINGS, UploadForm
from experiments.actions import NewCriterion
from experiments.models import Criterion, Experiment, Pairs
from experiments.uploads.json_values import Unreadable, parse
from experiments.uploads.limits import INPUTS
from reports.cost_fields import BY_TOKENS, LABELS, OF_GPUS, WORTH_TOO_MUCH, NumberField, field_of, stated

PARAMETERS = ("temperature", "max_tokens", "avoid_cache")  # that have a field of their own
ASKED = ("ask_acceptable", "ask_strength", "ask_guess", "require_comment", "monitored")


class QuestionForm(forms.Form):
    """What the experiment is called and what raters are asked."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("Raters never see it. Example: Support answers, Qwen against our API."),
    )
    question = forms.CharField(
        label=_("Question to the raters"),
        max_length=500,
        initial=_("Which answer is better?"),
        help_text=_("Example: Which answer would you rather send to the customer?"),
    )
    instructions = forms.CharField(
        label=_("Instructions"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What to look at and what not, without naming a model. Example: Judge as a customer would."),
    )
    criteria = forms.CharField(
        label=_("Further criteria, one a line"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "accuracy: Is everything it says true?"}),
        help_text=_("One more question about every pair each, so few are best. The overall verdict is always asked."),
    )

    def clean_criteria(self) -> list[NewCriterion]:
        """A name and, after a colon, what it means."""
        found: list[NewCriterion] = []
        for line in str(self.cleaned_data["criteria"]).splitlines():
            name, _colon, description = (part.strip() for part in line.partition(":"))
            if not name:
                continue
            if len(name) > 80 or len(description) > 300:
                raise forms.ValidationError(_("A name has at most 80 characters, its description 300."))
            if name in {one.name for one in found}:
                raise forms.ValidationError(_("Two criteria are called “%s”.") % name)
            found.append(NewCriterion(name=name, description=description))
        return found

    @classmethod
    def of(cls, experiment: Experiment) -> dict[str, Any]:
        """What the form shows of an experiment as it is."""
        lines = [
            f"{one.name}: {one.description}" if one.description else one.name
            for one in Criterion.objects.filter(experiment=experiment)
        ]
        shown = {name: getattr(experiment, name) for name in ("title", "question", "instructions")}
        return shown | {"criteria": "\n".join(lines)}


class PlanForm(forms.Form):
    """How it is judged, and by how many."""

    ratings_per_pair = forms.IntegerField(
        label=_("Judgments for each pair"),
        min_value=1,
        max_value=1000,
        help_text=_("By different raters. Three is usual."),
    )
    planned_raters = forms.IntegerField(label=_("Raters planned"), min_value=1, max_value=10_000)
    margin = NumberField(
        label=_("Margin"),
        min_value=0.001,
        max_value=0.499,
        help_text=_(
            "How much worse a candidate may be and still be good enough, as a share of wins. 0.1, 10 points, is usual."
        ),
    )
    repeat_share = NumberField(
        label=_("Share of pairs shown again"),
        min_value=0,
        max_value=0.9,
        help_text=_("With sides swapped, to see whether raters agree with themselves. 0.1 is usual."),
    )
    control_share = NumberField(
        label=_("Share of control pairs"),
        min_value=0,
        max_value=0.9,
        help_text=_("One answer belongs to another input, so the right choice is known. 0.15 is usual."),
    )
    seed = forms.IntegerField(
        label=_("Seed"), min_value=0, max_value=2**63 - 1, help_text=_("Makes samples and draws repeatable.")
    )
    retention_days = forms.IntegerField(
        label=_("Days to keep everything after closing"),
        required=False,
        min_value=1,
        max_value=36_500,
        help_text=_("Then it is deleted, and raters are told so. Left empty it stays until you delete it."),
    )
    ask_acceptable = forms.BooleanField(label=_("Ask for each answer whether it is good enough to use"), required=False)
    ask_strength = forms.BooleanField(label=_("Ask how clearly one is better"), required=False)
    ask_guess = forms.BooleanField(
        label=_("Ask at the end which side is the system in use today, to check the blinding"), required=False
    )
    require_comment = forms.BooleanField(label=_("Require a comment for each pair"), required=False)
    monitored = forms.BooleanField(
        label=_("Tell the owners while it runs when enough is known to stop (marked in the report)"), required=False
    )

    @property
    def numbers(self) -> list[forms.BoundField]:
        """The fields that are numbers."""
        return [self[name] for name in self.fields if name not in ASKED]

    @property
    def switches(self) -> list[forms.BoundField]:
        """The fields that are yes or no."""
        return [self[name] for name in ASKED]


class LinesField(forms.CharField):
    """Several lines, ended as everywhere outside a browser: else a prompt differs from the same one in a file."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """The text without carriage returns."""
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether anything but the white space around it did."""
        return bool(super().has_changed(self.to_python(initial), data))


class SystemForm(forms.Form):
    """A model with its settings; `note` says where prices in it come from."""

    note = ""
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Shown to owners only. Example: candidate."))
    endpoint = forms.TypedChoiceField(label=_("Endpoint"), coerce=int, empty_value=None, required=False)
    model_id = forms.CharField(label=_("Model"), required=False, max_length=300, help_text=_("As the server calls it."))
    system_prompt = LinesField(
        label=_("System prompt"), required=False, max_length=100_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    temperature = forms.FloatField(label=_("Temperature"), required=False, min_value=0, max_value=2)
    max_tokens = forms.IntegerField(label=_("Longest answer in tokens"), required=False, min_value=1, max_value=10**6)
    avoid_cache = forms.BooleanField(
        label=_("Keep the server's prefix cache out of every measurement"),
        required=False,
        help_text=_("With vLLM, SGLang, TensorRT-LLM and llama.cpp. Without it the first pass is the one to believe."),
    )
    more = LinesField(
        label=_("Further parameters, as JSON"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": '{"top_p": 0.9}', "spellcheck": "false"}),
    )
    samples = forms.IntegerField(
        label=_("Times each input is asked"),
        initial=1,
        min_value=1,
        max_value=100,
        help_text=_("The first answer is rated, all are timed."),
    )
    concurrency = forms.IntegerField(label=_("Calls at a time"), initial=1, min_value=1, max_value=1000)
    facts = LinesField(
        label=_("Facts, one a line"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "licence: apache-2.0\nquantisation: awq-int4"}),
    )
    baseline = forms.BooleanField(label=_("This is the system in use today (the baseline)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.pk, f"{one.name} · {one.title}") for one in endpoints() if one.dialect != "recorded"]
        self.fields["endpoint"].choices = [("", "—"), *choices]  # type: ignore[attr-defined]  # of the choice field
        self.fields.update({name: field_of(name) for name in LABELS})

    @property
    def costs(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """The fields of what it costs by kind, and whether a kind stands open: something is in it, or wrong."""
        kinds = {"prices by token": BY_TOKENS, **OF_GPUS}
        found = [(title, [self[name] for name in labels]) for title, labels in kinds.items()]
        return [(title, fields, any(one.errors or one.value() for one in fields)) for title, fields in found]

    @property
    def costs_are_shown(self) -> bool:
        """Whether the fold around them stands open."""
        return bool(self.errors or self.note or any(opened for _title, _fields, opened in self.costs))

    def clean_more(self) -> dict[str, Any]:
        """An object, or nothing."""
        text = str(self.cleaned_data["more"]).strip()
        try:
            value = parse(text, INPUTS) if text else {}
        except Unreadable as error:
            raise forms.ValidationError(_("This is not valid JSON: %s.") % error) from error
        if not isinstance(value, dict):
            raise forms.ValidationError(_("Write an object, such as {“top_p”: 0.9}."))
        return value

    def clean_facts(self) -> dict[str, str]:
        """Name and value by line."""
        lines = (line.partition(":") for line in str(self.cleaned_data["facts"]).splitlines() if line.strip())
        return {name.strip(): value.strip() for name, _colon, value in lines if name.strip()}

    def clean_residual_value(self) -> float | None:
        """A machine is worth no more at the end than it cost."""
        rest: float | None = self.cleaned_data["residual_value"]
        if rest is not None and rest > (self.cleaned_data.get("purchase_price") or 0):
            raise forms.ValidationError(WORTH_TOO_MUCH)
        return rest

    def settings(self) -> dict[str, Any]:
        """For `backends.actions.add_system`."""
        data = self.cleaned_data
        parameters = {name: data[name] for name in ("temperature", "max_tokens") if data[name] is not None}
        parameters |= {"avoid_cache": True} if data.get("avoid_cache") else {}
        return {
            "name": data["name"],
            "model_id": data["model_id"],
            "system_prompt": data["system_prompt"],
            "parameters": parameters | data["more"],
            "samples": data["samples"],
            "concurrency": data["concurrency"],
            "cost": {name: value for name, value in stated(data).items() if value is not None},
            "facts": data["facts"],
        }

    def changes(self) -> dict[str, Any]:
        """The settings that differ from what the form began with; what has no field of its own stays."""
        settings, changed = self.settings(), set(self.changed_data)
        if not changed & {*PARAMETERS, "more"}:
            del settings["parameters"]
        for name, fields in (("cost", set(LABELS)), ("facts", {"facts"}), ("system_prompt", {"system_prompt"})):
            if not changed & fields:
                del settings[name]
        return settings


class AskedSystemForm(SystemForm):
    """One that is asked."""

    def clean(self) -> dict[str, Any]:
        """It needs somebody to ask, and for what."""
        data = self.cleaned_data
        if "endpoint" in data and not data["endpoint"]:
            self.add_error("endpoint", _("Choose where it is asked."))
        if "model_id" in data and not data["model_id"]:
            self.add_error("model_id", _("Name the model."))
        return data

    def changes(self) -> dict[str, Any]:
        """Likewise, and where it is asked."""
        return super().changes() | {"endpoint": self.cleaned_data["endpoint"]}

    @classmethod
    def with_listed_prices(cls, data: Mapping[str, Any]) -> "AskedSystemForm":
        """What was typed so far, with the prices that the list has for its model; nothing is checked yet."""
        chosen = str(data.get("endpoint", ""))
        endpoint = endpoint_with(int(chosen)) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 18 else None
        model = str(data.get("model_id", "")).strip()
        found = price_list.offer(endpoint, model, today=timezone.now().date()) if endpoint else None
        form = cls(initial={**data, **(found.cost if found else {})})
        form.note = found.words if found else _no_price(model)
        return form


def _no_price(model: str) -> str:
    if not price_list.is_installed():
        return price_list.INSTALL
    if not model:
        return str(_("Choose an endpoint and a model first."))
    return str(_("The price list does not know “%s” at this endpoint. Type its prices.")) % model


class RecordedSettingsForm(SystemForm):
    """What is said of one whose answers are here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("endpoint", "samples", "concurrency", "avoid_cache"):
            del self.fields[name]

    def settings(self) -> dict[str, Any]:
        """For `backends.actions.add_system`, without what is only for asking."""
        self.cleaned_data |= {"samples": 1, "concurrency": 1}
        return super().settings()

    def changes(self) -> dict[str, Any]:
        """Likewise; how often it was asked, and how many at a time, is what it is."""
        return {name: value for name, value in super().changes().items() if name not in {"samples", "concurrency"}}


class RecordedSystemForm(RecordedSettingsForm):
    """One whose answers are in a file."""

    file = UploadForm.base_fields["file"]
    text = UploadForm.base_fields["text"]
    encoding = forms.ChoiceField(label=_("Encoding"), required=False, choices=ENCODINGS)
    field_order = ("name", "file", "text", "encoding", "model_id", "baseline")
    clean = UploadForm.clean


class NameForm(forms.Form):
    """The name of a system; empty for none."""

    name = forms.CharField(required=False, max_length=120, strip=False)
    pairs = forms.ChoiceField(required=False, choices=Pairs.choices)


class OwnerForm(forms.Form):
    """Somebody's address."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
