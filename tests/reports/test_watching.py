"""Whether a study may stop: told from sums, and the same that its votes say one by one."""

import random

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from backends.models import System
from experiments.models import Experiment
from ratings.models import Judgment
from reports import planning, votes, watching
from reports.sections.influences import sequence
from tests.factories import NOW, a_rater, a_rating_experiment
from tests.reports import studies

SWAPPED = str.maketrans("WL", "LW")
pytestmark = pytest.mark.django_db


def one_by_one(experiment: Experiment) -> str:
    """As the report looks at it when all is over."""
    ballots = votes.read(experiment)
    assert experiment.baseline
    baseline = ballots.arms.index(experiment.baseline.code)
    rivals = [arm for arm in range(len(ballots.arms)) if arm != baseline]
    decided = []
    for arm in rivals:
        cast = votes.versus(ballots.votes, candidate=arm, baseline=baseline)
        seen = sequence(cast, wanted=experiment.ratings_per_pair, rivals=len(rivals))
        limits = {"margin": experiment.margin}
        decided.append(seen is not None and (seen.decided_at(**limits) or seen.hopeless_at(**limits)) is not None)
    return "may stop" if decided and all(decided) else "continue"


def a_varied_study(draw: random.Random, *, arms: int) -> Experiment:
    """Raters of several rivals: some are late, change their minds, know the key or are left out."""
    fields = {"ratings_per_pair": 2, "margin": draw.choice([0.05, 0.1, 0.2, 0.3])}
    experiment = a_rating_experiment(arms=arms, inputs=20, monitored=True, **fields)
    liked = {arm: draw.choice(["W", "WWT", "WL", "LLB", "L"]) for arm in experiment.arms.all()}
    systems = {system.arm_id: system.arm for system in System.objects.select_related("arm")}
    for number in range(3):
        rater = a_rater(experiment, f"Rater {number}")
        pairs = studies.real_pairs(experiment)
        draw.shuffle(pairs)
        for pair in pairs[: len(pairs) - draw.randrange(6)]:
            rival = pair.second.arm_id if pair.first.arm_id == experiment.baseline_id else pair.first.arm_id
            unblinded = draw.random() < 0.3  # and then says the opposite of what the others say
            letter = draw.choice(liked[systems[rival]].translate(SWAPPED if unblinded else {}))
            on_left = draw.random() < 0.5
            made = studies.vote(pair, rater, systems[rival], letter, on_left=on_left, unblinded=unblinded)
            if draw.random() < 0.1:
                studies.changed(made, draw.choice(["left", "right", "both_bad"]))
            elif draw.random() < 0.1:
                studies.shown_again(made, verdict="left")
    if draw.random() < 0.5:
        experiment.raters.filter(label="Rater 1").update(revoked_at=NOW, left_out_at=NOW)
    return experiment


def test_the_sums_say_what_the_votes_say_one_by_one() -> None:
    said = []
    for number in range(16):
        experiment = a_varied_study(random.Random(number), arms=2 + number % 2)
        said.append(watching.signal(experiment))
        assert said[-1] == one_by_one(experiment), number
    assert set(said) == {"may stop", "continue"}


def test_whether_a_large_study_may_stop_is_told_without_reading_its_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = studies.a_study(votes="W", inputs=40, raters=3, closed=False, monitored=True)
    monkeypatch.setattr(planning, "MOST_VOTES", 100)
    planning.forget()
    with CaptureQueriesContext(connection) as caught:
        assert planning.so_far(experiment) == (None, "may stop")
    assert not [query["sql"] for query in caught if Judgment._meta.db_table in query["sql"]]


def test_the_page_says_up_to_how_many_votes_it_estimates_anew() -> None:
    told = render_to_string("console/_so_far.html", {"signal": None, "plan": None})
    assert f"no more than {planning.MOST_VOTES:,}" in told
