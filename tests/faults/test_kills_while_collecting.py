"""Real processes killed in the middle of collecting: every row ends exactly once, and nothing saved is asked again."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.command import INTERRUPTED
from tests.fakes.model_server import Asked, ModelServer, Reply, Until, answers, chunk, stream
from tests.faults.killable import SECRETS, Postgres, Redis, Worker, folders, started
from tests.servers import free_port

pytestmark = pytest.mark.processes
CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 180.0  # a busy machine is no fault
INPUTS, CONCURRENCY = 24, 4


def slowly(asked: Asked) -> Reply:
    """Slow enough to be killed in the middle."""
    return answers(f"You said: {asked.prompt}", ttft=0.15)


def held_after(number: int, gate: threading.Event) -> Callable[[Asked], Reply]:
    """Answers so many questions; the others wait for the gate, so that whoever asks is met in the middle of it."""
    asked_for = count(1)

    def script(asked: Asked) -> Reply:
        if not asked.prompt.startswith("Question") or next(asked_for) <= number:
            return slowly(asked)
        return stream(
            chunk("", role="assistant"), Until(gate), chunk(f"You said: {asked.prompt}"), chunk(finish="stop")
        )

    return script


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
        self.asked: Counter[str] = Counter()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
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
        """How often each input was asked for, of this backend and those before it."""
        now = Counter(one.prompt for one in self.server.posts if one.prompt.startswith("Question"))
        return self.asked + now

    def restart_backend(self) -> None:
        """Its calls break off; after a moment it listens again where it was."""
        port, self.asked = self.server.port, self.questions()
        self.server.close()
        time.sleep(0.5)
        self.server = ModelServer(slowly, port=port).__enter__()

    def saved(self) -> set[str]:
        """The answers that are stored."""
        return {text for (text,) in self.query("SELECT raw_text FROM backends_completion WHERE state = 'done'")}

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
            process.wait(PATIENCE_SECONDS)


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
            made.server.close()


def test_collect_killed_twice_and_started_again_asks_nothing_saved_again(tmp_path: Path, template: Path) -> None:
    with installed(tmp_path, template) as here:
        for enough in (5, 13):
            process = here.begin("manage.py", "collect", "killed", "--wait")
            until(lambda: here.done() >= enough)  # noqa: B023 - called at once
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_SECONDS)
            saved = here.saved()
            here.let_leases_run_out()
        before = here.questions()
        ended = here.command("collect", "killed", "--wait", "--json")
        assert ended.returncode == 0, ended.stderr
        facts = json.loads(ended.stdout)
        assert facts["completions"] == {"done": 2 * INPUTS, "failed": 0, "pending": 0, "running": 0}
        assert facts["failures"] == []
        again = {f"You said: {question}" for question in here.questions() - before}
        assert not again & saved
        here.check(kills=2)


def test_collect_told_to_stop_lets_its_calls_end_and_leaves_no_lease(tmp_path: Path, template: Path) -> None:
    gate = threading.Event()
    with installed(tmp_path, template) as here:
        here.server.script = held_after(8, gate)
        process = here.begin("manage.py", "collect", "killed", "--wait")
        until(lambda: sum(here.questions().values()) == 8 + CONCURRENCY)
        before = here.questions()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)  # what is under way comes to its end only after the signal
        gate.set()
        assert process.wait(PATIENCE_SECONDS) == INTERRUPTED
        assert here.states() == {"done": 8 + CONCURRENCY, "pending": INPUTS - 8 - CONCURRENCY}
        assert here.questions() == before, "nothing new was taken"


def test_the_web_process_killed_and_asked_to_stop_loses_and_pays_for_nothing_twice(
    tmp_path: Path, template: Path
) -> None:
    gate = threading.Event()
    with installed(tmp_path, template) as here:
        here.server.script = held_after(8, gate)
        web = here.begin("manage.py", "up", "--port", str(free_port()))
        until((tmp_path / "server.lock").exists)
        begun = here.command("collect", "killed", "--json")
        assert begun.returncode == 0, begun.stderr
        until(lambda: here.done() >= 5)
        children = subprocess.run(["pgrep", "-P", str(web.pid)], capture_output=True, text=True, check=False).stdout
        for pid in [*children.split(), web.pid]:
            os.kill(int(pid), signal.SIGKILL)
        web.wait(PATIENCE_SECONDS)
        here.let_leases_run_out()
        here.server.script = held_after(8, gate)
        again = here.begin("manage.py", "up", "--port", str(free_port()))
        until(lambda: here.done() >= 12 and here.states().get("running", 0) == CONCURRENCY)
        saved, before = here.done(), here.questions()
        again.terminate()
        time.sleep(0.3)  # what is under way comes to its end only after the signal
        gate.set()
        assert again.wait(PATIENCE_SECONDS) == 0
        states = here.states()
        assert "running" not in states
        under_way = sum((here.questions() - before).values()) + CONCURRENCY
        assert states.get("done", 0) - saved <= under_way, "what was asked is saved, or waits again"
        ended = here.command("collect", "killed", "--wait")
        assert ended.returncode == 0, ended.stderr
        here.check(kills=1)  # the orderly stop has cost no call


@pytest.mark.postgres
@pytest.mark.redis
def test_worker_broker_database_and_backend_killed_in_turn_end_with_every_row_once() -> None:
    with folders("app", "database", "broker") as (app, database, broker_folder):
        database_server, broker = Postgres(database), Redis(broker_folder)
        scaled = {"DATABASE_URL": database_server.url, "REDIS_URL": broker.url, "BLINDPAIR_ENDPOINT_HOSTS": "127.0.0.1"}
        with started(database_server, broker), installed(app, **scaled, **SECRETS) as here:
            workers = [Worker(here, name) for name in ("one", "two")]
            with started(*workers):
                here.command("collect", "killed")
                until(lambda: here.done() >= 4)
                workers[0].kill()
                here.let_leases_run_out()  # also of the living one: its late answers are discarded, not doubled
                until(lambda: here.done() >= 8)
                broker.kill()
                until(lambda: here.done() >= 12)
                broker.start()
                database_server.kill()
                database_server.start()
                here.let_leases_run_out()
                until(lambda: here.done() >= 16)
                workers[0].start()
                saved, before = here.saved(), here.questions()
                here.restart_backend()
                until(lambda: here.states() == {"done": INPUTS})
            again = {f"You said: {question}" for question in here.questions() - before}
            assert not again & saved
            here.check(kills=4)
