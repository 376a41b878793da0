"""Two texts that change places change nothing else, on the page and in the result; and what a text says is flagged."""

import re
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from experiments.actions import prepare_output
from experiments.models import Experiment, Output, OutputState
from ratings.models import Assignment, Judgment, Rater
from reports.report import build
from tests.factories import NOW
from tests.ratings.driving import a_seated_client, an_open_experiment
from tests.reports import studies

pytestmark = pytest.mark.django_db
HANDLES = re.compile(r"[0-9a-f-]{36}|csrfmiddlewaretoken[^>]+|X-CSRFToken[^}]+")
MIRRORED = {"left": "right", "right": "left"}


def test_texts_that_change_places_change_nothing_else_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    client = a_seated_client(an_open_experiment())
    page = HANDLES.sub("", client.get("/rate/").content.decode())
    row = Assignment.objects.select_related("left", "right").get()
    one, other = row.left.html, row.right.html
    assert 0 < page.index(one) < page.index(other), "card A comes first, and each shows its own text"
    for output, html in ((row.left, other), (row.right, one)):
        Output.objects.filter(pk=output.pk).update(html=html)
    turned = HANDLES.sub("", client.get("/rate/").content.decode())
    assert page != turned
    assert page.replace(one, "\0").replace(other, one).replace("\0", other) == turned


def turn(experiment: Experiment) -> None:
    """Everybody saw every pair the other way round, and said the mirror image of it."""
    for row in Assignment.objects.filter(rater__experiment=experiment):
        Assignment.objects.filter(pk=row.pk).update(left=row.right, right=row.left)
    for judgment in Judgment.objects.filter(assignment__rater__experiment=experiment):
        verdict = MIRRORED.get(judgment.verdict, judgment.verdict)
        acceptable = {"left_acceptable": judgment.right_acceptable, "right_acceptable": judgment.left_acceptable}
        Judgment.objects.filter(pk=judgment.pk).update(verdict=verdict, **acceptable)


RESULT = ("wins", "losses", "both_good", "both_bad", "score", "decisive_win_rate", "net_win_rate", "noninferiority")


def results(experiment: Experiment) -> dict[str, Any]:
    """What the report says of the pair, whichever way it was shown."""
    report = build(experiment)
    [pair] = report["pairs"]
    return {"acceptable": [one["acceptable"] for one in report["systems"]], **{name: pair[name] for name in RESULT}}


@pytest.mark.parametrize("votes", ["WWTBL", "WWWL", "TTBBL"])
def test_the_result_of_turned_pairs_is_the_result(votes: str) -> None:
    experiment = studies.a_study(votes=votes, inputs=12, raters=4)
    before = results(experiment)
    with transaction.atomic():
        turn(experiment)
        assert results(experiment) == before
        # And turning only what they saw, not what they said, is another result: the test can fail.
        for judgment in Judgment.objects.all():
            Judgment.objects.filter(pk=judgment.pk).update(verdict=MIRRORED.get(judgment.verdict, judgment.verdict))
        assert results(experiment) != before
        transaction.set_rollback(True)


# --- who says who it is ----------------------------------------------------------------------------------------------

SAYS_WHO_IT_IS = {
    "English": "I am Claude, made by Anthropic. Here is the answer.",
    "German": "Ich bin ChatGPT, ein Sprachmodell von OpenAI.",
    "French": "Je suis Claude, un assistant créé par Anthropic.",
    "Spanish": "Soy ChatGPT, un modelo de lenguaje de OpenAI.",
    "Italian": "Sono Gemini, un modello di Google.",
    "Portuguese": "Eu sou o ChatGPT, um modelo da OpenAI.",
    "Dutch": "Ik ben Claude, gemaakt door Anthropic.",
    "Polish": "Jestem ChatGPT, model językowy stworzony przez OpenAI.",
    "Russian": "Я ChatGPT, языковая модель от OpenAI.",
    "Chinese": "我是通义千问,由阿里云开发的语言模型。",
    "Japanese": "私はClaudeです。Anthropicによって開発されました。",
    "Korean": "저는 OpenAI에서 개발한 ChatGPT입니다.",
    "Turkish": "Ben ChatGPT, OpenAI tarafından geliştirilen bir dil modeliyim.",
    "with a zero-width space": "I am Cl\u200baude, made by Anthropic.",
    "with a soft hyphen": "I am Chat\u00adGPT, a model by OpenAI.",
    "with Cyrillic letters": "I am Сlаudе, an assistant.",
    "in full width": "I am Ｃｌａｕｄｅ, an assistant.",
    "with a joiner": "I'm Ge\u2060mini, a model trained by Google.",
}


@pytest.mark.parametrize("how", SAYS_WHO_IT_IS)
def test_whoever_says_who_it_is_waits_for_the_owner(how: str) -> None:
    prepared = prepare_output(SAYS_WHO_IT_IS[how], "complete")
    assert prepared.state == OutputState.FLAGGED, how


def test_raters_are_not_shown_a_flagged_text() -> None:
    experiment = an_open_experiment(inputs=1)
    Output.objects.filter(pk=experiment.inputs.get().outputs.first().pk).update(state="flagged")
    assert a_seated_client(experiment).get("/rate/").status_code == 303
    assert Rater.objects.count() == 1
