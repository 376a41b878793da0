"""What a rater's form takes and refuses is what Django's own way through its fields takes and refuses."""

import pytest
from django import forms
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from ratings.forms import GuessForm, PracticeForm, PreferencesForm, Sent, SkipForm, UndoForm, VerdictForm

FORMS = (VerdictForm, SkipForm, UndoForm, GuessForm, PreferencesForm, PracticeForm)
NAMES = ["assignment", "key", "verdict", "strength", "left_acceptable", "comment", "layout", "criterion-1", "reason"]
NAMES += ["again", "guess", "size", "back", "step", "differences_used", "nobody"]
SAID = [
    "left",
    "both_good",
    " left ",
    "",
    " ",
    "yes",
    "1",
    "slightly",
    "unclear",
    "m",
    "/rate/",
    "ready",
    "unsure",
    "ltr",
]
SAID += ["00000000-0000-0000-0000-000000000001", "{00000000000000000000000000000001}", "0" * 31, "\x00", "x" * 5001]
SENT = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(SAID)), max_size=12)


def query(sent: list[tuple[str, str]]) -> QueryDict:
    made = QueryDict(mutable=True)
    for name, value in sent:
        made.appendlist(name, value)
    return made


def outcome(form: Sent) -> tuple[bool, object, object]:
    return form.is_valid(), form.cleaned_data, form.errors.get_json_data()


@given(sent=SENT, strict=st.booleans())
def test_each_form_reads_what_was_sent_as_django_does(sent: list[tuple[str, str]], strict: bool) -> None:
    for kind in FORMS:
        more = {"criteria": (1, 2), "require_comment": strict} if kind is VerdictForm else {}
        ours = outcome(kind(query(sent), **more))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sent, "_clean_fields", forms.Form._clean_fields)
            assert outcome(kind(query(sent), **more)) == ours


def test_no_form_has_what_only_a_bound_field_knows() -> None:
    for kind in FORMS:
        form = kind(query([]))
        assert form.prefix is None
        assert not [name for name in dir(kind) if name.startswith("clean_")]
        for field in form.fields.values():
            assert not field.disabled
            assert field.initial is None
            assert not isinstance(field, forms.FileField | forms.BooleanField | forms.MultiValueField)
            assert isinstance(field.widget, forms.TextInput | forms.Select)
            assert not field.localize
