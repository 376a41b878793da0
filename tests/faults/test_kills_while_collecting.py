"""Real processes killed in the middle of collecting: every row ends exactly once, and nothing saved is asked again."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.fakes.model_server import Asked, ModelServer, Reply, answers
from tests.servers import free_port, postgres, redis_server

pytestmark = pytest.mark.processes
CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 150.0  # a busy machine is no fault
INPUTS, CONCURRENCY = 24, 4


def slowly(asked: Asked) -> Reply:
    """Slow enough to be killed in the middle."""
    return answers(f"You said: {asked.prompt}", ttft=0.15)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


class Installation:
    """A data folder (or a Postgres) with an experiment in it, and the processes that work on it."""

    def __init__(self, folder: Path, server: ModelServer, **environment: str) -> None:
        self.folder, self.server = folder, server
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.environment = {**kept, "BLINDPAIR_DATA": str(folder), "LOG_LEVEL": "WARNING", **environment}
        self.processes: list[subprocess.Popen[str]] = []

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a process."""
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=CHECKOUT,
            env=self.environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("a"),
        )
        self.processes.append(process)
        return process

    def add(self) -> None:
        """Two systems, one of them at the server and one recorded."""
        migrated = self.command("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        lines = [json.dumps({"id": f"in{n}", "input": f"Question number {n}?"}) for n in range(INPUTS)]
        (self.folder / "inputs.jsonl").write_text("\n".join(lines))
        recorded = [json.dumps({"id": f"in{n}", "output": f"Recorded {n}."}) for n in range(INPUTS)]
        (self.folder / "recorded.jsonl").write_text("\n".join(recorded))
        (self.folder / "e.toml").write_text(
            'title = "Killed"\nbaseline = "recorded"\ninputs = "inputs.jsonl"\n'
            f'[endpoints.local]\ndialect = "openai"\npreset = "vllm"\nbase_url = "{self.server.base_url}"\n'
            f'[systems.asked]\nendpoint = "local"\nmodel = "fake"\nconcurrency = {CONCURRENCY}\n'
            '[systems.recorded]\noutputs = "recorded.jsonl"\n'
        )
        added = self.command("add_experiment", str(self.folder / "e.toml"), "--json")
        assert added.returncode == 0, added.stderr

    def questions(self) -> Counter[str]:
        return Counter(one.prompt for one in self.server.posts if one.prompt.startswith("Question"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        if url := self.environment.get("DATABASE_URL"):
            with psycopg.connect(url, autocommit=True) as connection:
                cursor = connection.execute(sql)
                return list(cursor.fetchall()) if cursor.description else []
        with closing(sqlite3.connect(self.folder / "blindpair.sqlite3", timeout=20)) as connection, connection:
            return list(connection.execute(sql).fetchall())

    def states(self) -> dict[str, int]:
        sql = "SELECT state, count(*) FROM backends_completion WHERE raw_text NOT LIKE 'Recorded%' GROUP BY state"
        return dict(self.query(sql))

    def done(self) -> int:
        return self.states().get("done", 0)

    def let_leases_run_out(self) -> None:
        """What waiting for half a minute would do."""
        self.query("UPDATE backends_completion SET lease_until = '2020-01-01' WHERE state = 'running'")

    def check(self, kills: int) -> None:
        """Every row once, every saved answer asked once but for what the kills cut short."""
        assert self.states() == {"done": INPUTS}
        (outputs,) = self.query("SELECT count(*) FROM experiments_output WHERE text LIKE 'You said:%'")
        assert outputs == (INPUTS,)
        asked = self.questions()
        assert len(asked) == INPUTS
        assert sum(asked.values()) - INPUTS <= CONCURRENCY * kills, "more was asked again than was under way"

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the experiment in it: starting commands is what takes long here."""
    folder = tmp_path_factory.mktemp("template")
    with ModelServer(slowly) as server:
        Installation(folder, server).add()
    return folder


@contextmanager
def installed(folder: Path, template: Path | None = None, **environment: str) -> Iterator[Installation]:
    with ModelServer(slowly) as server:
        made = Installation(folder, server, **environment)
        try:
            if template:
                shutil.copytree(template, folder, dirs_exist_ok=True)
                made.query(f"UPDATE backends_endpoint SET base_url = '{server.base_url}'")
            else:
                made.add()
            yield made
        finally:
            made.end()


def test_collect_killed_twice_and_started_again_asks_nothing_saved_again(tmp_path: Path, template: Path) -> None:
    with installed(tmp_path, template) as here:
        for enough in (5, 13):
            process = here.begin("manage.py", "collect", "killed", "--wait")
            until(lambda: here.done() >= enough)  # noqa: B023 - called at once
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            saved = set(here.query("SELECT raw_text FROM backends_completion WHERE state = 'done'"))
            here.let_leases_run_out()
        before = here.questions()
        ended = here.command("collect", "killed", "--wait", "--json")
        assert ended.returncode == 0, ended.stderr
        facts = json.loads(ended.stdout)
        assert facts["completions"] == {"done": 2 * INPUTS, "failed": 0, "pending": 0, "running": 0}
        assert facts["failures"] == []
        again = {f"You said: {question}" for question in here.questions() - before}
        assert not again & {text for (text,) in saved}
        here.check(kills=2)


def test_the_web_process_killed_and_started_again_finishes_and_stops_cleanly(tmp_path: Path, template: Path) -> None:
    port = free_port()
    with installed(tmp_path, template) as here:
        web = here.begin("manage.py", "up", "--port", str(port))
        until((tmp_path / "server.lock").exists)
        started = here.command("collect", "killed", "--json")
        assert started.returncode == 0, started.stderr
        until(lambda: here.done() >= 5)
        children = subprocess.run(["pgrep", "-P", str(web.pid)], capture_output=True, text=True, check=False).stdout
        for pid in [*children.split(), web.pid]:
            os.kill(int(pid), signal.SIGKILL)
        web.wait(10)
        here.let_leases_run_out()
        again = here.begin("manage.py", "up", "--port", str(port))
        until(lambda: here.done() == INPUTS)
        here.check(kills=1)
        began = time.monotonic()
        again.terminate()
        assert again.wait(25) == 0
        assert time.monotonic() - began < 20


def test_a_web_process_that_is_asked_to_stop_gives_back_or_finishes_its_rows(tmp_path: Path, template: Path) -> None:
    with installed(tmp_path, template) as here:
        here.server.script = lambda asked: answers("You said: " + asked.prompt, ttft=0.6)
        web = here.begin("manage.py", "up", "--port", str(free_port()))
        until((tmp_path / "server.lock").exists)
        here.command("collect", "killed")
        until(lambda: here.states().get("running", 0) == CONCURRENCY)
        web.terminate()
        assert web.wait(25) == 0
        states = here.states()
        assert "running" not in states
        assert sum(states.values()) == INPUTS
        asked = sum(here.questions().values())
        assert asked == states.get("done", 0), "no answer was paid for and thrown away"


@pytest.mark.postgres
@pytest.mark.redis
def test_workers_killed_and_a_broker_gone_end_with_every_row_once(tmp_path: Path) -> None:
    with postgres() as url, redis_server() as broker:
        scaled = {
            "DATABASE_URL": url,
            "REDIS_URL": broker,
            "SECRET_KEY": "s" * 60,
            "BLINDPAIR_ENCRYPTION_KEYS": "k" * 40,
            "BLINDPAIR_ENDPOINT_HOSTS": "127.0.0.1",
        }
        with installed(tmp_path, **scaled) as here:
            words = ["-m", "celery", "--app", "config.celery", "worker", "--pool", "prefork", "--concurrency", "1"]
            workers = [here.begin(*words, "--hostname", f"w{number}@here") for number in (1, 2)]
            here.command("collect", "killed")
            until(lambda: here.done() >= 5)
            workers[0].send_signal(signal.SIGKILL)
            here.let_leases_run_out()  # also of the living one: its late answers are discarded, not doubled
            until(lambda: here.done() >= 10)
            workers[1].terminate()
            workers[1].wait(30)
            here.let_leases_run_out()
            here.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
            ended = here.command("collect", "killed", "--wait")
            assert ended.returncode == 0, ended.stderr
            here.check(kills=2)
