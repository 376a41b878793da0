"""A key that was entered is nowhere but in the one request it is for: not in rows, pages, files, logs or reports."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib import admin
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from accounts.models import User
from backends import bell, encryption
from backends.actions import start_collecting
from backends.collecting import drain_until_idle
from backends.encryption import encrypt
from backends.endpoints import place_of, target_of
from backends.models import Completion, Endpoint, System
from experiments.models import Experiment, Status
from reports import exports
from tests.accounts.test_permissions import MATRIX, address
from tests.backends.scenes import CHECKED
from tests.blinding.eyes import disguises
from tests.factories import a_rated_experiment, a_system, an_experiment
from tests.fakes.model_server import Asked, ModelServer, Reply, error_reply
from tests.servers import redis_server

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-canary-Zyxo9471quillfeather"
SHAPES = {shape for _, shape in disguises(KEY)}


def seen_in(data: bytes | str) -> set[bytes]:
    """The shapes of the key that are in it."""
    low = data.encode(errors="replace").lower() if isinstance(data, str) else data.lower()
    return {shape for shape in SHAPES if shape.lower() in low}


def everything_stored() -> bytes:
    """Every cell of every table; on SQLite the bytes of the files too."""
    with connection.cursor() as cursor:
        cells = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            cells.append(repr(cursor.fetchall()).encode())
    return b"\n".join(cells) + files_of_the_database()


def files_of_the_database() -> bytes:
    if connection.vendor != "sqlite":
        return b""
    name = Path(str(connection.settings_dict["NAME"]))
    return b"".join(path.read_bytes() for path in name.parent.glob(f"{name.name}*"))


class Blabbing:
    """A server that tells in its error the key it was given, and looks at what every process was started with."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.words = b""

    def __call__(self, asked: Asked) -> Reply:
        self.keys.append(asked.headers.get("authorization", asked.headers.get("Authorization", "")))
        self.words += b"".join(path.read_bytes() for path in command_lines())
        return error_reply(401, f"Incorrect API key provided: {KEY}. It ends in {KEY[-4:]}.")


def command_lines() -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        if os.access(folder / "cmdline", os.R_OK):
            yield folder / "cmdline"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("boss@example.org", is_staff=True, is_superuser=True))
    return client


def entered(boss: Client, server: ModelServer) -> Endpoint:
    """The key, typed into the page."""
    fields = {"name": "ours", "preset": "vllm", "dialect": "openai", "base_url": server.base_url, "secret": KEY}
    answer = boss.post("/endpoints/new/", fields | {"max_concurrency": 2})
    assert answer.status_code == 302, answer.content.decode()
    return Endpoint.objects.get()


def collected(endpoint: Endpoint) -> Experiment:
    """An experiment whose every call was refused with the key in the answer."""
    experiment = an_experiment(inputs=2, owner=User.objects.get())
    System.objects.filter(pk=a_system(experiment, "asked", endpoint=endpoint, model_id="m").pk).update(
        preflight=CHECKED
    )
    start_collecting(experiment=experiment)
    System.objects.update(preflight=CHECKED)
    drain_until_idle(experiment_id=experiment.pk)
    return experiment


def pages(boss: Client, experiment: Experiment, endpoint: Endpoint) -> Iterator[HttpResponse]:
    """Every page that can be read, and a few that answer forms."""
    for route, (_, methods) in MATRIX.items():
        if "GET" in methods and "<str:token>" not in route:
            pk = endpoint.pk if route.startswith("endpoints/") else experiment.pk
            yield boss.get(address(route, pk))  # type: ignore[misc]
    yield boss.post(f"/endpoints/{endpoint.pk}/test/")  # type: ignore[misc]
    yield boss.post(f"/endpoints/{endpoint.pk}/test/", headers={"HX-Request": "true"})  # type: ignore[misc]
    bad = {"name": "ours", "preset": "vllm", "dialect": "openai", "base_url": "no address", "secret": KEY}
    yield boss.post("/endpoints/new/", bad)  # type: ignore[misc]
    yield boss.post(f"/endpoints/{endpoint.pk}/", bad)  # type: ignore[misc]


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@contextmanager
def listening(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


def test_the_key_is_in_no_row_page_log_or_command_line(boss: Client, caplog: pytest.LogCaptureFixture) -> None:
    blabbing = Blabbing()
    with ModelServer(blabbing) as server, listening(caplog):
        endpoint = entered(boss, server)
        experiment = collected(endpoint)
        shown = [body(answer) for answer in pages(boss, experiment, endpoint)]
    assert f"Bearer {KEY}" in blabbing.keys  # it was really sent, and really told back
    assert Completion.objects.filter(state="failed").exists()
    assert len(shown) > 25
    for place, data in {
        "rows": everything_stored(),
        "pages": b"\n".join(shown),
        "logs": caplog.text,
        "command lines": blabbing.words,
        "repr": repr([endpoint, target_of(endpoint), vars(endpoint)]),
    }.items():
        assert not seen_in(data), f"{place} tell the key"


def test_the_key_is_in_no_report_and_no_export(boss: Client) -> None:
    with ModelServer(Blabbing()) as server:
        endpoint = entered(boss, server)
    experiment = a_rated_experiment(raters=1, inputs=2)
    System.objects.update(endpoint=endpoint)
    experiment.owners.add(User.objects.get())
    places = [f"exports/{name}/" for name in exports.FORMATS] + ["report.json", "report.md", "report.html", "report/"]
    for place in places:
        answer = boss.get(f"/experiments/{experiment.pk}/{place}")
        assert answer.status_code == 200, place
        assert not seen_in(body(answer)), place


def test_a_fault_with_the_key_in_hand_reports_no_variable(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    class Broken:
        def __init__(self, *args: object) -> None:
            raise RuntimeError("the cipher is away")

    endpoint = Endpoint.objects.create(name="ours", dialect="openai", base_url="http://127.0.0.1:9/v1")
    monkeypatch.setattr(encryption, "AESGCM", Broken)
    request = RequestFactory().post("/endpoints/new/", {"secret": KEY, "name": "ours"})
    for debug in (False, True):
        settings.DEBUG = debug
        try:
            encrypt(KEY, place_of(endpoint))
        except RuntimeError:
            reporter = ExceptionReporter(request, *sys.exc_info())
            told = reporter.get_traceback_html() + reporter.get_traceback_text()
        assert "the cipher is away" in told
        assert not seen_in(told)


def test_the_page_of_settings_opens_nothing(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = settings.SECRET_KEY = KEY
    settings.DATABASE_URL = settings.REDIS_URL = settings.EMAIL_URL = f"scheme://user:{KEY}@host/0"
    settings.CELERY_BROKER_URL = settings.DATABASE_URL
    told = ExceptionReporter(None, None, None, None).get_traceback_html()
    assert "ENCRYPTION_KEYS" in told
    assert not seen_in(told)


def test_no_page_of_the_admin_shows_endpoints() -> None:
    assert not [model for model in admin.site._registry if model._meta.app_label == "backends"]


def test_another_address_never_gets_the_key(boss: Client) -> None:
    with ModelServer(Blabbing()) as server, ModelServer(thief := Blabbing()) as other:
        endpoint = entered(boss, server)
        fields = {"name": "ours", "preset": "vllm", "dialect": "openai", "base_url": other.base_url}
        answer = boss.post(f"/endpoints/{endpoint.pk}/", fields | {"max_concurrency": 2, "secret": ""})
        boss.post(f"/endpoints/{endpoint.pk}/test/")
    assert re.search(r"again|key", answer.content.decode())
    assert answer.status_code == 200  # the key is asked for again
    Endpoint.objects.filter(pk=endpoint.pk).update(base_url=other.base_url)  # even behind the form's back
    assert "cannot be read for this address" in boss.post(f"/endpoints/{endpoint.pk}/test/").content.decode()
    assert thief.keys == []


def test_the_doorbell_carries_no_key(boss: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    with redis_server() as url, ModelServer(Blabbing()) as server:
        settings.REDIS_URL = url
        app = bell.app.__class__("canary", broker=url)
        monkeypatch.setattr(bell, "app", app)
        endpoint = entered(boss, server)
        experiment = an_experiment(inputs=2)
        a_system(experiment, "asked", endpoint=endpoint, model_id="m")
        start_collecting(experiment=experiment)
        with redis.Redis.from_url(url) as client:
            stored = b"".join(client.dump(key) or b"" for key in client.keys("*"))
        assert Experiment.objects.get().status == Status.COLLECTING
        assert not seen_in(stored)
