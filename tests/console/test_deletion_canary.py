"""What was deleted is gone: from the tables, from the bytes of the database's files, from uploads and from logs."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Event, User
from backends.models import Endpoint
from console import retention, staging
from experiments.models import Experiment
from tests.backends.test_key_canary import everything_stored, files_of_the_database
from tests.factories import a_rated_experiment, an_endpoint

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "Quillfeather's most confidential request"
KEPT = {"slug", "secret_env"}  # the short name stays in the log; the other is no text of a customer
WRITTEN = {"input.messages", "output.text", "output.html", "completion.raw_text", "judgment.comment"}
FEWEST = 18


def texts_of(model: type[models.Model]) -> Iterator["models.Field[Any, Any]"]:
    """Every column that could hold what a customer or a rater wrote."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.TextField | models.JSONField) and field.name not in KEPT:
            yield field


def plant() -> tuple[Experiment, set[str]]:
    """A closed experiment with the canary in every text column that takes it, and a file not yet taken."""
    experiment = a_rated_experiment(raters=2, inputs=2, retention_days=1)
    staging.keep(experiment, [f"id,input\n1,{CANARY}\n".encode()])
    planted: set[str] = set()
    for model in apps.get_models():
        if model._meta.app_label not in {"experiments", "backends", "ratings", "reports"} or model is Endpoint:
            continue  # an endpoint is the site's, not the experiment's
        for field in texts_of(model):
            value: object = {"canary": CANARY} if isinstance(field, models.JSONField) else CANARY
            try:
                with transaction.atomic():
                    if model._default_manager.update(**{field.name: value}):
                        planted.add(f"{model._meta.model_name}.{field.name}")
            except DatabaseError:
                continue  # a constraint knows better
    return experiment, planted


def left() -> str:
    """Where the canary still is."""
    found = [
        name
        for name, data in {"rows": everything_stored(), "files": files_of_the_database()}.items()
        if CANARY.encode() in data
    ]
    for folder in (Path(settings.DATA_DIR), Path(settings.FILE_UPLOAD_TEMP_DIR)):
        found += [str(path) for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    return ", ".join(found)


def by_the_page(experiment: Experiment) -> None:
    owner = User.objects.create_user("owner@example.org")
    experiment.owners.add(owner)
    client = Client()
    client.force_login(owner)
    answer = client.post(f"/experiments/{experiment.pk}/delete/", {"slug": experiment.slug})
    assert answer.headers["Location"] == "/"


def by_the_command(experiment: Experiment) -> None:
    call_command("delete", experiment.slug)


def by_retention(experiment: Experiment) -> None:
    assert retention.sweep(timezone.now() + timedelta(days=3650)) == [experiment.slug]


@contextmanager
def somebody_reading() -> Iterator[None]:
    """Another connection in the middle of a read, which holds SQLite's write-ahead log open for half a second."""
    if connection.vendor != "sqlite":
        yield
        return
    with closing(sqlite3.connect(connection.settings_dict["NAME"], check_same_thread=False)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM experiments_input").fetchone()
        ended = threading.Timer(0.5, reader.rollback)
        ended.start()
        yield
        ended.join()


@pytest.mark.parametrize("delete", [by_the_page, by_the_command, by_retention])
def test_nothing_of_a_deleted_experiment_is_left(
    delete: Callable[[Experiment], None], caplog: pytest.LogCaptureFixture
) -> None:
    an_endpoint(name="stays")
    with caplog.at_level(logging.DEBUG):
        experiment, planted = plant()
        assert planted >= WRITTEN
        assert len(planted) >= FEWEST
        assert "rows" in left()  # the eyes can see
        with somebody_reading():
            delete(experiment)
    assert left() == ""
    assert Event.objects.filter(verb="deleted", object=f"experiment {experiment.slug}").count() == 1
    assert CANARY not in "\n".join(line for line in caplog.text.splitlines() if "UPDATE" not in line)
