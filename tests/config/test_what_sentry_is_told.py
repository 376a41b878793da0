"""The real kit of Sentry in the real server: faults arrive, and nothing of what people wrote or may keep secret."""

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.model_server import ModelServer
from tests.fakes.sink import Sink, listening
from tests.faults.asked import polite
from tests.faults.assault import rows
from tests.faults.killable import Web, folders, started, until
from tests.faults.owners import make_owner, sign_in
from tests.faults.scene import set_up
from tests.journeys.drivers import Form, Installation, RaterBrowser

pytestmark = pytest.mark.processes
COMMENT = "Quillfeather thinks that this answer is rude"
PASSWORD, EMAIL = "correct-horse-battery-of-a-canary", "canary@example.org"
TYPED_KEY = "sk-typed-0123456789abcdef0123456789abcdef"
KEY = "sk-canary-0123456789abcdef0123456789abcdef"
ASKED = """
title = "Asked"
inputs = "inputs.jsonl"
baseline = "old"
[endpoints.local]
dialect = "openai"
preset = "vllm"
base_url = "{address}"
secret_env = "A_KEY"
[systems.new]
endpoint = "local"
model = "fake"
[systems.old]
outputs = "old.jsonl"
"""
NOT_KEPT = "CREATE TRIGGER planted BEFORE UPDATE ON backends_completion WHEN NEW.state = 'done' BEGIN SELECT"
NOT_KEPT += " RAISE(ABORT, 'a fault that was planted'); END"


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Sink, list[str]]]:
    """What a server told after faults in a vote, in signing in, on a personal link and while answers were collected;
    and the secrets that passed through."""
    with folders("here") as (folder,), listening() as sink, ModelServer(polite) as server:
        here = Installation(folder, SENTRY_DSN=sink.address, A_KEY=KEY)
        ((link, other),) = set_up(here, inputs=2, raters=2)
        (folder / "inputs.jsonl").write_text('{"id": "one", "input": "Hello?"}')
        (folder / "old.jsonl").write_text('{"id": "one", "output": "Hello."}')
        (folder / "asked.toml").write_text(ASKED.format(address=server.base_url))
        here.run("add_experiment", str(folder / "asked.toml"))
        make_owner(here)
        web = Web(here)
        with started(web):
            rows(here, NOT_KEPT)
            here.run("collect", "asked")
            until(lambda: bool(sink.events))
            rater = RaterBrowser(web.address + link)
            pair = rater.pair()
            assert pair is not None
            rows(here, "ALTER TABLE ratings_judgment RENAME TO gone_judgment")
            rater.send("/rate/", pair.fields | {"verdict": "left", "comment": COMMENT})
            assert rater.page.status_code >= 500
            with httpx.Client(base_url=web.address, timeout=60) as owner:
                assert sign_in(owner).status_code == 302
                new = Form(owner.get("/endpoints/new/").text).fields | {"name": "another", "secret": TYPED_KEY}
                rows(here, "ALTER TABLE backends_endpoint RENAME TO gone_endpoint")
                asked = {"preset": "vllm", "dialect": "openai", "base_url": server.base_url, "max_concurrency": "2"}
                assert owner.post("/endpoints/new/", data=new | asked).status_code >= 500
            rows(here, "ALTER TABLE accounts_try RENAME TO gone_try")
            login = rater.client.get(f"{web.address}/login/")
            given = Form(login.text).fields | {"email": EMAIL, "password": PASSWORD}
            assert rater.client.post(f"{web.address}/login/?next=/{COMMENT}", data=given).status_code >= 500
            rows(here, "ALTER TABLE ratings_rater RENAME TO gone_rater")
            assert rater.client.get(f"{web.address}{other}").status_code >= 500
            until(lambda: len({event.get("transaction") for event in sink.events}) >= 5)
        cookies = [value for value in rater.client.cookies.values() if value]
        tokens = [one.removeprefix("/r/").strip("/") for one in (link, other)]
        yield (
            sink,
            [
                COMMENT,
                PASSWORD,
                EMAIL,
                KEY,
                TYPED_KEY,
                *cookies,
                *tokens,
                pair.fields["key"],
                pair.fields["assignment"],
            ],
        )


def test_each_fault_arrives_with_its_kind_and_its_lines_of_code(told: tuple[Sink, list[str]]) -> None:
    frames = [
        frame
        for event in told[0].events
        for error in event["exception"]["values"]
        for frame in error["stacktrace"]["frames"]
    ]
    assert "OperationalError" in {error["type"] for event in told[0].events for error in event["exception"]["values"]}
    assert {"ratings.desk", "accounts.throttling", "backends.actions"} <= {frame.get("module") for frame in frames}
    assert all(set(frame) <= {"filename", "function", "module", "lineno", "in_app"} for frame in frames)


def test_no_body_no_token_no_password_and_no_key_is_told(told: tuple[Sink, list[str]]) -> None:
    everything = "\n".join(told[0].envelopes)
    assert [secret for secret in told[1] if secret in everything] == []
    for event in told[0].events:
        assert not set(event) & {"request", "user", "extra", "breadcrumbs", "logentry", "message", "tags", "modules"}
        assert not any("value" in error for error in event["exception"]["values"])
