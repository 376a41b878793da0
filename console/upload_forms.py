"""The forms by which a file is brought in: chosen or pasted, how it is read, and which of its rows are taken."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

ENCODINGS = (
    ("", _("UTF-8, or as the file says")),
    ("cp1252", _("Windows-1252 (Western Europe)")),
    ("latin-1", "Latin-1 (ISO 8859-1)"),
    ("cp1250", _("Windows-1250 (Central Europe)")),
    ("cp1251", _("Windows-1251 (Cyrillic)")),
    ("utf-16", "UTF-16"),
    ("shift_jis", "Shift JIS"),
    ("gb18030", "GB18030"),
    ("euc_kr", "EUC-KR"),
)
DELIMITERS = (
    ("", _("as found")),
    (",", _("comma")),
    (";", _("semicolon")),
    ("\t", _("TAB")),
    ("|", _("vertical bar")),
)
COLUMNS = (
    ("input", _("Input")),
    ("id", _("Id")),
    ("system_prompt", _("System prompt")),
    ("tags", _("Tags")),
    ("reference", _("Reference answer")),
)


class UploadForm(forms.Form):
    """A file, or its text."""

    file = forms.FileField(
        label=_("A file"),
        required=False,
        error_messages={"empty": _("The file is empty. Choose another.")},
        help_text=_("CSV, TSV, XLSX, JSONL, JSON or Parquet; at most 20 MB and 10,000 rows."),
    )
    text = forms.CharField(
        label=_("Or its text, pasted"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        data = self.cleaned_data
        if bool(data.get("file")) == bool(str(data.get("text") or "").strip()):
            raise forms.ValidationError(_("Choose a file, or paste its text."))
        return data


class AnyOf(forms.MultipleChoiceField):
    """Several columns of a file; which there are is known only when it is read."""

    def valid_value(self, value: str) -> bool:
        """The file decides."""
        return len(value) <= 200


class ReadingForm(forms.Form):
    """How a file is to be read: which encoding, which column is what."""

    upload = forms.CharField(max_length=40, widget=forms.HiddenInput)
    name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    encoding = forms.ChoiceField(label=_("Encoding"), required=False, choices=ENCODINGS)
    delimiter = forms.ChoiceField(label=_("Separator"), required=False, choices=DELIMITERS)
    output_columns = AnyOf(
        label=_("Columns that hold recorded answers, headed by their system"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, columns: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("as found"))] + [(column, column) for column in columns]
        self.fields["output_columns"].choices = choices[1:]  # type: ignore[attr-defined]  # of the choice field
        for field, label in COLUMNS:
            widget = forms.Select(choices=choices) if columns else forms.TextInput
            self.fields[f"column_{field}"] = forms.CharField(label=label, required=False, max_length=200, widget=widget)

    @property
    def kept(self) -> set[str]:
        """The names of `kept_fields`."""
        return {field.name for field in self.kept_fields}

    @property
    def reading_fields(self) -> list[forms.BoundField]:
        """How it is read."""
        return [self[name] for name in ("encoding", "delimiter", *(f"column_{field}" for field, _label in COLUMNS))]

    @property
    def kept_fields(self) -> list[forms.BoundField]:
        """All that says which file it is and how it was read."""
        return [self["upload"], self["name"], *self.reading_fields, self["output_columns"]]

    def said(self) -> dict[str, Any]:
        """What was said about columns, as it is remembered and as an address holds it."""
        names = [*(f"column_{field}" for field, _label in COLUMNS), "output_columns"]
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}

    def reading(self) -> dict[str, Any]:
        """For `experiments.uploads.read`."""
        said = {field: self.cleaned_data.get(f"column_{field}") or "" for field, _label in COLUMNS}
        columns = {field: column for field, column in said.items() if column}
        return {
            "encoding": self.cleaned_data["encoding"] or None,
            "delimiter": self.cleaned_data["delimiter"],
            "columns": columns,
            "output_columns": self.cleaned_data["output_columns"],
        }


class TakingForm(ReadingForm):
    """Which of the rows are taken."""

    sample = forms.IntegerField(
        label=_("Take only so many, drawn at random"),
        required=False,
        min_value=1,
        max_value=10_000,
        help_text=_("Spread over tags and lengths, without near-duplicates. Empty takes all."),
    )
    personal = forms.ChoiceField(required=False, choices=[("", ""), ("mask", "mask"), ("keep", "keep")])
    with_systems = forms.BooleanField(label=_("Add their recorded answers as systems"), required=False)
