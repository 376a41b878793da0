"""What owners' pages are told of systems, endpoints and collecting."""

from datetime import timedelta

import pytest

from backends.listing import endpoints, fetched, outcomes, pace, spent, systems
from backends.models import Completion
from tests.factories import NOW, a_collected_experiment, a_system, an_endpoint, an_experiment, answers

pytestmark = pytest.mark.django_db


def test_a_system_shows_its_settings_and_whether_it_is_the_baseline() -> None:
    experiment = an_experiment()
    a_system(experiment, "candidate", endpoint=an_endpoint(name="ours", preset="vllm"), parameters={"temperature": 0})
    experiment.baseline = a_system(experiment, "api", model_id="m").arm
    experiment.save()
    api, candidate = systems(experiment)
    assert (api.name, api.recorded, api.baseline, api.endpoint, api.model) == ("api", True, True, "", "m")
    assert (candidate.endpoint, candidate.server, candidate.parameters) == ("ours", "vLLM", {"temperature": 0})
    assert (candidate.recorded, candidate.baseline) == (False, False)


def test_how_far_many_experiments_are_is_told_at_once() -> None:
    first, second, empty = a_collected_experiment(), a_collected_experiment(inputs=1), an_experiment()
    Completion.objects.filter(system__arm__experiment=second).update(
        state="failed", failure_kind="x", sentence="x", outcome=None, output=None
    )
    found = fetched([first.pk, second.pk, empty.pk])
    assert (found[first.pk].done, found[first.pk].total, found[first.pk].last) == (6, 6, NOW)
    assert (found[second.pk].done, found[second.pk].failed) == (0, 2)
    assert empty.pk not in found


def test_answers_that_nobody_asked_for_yet_are_still_to_come() -> None:
    draft, mixed = an_experiment(inputs=3), a_collected_experiment(inputs=2)
    a_system(draft, "one", endpoint=an_endpoint(), samples=4)
    a_system(draft, "two", endpoint=an_endpoint())
    a_system(mixed, "late", endpoint=an_endpoint())
    found = fetched([draft.pk, mixed.pk])
    assert (found[draft.pk].done, found[draft.pk].total) == (0, 15)
    assert (found[mixed.pk].done, found[mixed.pk].total) == (4, 6)


def test_the_pace_of_the_last_minutes_foretells_the_rest() -> None:
    experiment = an_experiment(inputs=8)
    began = NOW - timedelta(seconds=60)
    system = a_system(experiment, "one", endpoint=an_endpoint())
    answers(system, started_at=began, finished_at=NOW - timedelta(seconds=30))
    found = pace(experiment, now=NOW, waiting=20)
    assert (found.per_minute, found.minutes_left) == (8.0, 3)
    slower = pace(experiment, now=NOW + timedelta(seconds=60), waiting=20)
    assert (slower.per_minute, slower.minutes_left) == (4.0, 5)
    later = pace(experiment, now=NOW + timedelta(hours=1), waiting=20)
    assert (later.per_minute, later.minutes_left) == (0.0, None)


def test_what_the_tokens_cost_so_far() -> None:
    experiment = an_experiment(inputs=10)
    cost = {"input_per_million": 3.0, "output_per_million": 15.0}
    answers(a_system(experiment, "api", endpoint=an_endpoint(), cost=cost), usage={"input": 1000, "output": 200})
    answers(a_system(experiment, "ours", endpoint=an_endpoint(), cost={"gpu_hourly": 2.0}))
    assert spent(experiment) == {"api": pytest.approx(0.06)}


def test_what_is_read_from_a_cache_and_written_to_one_costs_what_its_price_says() -> None:
    experiment = an_experiment(inputs=10)
    cost = {"input_per_million": 3.0, "output_per_million": 15.0}
    dear = cost | {"cached_input_per_million": 0.3, "cache_write_per_million": 3.75}
    usage = {"input": 1000, "cached": 800, "cache_write": 400, "output": 200}
    for name, prices in (("plain", cost), ("dear", dear)):
        answers(a_system(experiment, name, endpoint=an_endpoint(), cost=prices), usage=usage)
    assert spent(experiment) == {
        "plain": pytest.approx(10 * (1400 * 3 + 200 * 15) / 1e6),
        "dear": pytest.approx(10 * (200 * 3 + 800 * 0.3 + 400 * 3.75 + 200 * 15) / 1e6),
    }


def test_answers_that_cannot_be_rated_are_counted_by_kind() -> None:
    experiment = a_collected_experiment()
    rows = list(Completion.objects.order_by("pk"))
    for row, outcome in zip(rows, ["truncated", "truncated", "refused", "empty"], strict=False):
        Completion.objects.filter(pk=row.pk).update(outcome=outcome)
    found = outcomes(experiment)
    assert (found.truncated, found.refused, found.empty, found.total) == (2, 1, 1, 4)


def test_an_endpoint_without_a_key_says_so_and_shows_the_makers_address() -> None:
    an_endpoint(name="maker", dialect="anthropic", preset="anthropic", base_url="")
    [card] = endpoints()
    assert (card.secret, card.secret_missing) == ("none", False)
    assert card.address.startswith("https://")
