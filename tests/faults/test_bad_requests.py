"""Requests that nobody should send, over raw sockets to the real server: a clear answer, no fault, no leak, no wait."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.faults.bad_requests import CLOSED, Case, Seat, cases
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation, stop, wait_until_ready
from tests.needs import CHECKOUT
from tests.ratings.driving import fields_of
from tests.servers import free_port, postgres, redis_server

pytestmark = pytest.mark.processes
PATIENCE_SECONDS = 30.0  # a busy machine is no fault
FEWEST = 91
# What an answer never says, whatever was asked.
TELLTALES = ("Traceback", "Exception", str(CHECKOUT), "django", "sqlite", "psycopg", "DoesNotExist", "SECRET", "root:")
OWNER = """
import django, json
django.setup()
from accounts.models import User
from experiments.models import Experiment
from tests.factories import a_collected_experiment, a_rated_experiment
user = User.objects.create_superuser("owner@example.org", "correct horse battery")
draft, closed = a_collected_experiment(owner=user), a_rated_experiment(raters=2, inputs=2)
closed.owners.add(user)
print(json.dumps([draft.pk, closed.pk]))
"""


class Served:
    """A running installation, who sits where, and what its processes wrote."""

    def __init__(self, address: str, seat: Seat, log: Path) -> None:
        self.address, self.seat, self.log = address, seat, log

    def ask(self, raw: bytes) -> tuple[int, bytes]:
        """The status of the one answer (CLOSED for none), and all of its bytes; fails where nobody ends it."""
        host, port = self.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as wire:
            try:
                wire.sendall(raw)
                wire.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass  # it has heard enough
            answer = b""
            try:
                while part := wire.recv(65_536):
                    answer += part
            except ConnectionResetError:
                pass
        found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
        return (int(found[1]) if found else CLOSED), answer


@contextmanager
def served(installation: Installation, log: Path, *words: str) -> Iterator[str]:
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *(word.replace("PORT", str(port)) for word in words)],
            cwd=CHECKOUT,
            env=installation.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(process)


@pytest.fixture(scope="module", params=["embedded", "scaled"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product as it is started: `up` on SQLite, two gunicorn processes on Postgres."""
    folder = tmp_path_factory.mktemp(str(request.param))
    with ExitStack() as stack:
        extra, words = {}, ("manage.py", "up", "--port", "PORT")
        if request.param == "scaled":
            extra = {"DATABASE_URL": stack.enter_context(postgres()), "REDIS_URL": stack.enter_context(redis_server())}
            words = ("-m", "gunicorn", "-c", "config/gunicorn.py", "-b", "127.0.0.1:PORT", "config.wsgi")
        installation = Installation(folder, LOG_LEVEL="INFO", DJANGO_SETTINGS_MODULE="config.settings", **extra)
        [[link]] = set_up(installation, inputs=12, raters=1)
        made = subprocess.run(
            [sys.executable, "-c", OWNER],
            cwd=CHECKOUT,
            env=installation.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        draft, closed = json.loads(made.stdout.splitlines()[-1])
        address = stack.enter_context(served(installation, folder / "log", *words))
        yield Served(address, a_seat(address, link, draft, closed), folder / "log")


def a_seat(address: str, link: str, draft: int, closed: int) -> Seat:
    """A rater at the desk and an owner signed in, by way of the real pages."""
    with httpx.Client(base_url=address, follow_redirects=True) as rater, httpx.Client(base_url=address) as owner:
        rater.post(link, data={"csrfmiddlewaretoken": token_in(rater.get(link).text)})
        page = rater.get("/rate/").text
        fields = fields_of(page)
        given = {"email": "owner@example.org", "password": "correct horse battery"}
        entered = owner.post("/login/", data=given | {"csrfmiddlewaretoken": token_in(owner.get("/login/").text)})
        assert entered.status_code == 302
        return Seat(
            host=address.removeprefix("http://"),
            rater=cookies_of(rater),
            rater_csrf=token_in(page),
            owner=cookies_of(owner),
            owner_csrf=token_in(owner.get("/experiments/new/").text),
            link=link.removeprefix("/r/").strip("/"),
            assignment=fields["assignment"],
            key=fields["key"],
            draft=draft,
            closed=closed,
        )


def token_in(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found
    return found[1]


def cookies_of(client: httpx.Client) -> str:
    """The session first."""
    return "; ".join(f"{name}={client.cookies[name]}" for name in ("session", "csrf"))


def wrong_with(case: Case, status: int, answer: bytes) -> str:
    """Why this answer is not right, or nothing."""
    if status not in case.right:
        return f"{status}, not {case.right}"
    if answer.count(b"HTTP/1.1 ") > 1:
        return "two answers to one request"
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"evil.example" in head or b"\r\nSet-Cookie: a=b" in head:
        return "it leads elsewhere"
    told = [one for one in TELLTALES if one.encode() in body]
    return f"it tells {told}" if told else ""


def test_every_bad_request_gets_a_clear_answer(server: Served) -> None:
    corpus = cases(server.seat)
    assert len({case.name for case in corpus}) == len(corpus) >= FEWEST
    wrong = []
    for case in corpus:
        status, answer = server.ask(case.raw)
        if why := wrong_with(case, status, answer):
            wrong.append(f"{case.name}: {why}\n    {answer[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert httpx.get(f"{server.address}/readyz").json()["ready"]
    written = server.log.read_text(errors="replace")
    assert "Traceback" not in written
    assert server.seat.link not in written
    assert server.seat.rater_csrf not in written


def test_nothing_bad_was_counted_as_a_verdict(server: Served) -> None:
    for case in cases(server.seat):
        if case.name in {
            "an unknown verdict",
            "no verdict",
            "two verdicts",
            "a handle that is none",
            "1,500 fields",
            "a foreign origin",
        }:
            assert server.ask(case.raw)[0] in {400, 403}
    page = httpx.get(f"{server.address}/rate/", headers={"Cookie": server.seat.rater}).text
    assert fields_of(page)["assignment"]
    assert "<b>" in page
