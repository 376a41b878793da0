"""Wall 3: what a rater's template receives is text and numbers, never a row; and no template asks for more."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Model, QuerySet
from django.template.context import BaseContext

from ratings.blind import BlindGuess, BlindPair
from tests.blinding.world import a_seated_rater, a_world
from tests.journeys.drivers import form_on_the_desk

pytestmark = pytest.mark.django_db
# What Django's own processors add; `test_no_rater_template_asks_the_request` shows that no template opens them.
DJANGOS = {"request", "user", "perms", "messages", "csrf_token", "block", "DEFAULT_MESSAGE_LEVELS", "forloop"}
PLAIN = (str, int, float, bool, UUID, type(None))


def handed_over(context: BaseContext) -> Iterator[tuple[str, Any]]:
    """Every name and value a template could have used, but Django's own."""
    for layer in context.dicts:
        for name, value in layer.items():
            if name not in DJANGOS and name not in {"True", "False", "None"}:
                yield name, value


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values inside frozen values and tuples."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from leaves(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for number, one in enumerate(value):
            yield from leaves(f"{name}[{number}]", one)
    else:
        yield name, value


@pytest.mark.parametrize("view", [BlindPair, BlindGuess])
def test_a_view_model_is_frozen_and_has_no_room_for_more(view: type) -> None:
    assert view.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert not hasattr(view, "__dict__") or "__dict__" not in dir(view.__new__(view))
    with pytest.raises(TypeError):
        view("positional")


def test_a_rater_is_shown_values_only() -> None:
    experiment = a_world(arms=3, inputs=3, control_share=0.2, ask_guess=True)
    client = a_seated_rater(experiment)
    client.raise_request_exception = True
    seen: dict[str, set[type]] = {}
    paths = ["/rate/practice/", "/rate/instructions/", "/rate/review/", "/rate/"]
    for _ in range(20):
        for path in paths:
            response = client.get(path, follow=True)
            for context in response.context or ():
                for name, value in handed_over(context):
                    for leaf, thing in leaves(name, value):
                        seen.setdefault(leaf, set()).add(type(thing))
                        assert isinstance(thing, PLAIN), f"{path} hands {leaf} over as {type(thing)}"
        form = form_on_the_desk(client.get("/rate/", follow=True).content.decode())
        if not form.found:
            break
        said = {"guess": "unsure"} if "/guess/" in form.action else {"verdict": "both_good"}
        client.post(form.action, form.fields | said)
        paths = ["/rate/review/", "/rate/"]
    assert "pair.left_html" in seen
    assert "answers[0].verdict" in seen or any(name.startswith("answers[0]") for name in seen)


def test_the_eyes_would_notice_a_row() -> None:
    experiment = a_world()
    assert isinstance(experiment, Model)
    assert not isinstance(experiment, PLAIN)
    assert not isinstance(QuerySet(type(experiment)), PLAIN)


def test_no_rater_template_asks_the_request(checkout: Path) -> None:
    templates = [*(checkout / "templates" / "ratings").glob("*.html"), checkout / "templates" / "_document.html"]
    assert len(templates) > 10
    asking = [
        path.name for path in templates if re.search(r"\b(request\.(?!path\b)\w|user\.\w|perms\.\w)", path.read_text())
    ]
    assert asking == []
