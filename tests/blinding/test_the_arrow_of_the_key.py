"""Wall 1: no attribute and no lookup leads from what raters touch to the identity behind it."""

from collections import deque
from pathlib import Path

import pytest
from django.core.exceptions import FieldError
from django.db.models import Model

from backends.models import Attempt, Completion, Endpoint, LoadRun, System
from experiments.models import Arm, Experiment, Input, Output
from ratings.models import Assignment, Comparison, Guess, Judgment, Rater

ENVELOPE: set[type[Model]] = {System, Endpoint, Completion, Attempt, LoadRun}
BLIND: list[type[Model]] = [Judgment, Assignment, Comparison, Rater, Guess, Output, Arm, Input, Experiment]


def reachable_from(start: type[Model]) -> set[type[Model]]:
    """Every model that a chain of fields and lookups leads to."""
    seen, waiting = {start}, deque([start])
    while waiting:
        for field in waiting.popleft()._meta.get_fields():
            target = field.related_model
            if isinstance(target, type) and target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


@pytest.mark.parametrize("start", BLIND)
def test_no_chain_of_fields_reaches_the_envelope(start: type[Model]) -> None:
    assert not reachable_from(start) & ENVELOPE


def test_the_walk_would_find_an_open_arrow() -> None:
    assert System in reachable_from(Completion)
    assert Arm in reachable_from(System), "the key points from the envelope to the arm"


@pytest.mark.parametrize("lookup", ["system", "systems", "completion", "completions", "completion_set", "system_set"])
@pytest.mark.parametrize("model", [Arm, Output, Input])
def test_no_lookup_joins_an_arm_to_its_system(model: type[Model], lookup: str) -> None:
    with pytest.raises(FieldError):
        model._default_manager.filter(**{f"{lookup}__name": "x"})


def test_nobody_uses_the_one_lookup_that_django_leaves_open(checkout: Path) -> None:
    """A hidden relation still answers to its name, a plus sign; no code may spell it."""
    rooms = ("accounts", "experiments", "backends", "ratings", "reports", "console", "config")
    spelled = [
        str(path.relative_to(checkout))
        for room in rooms
        for path in (checkout / room).rglob("*.py")
        if "+__" in path.read_text()
    ]
    assert spelled == []


@pytest.mark.parametrize("model", [Arm, Output, Input])
def test_no_attribute_of_an_anonymous_row_names_the_envelope(model: type[Model]) -> None:
    telling = [
        name for name in dir(model) if any(word in name.lower() for word in ("system", "endpoint", "completion"))
    ]
    assert telling == []
