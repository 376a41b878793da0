"""A rater's templates are handed text, numbers and random handles, and only cleaned markup is shown as markup."""

import dataclasses
import re
from typing import get_args, get_type_hints
from uuid import UUID, uuid4

import pytest
from django.template.loader import render_to_string

from ratings import blind
from ratings.blind import BlindMessage, BlindPair, CleanHtml, Comfort

VALUES = [kind for kind in vars(blind).values() if dataclasses.is_dataclass(kind)]
PLAIN = {str, int, bool, UUID, CleanHtml, type(None)}


def parts(hint: object) -> set[object]:
    arguments = [one for one in get_args(hint) if one is not Ellipsis]
    return set().union(*(parts(one) for one in arguments)) if arguments else {hint}


def a_pair(**changes: object) -> BlindPair:
    message = BlindMessage(role="user", html=CleanHtml("<p>ask</p>"), text="ask")
    pair = BlindPair(
        token=uuid4(),
        key=uuid4(),
        number=2,
        total=5,
        question="Which?",
        messages=(message,),
        left_html=CleanHtml("<p>left <b>bold</b></p>"),
        right_html=CleanHtml("<p>right</p>"),
        left_text="left **bold**",
        right_text="right",
    )
    return dataclasses.replace(pair, **changes)  # type: ignore[arg-type]  # the tests name real fields


def rendered(pair: BlindPair, **comfort: str) -> str:
    return render_to_string("ratings/_swap.html", {"pair": pair, "comfort": Comfort(**comfort)})


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_holds_only_text_numbers_handles_and_other_such_values(kind: type) -> None:
    for hint in get_type_hints(kind).values():
        assert parts(hint) <= PLAIN | set(VALUES)


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_cannot_be_changed_or_given_more(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(kind, "__slots__")


def test_clean_markup_is_shown_as_markup_and_plain_text_is_escaped() -> None:
    assert "<p>left <b>bold</b></p>" in rendered(a_pair())
    assert "&lt;p&gt;" in rendered(a_pair(left_html="<p>not cleaned</p>"))


def test_plain_text_is_shown_escaped_where_the_rater_prefers_it() -> None:
    page = rendered(a_pair(left_text="<b>x</b>"), text="plain")
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<p>right</p>" not in page


def test_swapping_the_texts_swaps_them_on_the_page_and_nothing_else() -> None:
    pair = a_pair()
    turned = dataclasses.replace(
        pair,
        left_html=pair.right_html,
        right_html=pair.left_html,
        left_text=pair.right_text,
        right_text=pair.left_text,
    )
    page, other = rendered(pair), rendered(turned)
    there, back = "<p>left <b>bold</b></p>", "<p>right</p>"
    assert page != other
    assert page.replace(there, "\0").replace(back, there).replace("\0", back) == other


def test_nothing_in_a_text_is_obeyed() -> None:
    for opening in re.findall(r'<div class="prose"[^>]*>', rendered(a_pair())):
        assert "hx-disable" in opening


def test_an_earlier_answer_is_marked_and_can_be_read_again() -> None:
    page = rendered(a_pair(chosen="both_bad", comment="neither <helps>"))
    assert re.findall(r'value="(\w+)" aria-keyshortcuts="\d" aria-pressed="true"', page) == ["both_bad"]
    assert "neither &lt;helps&gt;</textarea>" in page


def test_only_what_the_experiment_asks_is_asked() -> None:
    assert 'name="strength"' not in rendered(a_pair())
    assert 'name="strength"' in rendered(a_pair(ask_strength=True))
    assert 'name="left_acceptable"' in rendered(a_pair(ask_acceptable=True))
    assert "required" in rendered(a_pair(require_comment=True))


def test_undo_is_offered_only_where_there_is_something_to_undo() -> None:
    again = uuid4()
    assert 'formaction="/rate/undo/"' not in rendered(a_pair())
    assert f'name="again" value="{again}"' in rendered(a_pair(again=again))
