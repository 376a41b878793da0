"""Experiments are deleted when their days after closing are over, and not before."""

import json
import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import Event, Try
from accounts.sessions import SessionStore
from accounts.throttling import LINKS, attempt
from config.celery import app
from console import retention, tasks
from console.experiment_file import read_toml
from experiments.models import Experiment
from ratings.links import invite
from tests.factories import NOW, a_rated_experiment, a_rating_experiment, a_user

CLOSED = NOW + timedelta(days=3)


def test_a_day_too_early_nothing_is_deleted(db: None) -> None:
    a_rated_experiment(retention_days=90)
    assert retention.sweep(CLOSED + timedelta(days=89)) == []
    assert Experiment.objects.count() == 1


def test_when_its_days_are_over_it_is_deleted_with_everything(db: None) -> None:
    a_rated_experiment(slug="over", retention_days=90)
    a_rated_experiment(slug="longer", retention_days=91)
    a_rated_experiment(slug="for-good")
    a_rating_experiment(slug="open", retention_days=1)
    assert retention.sweep(CLOSED + timedelta(days=90)) == ["over"]
    assert set(Experiment.objects.values_list("slug", flat=True)) == {"longer", "for-good", "open"}
    event = Event.objects.get(verb="ended the retention of")
    assert (event.object, event.detail) == ("experiment over", {"days": 90})


def test_a_new_experiment_is_kept_for_ninety_days_unless_somebody_says_otherwise(
    db: None, client: Client, tmp_path: Path
) -> None:
    client.force_login(a_user())
    client.post("/experiments/new/", {"title": "Tickets", "question": "Which one?"})
    made = Experiment.objects.get()
    assert made.retention_days == 90
    assert 'value="90"' in client.get(f"/experiments/{made.pk}/plan/").content.decode()
    assert "for 90 days after closing" in client.get(f"/experiments/{made.pk}/").content.decode()
    Experiment.objects.update(retention_days=None)
    assert "until you delete it" in client.get(f"/experiments/{made.pk}/").content.decode()
    kept = []
    for line in ("", "retention_days = 7", "retention_days = 0"):
        path = tmp_path / "experiment.toml"
        path.write_text(
            f'title = "T"\ninputs = "i.jsonl"\n{line}\n[systems.a]\noutputs = "a"\n[systems.b]\noutputs = "b"\n'
        )
        kept.append(read_toml(path).fields["retention_days"])
    assert kept == [90, 7, None]


@pytest.mark.parametrize(
    ("days", "said"), [(90, "90 days after the end"), (None, "Until owner@example.org deletes it")]
)
def test_raters_are_told_the_truth_about_it(db: None, client: Client, days: int | None, said: str) -> None:
    experiment = a_rating_experiment(owner=a_user(), retention_days=days)
    [link] = invite(experiment=experiment)
    assert said in client.get(link.url.removeprefix(settings.PUBLIC_URL)).content.decode()


def test_the_command_names_first_and_deletes_then(db: None) -> None:
    Experiment.objects.filter(pk=a_rated_experiment(slug="over", retention_days=1).pk).update(
        closed_at=NOW - timedelta(days=999)
    )

    def run(*words: str) -> dict[str, Any]:
        out = StringIO()
        call_command("sweep", *words, "--json", stdout=out)
        return dict(json.loads(out.getvalue()))

    assert run("--dry-run") == {"deleted": [], "overdue": ["over"]}
    assert run() == {"deleted": ["over"], "overdue": []}
    assert run() == {"deleted": [], "overdue": []}


def test_sessions_and_tries_that_are_over_go_too(db: None) -> None:
    over, lasting = SessionStore(), SessionStore()
    over.set_expiry(-1)
    for session in (over, lasting):
        session.save()
    attempt(LINKS, "192.0.2.1", now=timezone.now() - timedelta(days=1))
    retention.sweep()
    assert [row.pk for row in Session.objects.all()] == [lasting.session_key]
    assert not Try.objects.exists()


def test_celery_beat_rings_it(db: None) -> None:
    app.loader.import_default_modules()
    assert app.conf.beat_schedule["retention"]["task"] == tasks.SWEEP_TASK
    assert tasks.SWEEP_TASK in app.tasks
    Experiment.objects.filter(pk=a_rated_experiment(retention_days=1).pk).update(closed_at=NOW - timedelta(days=999))
    app.tasks[tasks.SWEEP_TASK]()
    assert not Experiment.objects.exists()


def test_the_housekeeper_goes_on_after_a_failure_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    twice, turns = threading.Event(), []

    def sweep() -> list[str]:
        turns.append(1)
        if len(turns) == 1:
            raise OperationalError("away")
        twice.set()
        return []

    monkeypatch.setattr(retention, "sweep", sweep)
    keeper = retention.Housekeeper(every_seconds=0.01)
    keeper.start()
    assert twice.wait(120)
    keeper.stop()
    assert not any(thread.name == "housekeeping" for thread in threading.enumerate())
