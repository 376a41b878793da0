"""Any two experiments that differ only in what is hidden give the same pages to the last byte, but for random handles.

`EXAMPLES=1000 ./blindpair test tests/blinding/test_non_interference.py` tries a thousand instead of fifty.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction
from django.db.models import (
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    TextField,
)
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.models import System
from experiments.models import Arm, Experiment
from ratings import showing
from ratings.links import replace
from ratings.models import Guess, Judgment, Rater
from tests.blinding.asking import everything_of
from tests.blinding.canaries import STEERING, hidden_columns, tables
from tests.blinding.world import a_crowded_world, a_seated_rater
from tests.factories import NOW
from tests.ratings.driving import fields_of

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("EXAMPLES", "50"))
RATER = 987_654_321
HTMX = {"HX-Request": "true"}
HANDLES = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    rb'|(?<=csrfmiddlewaretoken" value=")\w+|(?<="X-CSRFToken": ")\w+|(?<=csrf=)\w+|(?<=session=)\w+|(?<=expires=)[^;]+'
)
# Coins and clocks: they decide what comes next by chance or by the calendar, never by who is who.
COINS = {
    "experiments.Experiment": {"seed", "draw_salt"},
    "ratings.Rater": {"token_hash", "expires_at", "revoked_at", "first_used_at", "practised_at"},
    "ratings.Assignment": {"lease_until", "skipped_at", "created_at", "shown_at"},
}
OTHERS_SAID: dict[type[Model], tuple[str, ...]] = {Judgment: ("verdict", "layout", "comment"), Guess: ("side",)}


# --- what a rater sees -----------------------------------------------------------------------------------------------


class Walk:
    """One rater with two pairs done walks through every kind of page; nothing of it stays."""

    def __init__(self, experiment: Experiment) -> None:
        self.client = a_seated_rater(experiment, key=RATER)
        self.client.raise_request_exception = False
        page = self.client.get("/rate/")
        for _ in range(2):
            page = self.post("/rate/", page, verdict="both_good")
        link = replace(rater=Rater.objects.get(pk=RATER)).url  # the token is known to nobody else
        self.address = link[link.index("/r/") :]
        self.client = Client()
        self.client.post(self.address)

    def post(self, address: str, page: HttpResponse, **said: str) -> HttpResponse:
        """Answer the form of a page."""
        fields = fields_of(page.content.decode()) | {"criterion-1": "left"} | said
        return self.client.post(address, fields, headers=HTMX)  # type: ignore[return-value]

    def pages(self) -> dict[str, bytes]:
        """Name of the page to what was sent, without random handles."""
        with undone():
            return {name: HANDLES.sub(b"*", everything_of(answer)) for name, answer in self._steps()}

    def _steps(self) -> Iterator[tuple[str, Any]]:
        client = self.client
        yield "landing", Client().get(self.address)
        yield "instructions", client.get("/rate/instructions/")
        pair = client.get("/rate/")
        yield "pair", pair
        guess = self.post("/rate/", pair, verdict="left")
        yield "guess", guess
        following = self.post("/rate/guess/", guess, guess="unsure")
        yield "next pair", following
        yield "undo", client.post("/rate/undo/", {}, headers=HTMX)
        yield "skip", self.post("/rate/skip/", following, reason="unclear")
        yield "review", client.get("/rate/review/")
        yield "done", client.get("/rate/done/")
        yield "nothing there", client.get("/rate/nothing/")
        yield "nonsense", client.post("/rate/", {"assignment": "nonsense"})
        yield "another's page", client.get("/experiments/1/report/", headers={"Accept": "application/json"})
        yield "unknown link", client.get(f"/r/{'x' * 43}/")


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- what is changed behind it ---------------------------------------------------------------------------------------


def values(field: "Field[Any, Any]") -> st.SearchStrategy[Any]:
    """Any value of the column's kind."""
    if field.choices:
        return st.sampled_from([value for value, _ in field.flatchoices])
    texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
    numbers = st.integers(0, 2_000_000_000)
    kinds: dict[type[Any], st.SearchStrategy[Any]] = {
        BinaryField: st.binary(max_size=40),
        BooleanField: st.booleans(),
        JSONField: st.dictionaries(texts, texts | numbers | st.lists(numbers, max_size=3), max_size=3),
        TextField: texts,
        CharField: texts.map(lambda text: text[: field.max_length or 40]),
        DateTimeField: st.datetimes().map(lambda at: at.replace(year=2026, tzinfo=NOW.tzinfo)),
        DateField: st.dates(),
        FloatField: st.floats(-1e6, 1e6),
        IntegerField: numbers,
    }
    return next(kinds[kind] for kind in kinds if isinstance(field, kind))


def columns() -> list["Field[Any, Any]"]:
    """Every hidden column that is neither a coin nor a clock, choices and switches of what is hidden altogether too."""
    found = []
    for model in tables():
        label = model._meta.label
        left_out = COINS.get(label, set()) | STEERING.get(label, set())
        hidden = [field for field in hidden_columns(model) if field.name not in left_out and not field.primary_key]
        if model._meta.app_label in {"backends", "reports", "accounts"}:
            hidden += [
                field for field in model._meta.concrete_fields if field.choices or isinstance(field, BooleanField)
            ]
        hidden += [model._meta.get_field(name) for name in OTHERS_SAID.get(model, ())]
        found += hidden
    return [*found, Experiment._meta.get_field("monitored")]


def change(field: "Field[Any, Any]", value: Any) -> None:
    """Put the value into every row whose column is hidden, as far as the database takes it."""
    rows = field.model._base_manager.all()
    if field.model in OTHERS_SAID:
        rows = rows.exclude(assignment__rater=RATER)
    if field.unique:
        rows = rows.filter(pk=rows.order_by("pk").values_list("pk", flat=True)[0])
    try:
        with transaction.atomic():
            rows.update(**{field.name: value})
    except (IntegrityError, DataError):
        pass  # the database refuses nonsense: then nothing is changed


def swap_systems() -> None:
    """Each system plays another's arm: nothing a rater sees may depend on who is who."""
    first, second = System.objects.filter(arm__experiment__status="rating").order_by("pk")[:2]
    arms = first.arm_id, second.arm_id
    spare = Arm.objects.create(experiment=first.arm.experiment)
    for system, arm in ((first, spare.pk), (second, arms[0]), (first, arms[1])):
        System.objects.filter(pk=system.pk).update(arm=arm)


CHANGES = st.lists(
    st.sampled_from(columns()).flatmap(lambda field: st.tuples(st.just(field), values(field))), min_size=1, max_size=12
)


# --- the property ----------------------------------------------------------------------------------------------------


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return Walk(a_crowded_world(inputs=5, ratings_per_pair=9, ask_guess=True, instructions="Be *fair*."))


def test_what_is_hidden_moves_no_byte_of_any_page(walk: Walk) -> None:
    before = walk.pages()
    assert before == walk.pages(), "the walk itself is not the same twice"
    assert b'id="guess"' in before["guess"]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(changes=CHANGES, swapped=st.booleans())
    def same(changes: list[tuple["Field[Any, Any]", Any]], swapped: bool) -> None:
        with undone():
            for field, value in changes:
                change(field, value)
            if swapped:
                swap_systems()
            after = walk.pages()
        assert [name for name in before if before[name] != after[name]] == []

    same()


LEAKS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "the title": ("title", lambda experiment: experiment.title),
    "the length of a title": ("title", lambda experiment: "long" if len(experiment.title) > 35 else "short"),
    "who plays the baseline": ("baseline", lambda experiment: System.objects.get(arm=experiment.baseline).name[:9]),
}


@pytest.mark.once
@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_of_any_size_would_be_noticed(walk: Walk, monkeypatch: pytest.MonkeyPatch, leak: str) -> None:
    column, tell = LEAKS[leak]
    monkeypatch.setattr(showing, "asked_by", tell)
    before = walk.pages()
    with undone():
        if column == "title":
            change(Experiment._meta.get_field("title"), "Another title, and a longer one than it was before")
        else:
            System.objects.update(name="Another name altogether")
        after = walk.pages()
    assert before["landing"] != after["landing"]


def test_the_property_reaches_every_table() -> None:
    reached = {field.model for field in columns()}
    silent = {"Comparison", "CriterionVerdict", "Criterion", "Assignment"}  # keys, coins and clocks, or shown
    assert {model.__name__ for model in tables()} - {model.__name__ for model in reached} <= silent
