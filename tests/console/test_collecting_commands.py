"""The commands around collecting: what they print, and how they end."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backends.models import Completion, LoadRun, System
from tests.backends.scenes import an_asked_experiment, questions
from tests.fakes.model_server import ModelServer, answers, echoes, error_reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def facts(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def test_collect_puts_rows_in_line_for_the_server() -> None:
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server, inputs=3)
        found = facts("collect", experiment.slug)
        assert server.posts == []
    assert found["status"] == "collecting"
    assert found["completions"] == {"done": 0, "failed": 0, "pending": 3, "running": 0}


def test_collect_wait_fetches_everything_in_this_process() -> None:
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server, inputs=3)
        found = facts("collect", experiment.slug, "--wait")
    assert found == {
        "status": "collecting",
        "completions": {"done": 3, "failed": 0, "pending": 0, "running": 0},
        "failures": [],
        "judgments": {"done": 0, "wanted": 0},
    }


def test_collect_wait_ends_with_one_where_an_answer_failed_for_good() -> None:
    bad = error_reply(400, "That is no request.")
    with ModelServer(lambda asked: bad if "number 2?" in asked.prompt else echoes(asked)) as server:
        experiment = an_asked_experiment(server, inputs=3)
        out = StringIO()
        with pytest.raises(CommandError) as refusal:
            call_command("collect", experiment.slug, "--wait", "--json", stdout=out, stderr=StringIO())
        assert refusal.value.returncode == 1
        found = json.loads(out.getvalue())
        assert found["completions"] == {"done": 2, "failed": 1, "pending": 0, "running": 0}
        (failure,) = found["failures"]
        assert (failure["system"], failure["input"], failure["kind"]) == ("system-1", "in2", "bad_request")
        assert "That is no request." in failure["sentence"]
        server.script = echoes
        found = facts("collect", experiment.slug, "--wait", "--retry-failed")
    assert found["completions"]["done"] == 3
    assert len(questions(server)) == 4


def test_collect_wait_against_a_dead_server_ends_soon_with_its_sentence() -> None:
    experiment = an_asked_experiment("http://127.0.0.1:9/v1")
    with pytest.raises(CommandError, match="could not be reached"):
        run("collect", experiment.slug, "--wait")


def test_pause_resume_and_cancel_say_what_they_did() -> None:
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server, inputs=3, systems=2)
        run("collect", experiment.slug)
        assert facts("pause", experiment.slug, "--system", "system-1")["paused"] == 1
        assert System.objects.get(name="system-1").paused_at is not None
        assert facts("resume", experiment.slug)["waiting"] == 6
        assert facts("cancel", experiment.slug, "--system", "system-2")["cancelled"] == 3
        assert Completion.objects.filter(failure_kind="cancelled").count() == 3


def test_an_unknown_system_is_one_clear_line() -> None:
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server)
        for command in ("pause", "resume", "cancel"):
            with pytest.raises(CommandError, match=r"no system 'nobody'\. It has: system-1"):
                run(command, experiment.slug, "--system", "nobody")


def test_load_prints_a_line_a_level_and_stores_it() -> None:
    with ModelServer(answers("Yes.")) as server:
        experiment = an_asked_experiment(server)
        found = facts("load", experiment.slug, "system-1", "--concurrency", "1,2", "--requests", "4")
        assert "answers/s" in run("load", experiment.slug, "system-1", "--concurrency", "1", "--requests", "2")
    assert [(one["concurrency"], one["requests"], one["failed"]) for one in found] == [(1, 4, 0), (2, 4, 0)]
    assert LoadRun.objects.count() == 3


def test_load_refuses_what_is_no_number() -> None:
    with ModelServer(echoes) as server, pytest.raises(CommandError, match="takes numbers such as 1,2,4,8"):
        run("load", an_asked_experiment(server).slug, "system-1", "--concurrency", "many")
