"""Collecting, watched and steered from the page."""

import pytest
from django.test import Client

from accounts.models import Event, User
from backends.models import Completion, System
from experiments.models import Experiment
from tests.factories import NOW, a_collected_experiment, a_rating_experiment, a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment(client: Client) -> Experiment:
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    made = an_experiment(owner=owner)
    a_system(made, "candidate", endpoint=an_endpoint())
    a_system(made, "api", endpoint=an_endpoint())
    return made


def page(client: Client, experiment: Experiment) -> str:
    return client.get(f"/experiments/{experiment.pk}/collecting/").content.decode()


def steer(client: Client, experiment: Experiment, do: str, system: str = "") -> str:
    answer = client.post(
        f"/experiments/{experiment.pk}/collecting/steering/", {"do": do, "system": system}, follow=True
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_the_start_it_says_how_many_calls_there_will_be(client: Client, experiment: Experiment) -> None:
    text = page(client, experiment)
    assert "Ready: 6 calls." in text
    assert "every 2s" not in text


def test_starting_queues_every_answer_and_the_page_then_asks_for_itself(client: Client, experiment: Experiment) -> None:
    text = steer(client, experiment, "start")
    assert Completion.objects.filter(state="pending").count() == 6
    assert "every 2s" in text
    assert Event.objects.filter(verb="started collecting").exists()


def test_the_live_part_comes_alone_when_the_script_asks(client: Client, experiment: Experiment) -> None:
    steer(client, experiment, "start")
    path = f"/experiments/{experiment.pk}/collecting/"
    part = client.get(path, headers={"HX-Request": "true", "HX-Target": "progress"}).content.decode()
    assert part.lstrip().startswith('<section id="progress"')
    assert "<html" not in part


def test_when_all_is_there_the_script_is_told_to_load_the_page_with_its_next_step(
    client: Client, experiment: Experiment
) -> None:
    path = f"/experiments/{a_collected_experiment(owner=User.objects.get()).pk}/collecting/"
    answer = client.get(path, headers={"HX-Request": "true", "HX-Target": "progress"})
    assert answer.headers["HX-Refresh"] == "true"
    assert "Check the outputs" in client.get(path).content.decode()


def test_pausing_one_system_stops_it_alone_and_resuming_goes_on(client: Client, experiment: Experiment) -> None:
    steer(client, experiment, "start")
    text = steer(client, experiment, "pause", "api")
    assert System.objects.get(name="api").paused_at is not None
    assert System.objects.get(name="candidate").paused_at is None
    assert "Resume api" in text
    assert "every 2s" in text
    text = steer(client, experiment, "pause")
    assert "every 2s" not in text
    assert "Nothing is lost" in text
    steer(client, experiment, "resume")
    assert not System.objects.filter(paused_at__isnull=False).exists()


def test_failures_are_grouped_with_their_reason_and_retried(client: Client, experiment: Experiment) -> None:
    steer(client, experiment, "start")
    Completion.objects.filter(system__name="api").update(
        state="failed", failure_kind="too_long", sentence="The input does not fit.", finished_at=NOW
    )
    Completion.objects.filter(system__name="candidate").delete()
    text = page(client, experiment)
    assert text.count("The input does not fit.") == 1
    assert "Input too long" in text
    assert "in1, in2, in3" in text
    steer(client, experiment, "retry")
    assert Completion.objects.filter(system__name="api", state="pending").count() == 3


def test_cancelling_gives_up_what_is_left(client: Client, experiment: Experiment) -> None:
    steer(client, experiment, "start")
    steer(client, experiment, "cancel")
    assert not Completion.objects.filter(state="pending").exists()


def test_a_trouble_of_a_whole_system_stands_beside_its_bar_once(client: Client, experiment: Experiment) -> None:
    steer(client, experiment, "start")
    System.objects.filter(name="api").update(
        paused_at=NOW, pause_reason="The key was refused.", trouble="The key was refused.", trouble_kind="auth"
    )
    assert page(client, experiment).count("The key was refused.") == 1


def test_nothing_can_be_steered_after_the_seal(client: Client, experiment: Experiment) -> None:
    sealed = a_rating_experiment(owner=User.objects.get())
    text = steer(client, sealed, "retry")
    assert "no more are fetched" in text
    assert 'name="do"' not in page(client, sealed)


def test_an_unknown_wish_is_refused(client: Client, experiment: Experiment) -> None:
    path = f"/experiments/{experiment.pk}/collecting/steering/"
    assert client.post(path, {"do": "explode"}).status_code == 400
    assert "has no system" in steer(client, experiment, "pause", "nobody")


def test_answers_that_cannot_be_rated_are_counted_and_can_be_fetched_again(
    client: Client, experiment: Experiment
) -> None:
    collected = a_collected_experiment(owner=User.objects.get())
    System.objects.filter(arm__experiment=collected).update(endpoint=an_endpoint())
    Completion.objects.filter(system__arm__experiment=collected, input__position=1).update(outcome="truncated")
    assert "2 cut off" in page(client, collected)
    steer(client, collected, "again")
    assert Completion.objects.filter(system__arm__experiment=collected, state="pending").count() == 2


def test_what_failed_shows_its_last_call_with_what_was_sent_and_what_was_said(
    client: Client, experiment: Experiment
) -> None:
    steer(client, experiment, "start")
    row = Completion.objects.filter(system__name="candidate").order_by("pk")[0]
    Completion.objects.filter(pk=row.pk).update(
        state="failed", failure_kind="busy", sentence="It was too busy.", attempts=2, finished_at=NOW
    )
    for number, status in ((1, 502), (2, 503)):
        row.tries.create(
            number=number,
            status=status,
            connect_ms=3.2,
            end_ms=41.7,
            sent={"model": "m-1", "temperature": 0},
            told={"x-ratelimit-remaining-requests": "0"},
            failure_kind="busy",
            raw_tail="<b>queue full</b>",
        )
    text = page(client, experiment)
    assert "The last of 2 calls" in text
    assert "<dd>503</dd>" in text
    assert "<dd>502</dd>" not in text
    assert "42 ms" in text
    assert "&quot;temperature&quot;: 0" in text
    assert "x-ratelimit-remaining-requests: 0" in text
    assert "&lt;b&gt;queue full&lt;/b&gt;" in text
