"""The two practice pairs are complete, and have a note for every verdict."""

import pytest

from ratings import practice
from ratings.models import Verdict

STEPS = range(1, practice.STEPS + 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_practice_pair_has_a_request_and_two_texts_in_both_forms(step: int) -> None:
    pair = practice.pair(step)
    assert pair.messages[0].text
    assert pair.left_html.startswith("<p>")
    assert pair.left_text != pair.right_text
    assert pair.number == step


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verdict", Verdict.values)
def test_every_verdict_has_its_note(step: int, verdict: str) -> None:
    assert practice.note(step, verdict)


def test_an_unknown_step_or_verdict_is_refused() -> None:
    with pytest.raises(KeyError):
        practice.pair(3)
    with pytest.raises(KeyError):
        practice.note(1, "tie")
