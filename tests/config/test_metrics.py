"""What /metrics tells, and to whom: counts of everything, names of nothing."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from backends import watching
from backends.models import Completion
from experiments.models import Arm, Output
from tests.factories import a_collected_experiment, a_rated_experiment, a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-sixteen-and-more"


@pytest.fixture
def scrape(client: Client, settings: pytest.FixtureRequest) -> object:
    settings.METRICS_TOKEN = TOKEN  # type: ignore[attr-defined]  # the pytest-django fixture is untyped

    def scraped() -> dict[str, float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r'blindpair_\w+(\{(\w+="[^"]*",?)*\})? [\d.e+-]+', line) for line in lines), lines
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    return scraped


def test_without_a_token_in_the_settings_there_is_no_such_page(client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("said", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"])
def test_another_token_or_none_is_refused(client: Client, settings: pytest.FixtureRequest, said: str) -> None:
    settings.METRICS_TOKEN = TOKEN  # type: ignore[attr-defined]
    answer = client.get("/metrics", HTTP_AUTHORIZATION=said)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"blindpair_" not in answer.content


def test_it_counts_experiments_judgments_and_answers(scrape: object) -> None:
    a_rated_experiment(inputs=2, raters=3)
    found = scrape()  # type: ignore[operator]
    assert found['blindpair_experiments{status="closed"}'] == 1
    assert found["blindpair_judgments"] == 6
    assert found['blindpair_completions{state="done"}'] == 4
    assert found["blindpair_database_up"] == 1
    assert found["blindpair_work_untouched_seconds"] == 0


def test_work_that_nobody_touches_is_seen_and_a_live_claim_calms(scrape: object) -> None:
    experiment = an_experiment(inputs=2, status="collecting", created_at=timezone.now() - timedelta(minutes=10))
    system = a_system(experiment, "secret name", endpoint=an_endpoint())
    rows = [Completion.objects.create(system=system, input=item) for item in experiment.inputs.all()]
    found = scrape()  # type: ignore[operator]
    assert found["blindpair_completions_due"] == 2
    assert 590 < found["blindpair_work_untouched_seconds"] < 700
    now = timezone.now()
    Completion.objects.filter(pk=rows[0].pk).update(
        state="running", started_at=now, lease_until=now + timedelta(seconds=30)
    )
    assert watching.queue(now).untouched == 0


def test_failures_are_counted_by_kind(scrape: object) -> None:
    experiment = a_collected_experiment(inputs=1)
    Output.objects.all().delete()
    system = a_system(experiment, "other")
    item = experiment.inputs.get()
    Completion.objects.create(system=system, input=item, state="failed", failure_kind="timeout", sentence="Too slow.")
    assert scrape()['blindpair_failures{kind="timeout"}'] == 1  # type: ignore[operator]


def test_nothing_in_it_names_anything_or_tells_a_direction(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.METRICS_TOKEN = TOKEN  # type: ignore[attr-defined]
    experiment = a_rated_experiment(inputs=3, raters=2, closed=False)
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    codes = list(Arm.objects.values_list("code", flat=True))
    for word in ["system-1", "system-2", "Rater 1", experiment.slug, experiment.title, "verdict", "left", *codes]:
        assert word not in answer


def test_requests_are_counted_by_route_and_timed_by_audience(client: Client, scrape: object) -> None:
    client.get("/r/a-token-that-nobody-has/")
    client.get("/nothing/here/")
    found = scrape()  # type: ignore[operator]
    counted = [name for name in found if "requests_total" in name]
    assert any('route="r/<str:token>/",method="GET",status="404"' in name for name in counted)
    assert any('route="unmatched"' in name for name in counted)
    assert not any("a-token-that" in name or "nothing" in name for name in counted)
    raters = {name: n for name, n in found.items() if "request_seconds_bucket{" in name and 'audience="raters"' in name}
    assert max(raters.values()) == next(n for name, n in raters.items() if 'le="+Inf"' in name) >= 1


def test_a_lost_database_is_a_figure_and_no_error(scrape: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(now: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("console.views.metrics.queue", away)
    found = scrape()  # type: ignore[operator]
    assert found["blindpair_database_up"] == 0
    assert "blindpair_judgments" not in found
