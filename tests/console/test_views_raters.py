"""The raters' page: links made, shown once, withdrawn and replaced; counts and habits, never direction by arm."""

import re
import uuid

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Event, User
from experiments.models import Experiment
from ratings.links import digest
from ratings.models import Assignment, Comparison, Judgment, Rater
from tests.factories import NOW, a_judgment, a_rater, a_rating_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment(client: Client) -> Experiment:
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    return a_rating_experiment(inputs=12, owner=owner)


def path(experiment: Experiment, more: str = "") -> str:
    return f"/experiments/{experiment.pk}/raters/{more}"


def page(client: Client, experiment: Experiment) -> str:
    return client.get(path(experiment)).content.decode()


def links_in(text: str) -> list[str]:
    return re.findall(r'<code id="link-\d+">http://[^<]*/r/([\w-]+)/</code>', text)


def test_links_are_made_for_names_and_shown_this_once(client: Client, experiment: Experiment) -> None:
    text = client.post(path(experiment), {"labels": "Dr. Weber\n\nDr. Okafor", "days": 7}).content.decode()
    tokens = links_in(text)
    assert len(tokens) == 2
    assert {digest(token) for token in tokens} == set(Rater.objects.values_list("token_hash", flat=True))
    assert "Dear Dr. Weber" in text
    again = page(client, experiment)
    assert links_in(again) == []
    assert not any(token in again for token in tokens)
    assert Event.objects.get(verb="invited raters").detail == {"raters": 2}


def test_a_number_of_links_will_do_too(client: Client, experiment: Experiment) -> None:
    client.post(path(experiment), {"count": 3, "days": 14})
    assert list(Rater.objects.values_list("label", flat=True)) == ["Rater 1", "Rater 2", "Rater 3"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"days": 14}, "Give names, or say how many"),
        ({"labels": "A", "count": 2, "days": 14}, "Give names, or say how many"),
        ({"labels": "A\nA", "days": 14}, "called A already"),
        ({"labels": "x" * 200, "days": 14}, "1 to 120 characters"),
        ({"count": 0, "days": 14}, "greater than or equal to 1"),
        ({"count": 1000, "days": 14}, "less than or equal to 100"),
        ({"labels": "A", "days": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_made_is_said_under_the_form(
    client: Client, experiment: Experiment, data: dict[str, object], said: str
) -> None:
    answer = client.post(path(experiment), data)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Rater.objects.exists()


def test_a_revoked_link_no_longer_opens(client: Client, experiment: Experiment) -> None:
    rater = a_rater(experiment)
    client.post(path(experiment, "links/"), {"rater": rater.pk, "do": "revoke"})
    rater.refresh_from_db()
    assert rater.revoked_at is not None
    assert '<span class="pill bad">withdrawn</span>' in page(client, experiment)


def choose(client: Client, rater: Rater, do: str) -> HttpResponse:
    answer = client.post(path(rater.experiment, "links/"), {"rater": rater.pk, "do": do}, follow=True)
    rater.refresh_from_db()
    return answer


def test_whoever_withdraws_a_link_chooses_what_becomes_of_the_judgments(client: Client, experiment: Experiment) -> None:
    kept, dropped = a_rater(experiment, "Kept"), a_rater(experiment, "Dropped")
    text = page(client, experiment)
    for rater in (kept, dropped):
        assert f"Withdraw the link of {rater.label} and count what they judged" in text
        assert f"Withdraw the link of {rater.label} and leave out what they judged" in text
    assert b"What they judged stays." in choose(client, kept, "revoke").content
    assert b"does not count. Their pairs are free for others." in choose(client, dropped, "leave_out").content
    assert (kept.revoked_at is None, kept.left_out_at) == (False, None)
    assert None not in (dropped.revoked_at, dropped.left_out_at)


def test_the_choice_can_be_made_later_and_taken_back(client: Client, experiment: Experiment) -> None:
    rater = a_rater(experiment, "Dr. Weber", revoked_at=NOW)
    a_judgment(Comparison.objects.first(), rater)
    assert "Leave out what Dr. Weber judged" in page(client, experiment)
    answer = choose(client, rater, "leave_out")
    assert rater.left_out_at is not None
    assert answer.context["judged"].done == 0
    [signed] = answer.context["raters"]
    assert (signed.rater.done, signed.signs) == (1, ())
    text = answer.content.decode()
    assert '<span class="pill warning">left out</span>' in text
    assert "Count again what Dr. Weber judged" in text
    assert "Leave out what" not in text
    answer = choose(client, rater, "count")
    assert rater.left_out_at is None
    assert answer.context["judged"].done == 1
    assert b"What Dr. Weber judged counts again." in answer.content


@pytest.mark.parametrize("do", ["leave_out", "count"])
def test_after_closing_the_choice_is_refused_in_a_sentence(client: Client, experiment: Experiment, do: str) -> None:
    rater = a_rater(experiment, revoked_at=NOW)
    Experiment.objects.update(status="closed", closed_at=NOW)
    text = page(client, experiment)
    assert "raters/links/" not in text
    answer = choose(client, rater, do)
    assert answer.status_code == 409
    assert "whose judgments count can no longer be changed" in answer.content.decode()
    assert not Event.objects.exists()


def test_whoever_chooses_does_not_see_which_arm_the_rater_prefers(client: Client, experiment: Experiment) -> None:
    def shown(favourite: str) -> str:
        Judgment.objects.all().delete()
        Assignment.objects.all().delete()
        Rater.objects.update(left_out_at=None, revoked_at=None)
        for number, comparison in enumerate(Comparison.objects.order_by("pk")):
            swap = number % 2 == 1
            leads = (favourite == "first") != swap
            a_judgment(comparison, rater, verdict="left" if leads else "right", swap=swap)
        said = [choose(client, rater, do).content.decode() for do in ("revoke", "leave_out", "count")]
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"', "", "".join(said))

    rater = a_rater(experiment)
    assert shown("first") == shown("second")


def test_a_replaced_link_is_new_and_the_judgments_stay(client: Client, experiment: Experiment) -> None:
    rater = a_rater(experiment, revoked_at=NOW)
    a_judgment(Comparison.objects.first(), rater)
    before = rater.token_hash
    text = client.post(path(experiment, "links/"), {"rater": rater.pk, "do": "replace"}).content.decode()
    rater.refresh_from_db()
    assert [digest(token) for token in links_in(text)] == [rater.token_hash]
    assert rater.token_hash != before
    assert rater.revoked_at is None
    assert Judgment.objects.count() == 1


def test_the_rater_of_another_experiment_is_not_found(client: Client, experiment: Experiment) -> None:
    stranger = a_rater(a_rating_experiment())
    answer = client.post(path(experiment, "links/"), {"rater": stranger.pk, "do": "revoke"})
    assert answer.status_code == 404
    stranger.refresh_from_db()
    assert stranger.revoked_at is None


def test_each_raters_pace_ties_and_left_share_are_shown(client: Client, experiment: Experiment) -> None:
    rater = a_rater(experiment)
    for verdict, comparison in zip(["left", "left", "right", "both_good"], Comparison.objects.all(), strict=False):
        a_judgment(comparison, rater, verdict=verdict)
    [signed] = client.get(path(experiment)).context["raters"]
    assert (signed.rater.done, signed.rater.median_seconds, signed.ties, signed.left) == (4, 30.0, "25 %", "67 %")
    assert signed.signs == ()


def test_somebody_who_always_says_left_carries_a_sign(client: Client, experiment: Experiment) -> None:
    rater = a_rater(experiment)
    for comparison in Comparison.objects.all():
        a_judgment(comparison, rater, verdict="left")
    assert "prefers the left side" in page(client, experiment)


def test_repeats_and_controls_are_counted_beside_and_not_as_done(client: Client, experiment: Experiment) -> None:
    rater = a_rater(experiment)
    first, second = Comparison.objects.order_by("pk")[:2]
    original = a_judgment(first, rater, verdict="left").assignment
    for verdict, kind, of in (("right", "repeat", original),):
        repeat = Assignment.objects.create(
            comparison=first,
            rater=rater,
            kind=kind,
            repeat_of=of,
            left=original.right,
            right=original.left,
            position=20,
        )
        Judgment.objects.create(assignment=repeat, verdict=verdict, key=uuid.uuid4())
    Comparison.objects.filter(pk=second.pk).update(kind="control", expected=second.first)
    control = Assignment.objects.create(
        comparison=second, rater=rater, kind="control", left=second.second, right=second.first, position=21
    )
    Judgment.objects.create(assignment=control, verdict="right")
    [signed] = client.get(path(experiment)).context["raters"]
    found = signed.rater
    assert (found.done, found.repeats_same, found.repeats) == (1, 1, 1)
    assert (found.controls_right, found.controls) == (1, 1)


def test_the_page_is_the_same_whichever_arm_is_preferred(client: Client, experiment: Experiment) -> None:
    def shown(favourite: str) -> str:
        Judgment.objects.all().delete()
        Assignment.objects.all().delete()
        for number, comparison in enumerate(Comparison.objects.order_by("pk")):
            swap = number % 2 == 1
            leads = (favourite == "first") != swap
            a_judgment(comparison, rater, verdict="left" if leads else "right", swap=swap)
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"', "", page(client, experiment))

    rater = a_rater(experiment)
    assert shown("first") == shown("second")


def test_after_closing_nobody_is_invited(client: Client, experiment: Experiment) -> None:
    Experiment.objects.update(status="closed", closed_at=NOW)
    assert "Make links" not in page(client, experiment)
    assert "nobody can rate it any more" in client.post(path(experiment), {"count": 1, "days": 3}).content.decode()
