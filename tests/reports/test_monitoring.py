"""Watching while rating, where it was chosen before the seal: owners learn that they may stop, and nothing else."""

import pytest
from django.test import Client

from accounts.models import User
from backends.models import System
from console.actions import close, open_for_rating
from experiments.models import Experiment
from reports.report import build
from tests.factories import a_collected_experiment, a_rater
from tests.reports import studies

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_user("owner@example.org")
    client.force_login(user)
    return user


def opened(owner: User, *, monitored: bool) -> Experiment:
    """Really sealed, with two systems that have names."""
    made = a_collected_experiment(inputs=40, ratings_per_pair=2, margin=0.1, monitored=monitored, owner=owner)
    for arm, name in zip(made.arms.order_by("pk"), ("incumbent", "challenger"), strict=True):
        System.objects.filter(arm=arm).update(name=name)
    open_for_rating(experiment=made, by=owner)
    made.refresh_from_db()
    return made


def rated(experiment: Experiment, letters: str, *, inputs: int) -> None:
    """Two raters on so many inputs; letters are from the challenger's side."""
    challenger = System.objects.get(name="challenger").arm
    raters = [a_rater(experiment, f"Rater {number}") for number in (1, 2)]
    turn = 0
    for comparison in studies.real_pairs(experiment)[:inputs]:
        for rater in raters:
            studies.vote(comparison, rater, challenger, letters[turn % len(letters)], on_left=turn % 2 == 0)
            turn += 1


def overview(client: Client, experiment: Experiment) -> str:
    return client.get(f"/experiments/{experiment.pk}/").content.decode()


@pytest.mark.parametrize(("letters", "verdict"), [("WWWT", "superior"), ("LLLT", "inferior beyond the margin")])
def test_owners_may_stop_and_learn_which_way_only_after_closing(
    client: Client, owner: User, letters: str, verdict: str
) -> None:
    experiment = opened(owner, monitored=True)
    assert "Continue:" in overview(client, experiment)
    rated(experiment, letters, inputs=30)
    text = overview(client, experiment)
    assert "May stop:" in text
    assert "superior" not in text
    assert "inferior" not in text
    assert client.get(f"/experiments/{experiment.pk}/report/").status_code == 409
    close(experiment=experiment, by=owner)
    experiment.refresh_from_db()
    report = build(experiment)
    [pair] = report["pairs"]
    assert pair["noninferiority"]["settled"] == verdict
    assert pair["noninferiority"]["scope"] == "panel"
    assert pair["monitoring"]["inputs"] == 30
    assert pair["monitoring"]["path"][-1] == [30, pair["monitoring"]["low"], pair["monitoring"]["high"]]
    assert any("could be watched" in caveat for caveat in report["verdict"]["caveats"])
    assert f"{pair['monitoring']['low'] * 100:.1f}" in report["verdict"]["sentence"]
    shown = client.get(f"/experiments/{experiment.pk}/report/").content.decode()
    assert "Monitored, challenger against incumbent" in shown
    assert 'class="band"' in shown


def test_where_nobody_chose_to_watch_there_is_no_word_of_stopping(client: Client, owner: User) -> None:
    experiment = opened(owner, monitored=False)
    rated(experiment, "W", inputs=30)
    text = overview(client, experiment)
    assert "May stop" not in text
    assert "Continue:" not in text
    close(experiment=experiment, by=owner)
    experiment.refresh_from_db()
    report = build(experiment)
    assert report["pairs"][0]["monitoring"] is None
    assert "Monitored" not in client.get(f"/experiments/{experiment.pk}/report/").content.decode()


def test_with_several_candidates_each_sequence_is_wider() -> None:
    def low(arms: int) -> float:
        made = studies.close(_watched(arms))
        return float(build(made)["pairs"][0]["monitoring"]["low"])

    assert low(arms=4) < low(arms=2)


def _watched(arms: int) -> Experiment:
    made = studies.a_rating_experiment(arms=arms, inputs=15, monitored=True, ratings_per_pair=1)
    rater = a_rater(made)
    for comparison in studies.real_pairs(made):
        if made.baseline_id not in {comparison.first.arm_id, comparison.second.arm_id}:
            continue
        candidate = next(one.arm for one in (comparison.first, comparison.second) if one.arm_id != made.baseline_id)
        studies.vote(comparison, rater, candidate, "W", on_left=True)
    return made


def test_a_margin_changed_after_the_seal_leaves_a_mark_that_everybody_sees(client: Client, owner: User) -> None:
    experiment = opened(owner, monitored=False)
    rated(experiment, "WTL", inputs=12)
    close(experiment=experiment, by=owner)
    experiment.refresh_from_db()
    assert build(experiment)["experiment"]["changed_since_the_seal"] == []
    Experiment.objects.filter(pk=experiment.pk).update(margin=0.2)
    shown = client.get(f"/experiments/{experiment.pk}/report/").content.decode()
    mark = "The protocol was changed: margin was 0.1 and is 0.2."
    assert shown.count(f"Not as it was sealed before rating. {mark}") == 1
    assert "changed</span> The protocol was changed" in shown
    for name in ("md", "html", "json"):
        text = client.get(f"/experiments/{experiment.pk}/report.{name}").content.decode()
        assert mark in text, name
