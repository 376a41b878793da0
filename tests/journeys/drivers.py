"""How a journey drives the product from outside: processes by their commands, pages by HTTP, as a person would."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.needs import CHECKOUT
from tests.prepared import once
from tests.servers import free_port

PATIENCE_SECONDS = 180  # a busy machine is no fault
# What `up` does before it serves.
MAKE_READY = """
import django
django.setup()
from console.serving import make_ready
make_ready("127.0.0.1", 0)
"""


class CommandFailed(Exception):
    """A command ended with another exit code than 0."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        super().__init__(f"exit {result.returncode}: {result.stderr.strip()}")
        self.code = result.returncode
        self.line = result.stderr.strip()


# Compiled modules are kept: a test that starts ten servers would wait for the compiler ten times.
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE"}


class Installation:
    """One installation of the product in a data folder of its own, driven through its commands."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        ours = {"BLINDPAIR_DATA": str(folder / "var"), "LOG_LEVEL": "WARNING"}
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment = inherited | ours | environment

    def make_ready(self) -> None:
        """Tables and static files as `up` makes them, unless they are there: made once a run, then copied."""
        data = Path(self.environment["BLINDPAIR_DATA"])
        if (data / "staticfiles" / "staticfiles.json").exists():
            return
        made = once("installation", _make_installation)
        scaled = "DATABASE_URL" in self.environment
        left_out = ("blindpair.sqlite3*", "server.lock", "address") if scaled else ("server.lock", "address")
        shutil.copytree(made / "var", data, ignore=shutil.ignore_patterns(*left_out), dirs_exist_ok=True)
        if scaled and not _has_tables(self.environment["DATABASE_URL"]):
            self.run("migrate")

    def run(self, *arguments: str) -> str:
        """What the command printed; raises CommandFailed."""
        result = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS * 3,
            check=False,
        )
        if result.returncode:
            raise CommandFailed(result)
        return result.stdout

    def facts(self, *arguments: str) -> Any:
        """What the command printed with --json, read."""
        return json.loads(self.run(*arguments, "--json"))

    @contextmanager
    def serving(self, *command: str, said: Path | None = None) -> Iterator[str]:
        """The web server (`up` unless another command is given), as its address; `said`: a file for what it prints."""
        port = free_port()
        words = [word.replace("PORT", str(port)) for word in command] or ["manage.py", "up", "--port", str(port)]
        with self.running(*words, said=said):
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(f"{address}/readyz")
            yield address

    @contextmanager
    def running(self, *words: str, said: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """A long-lived process of this installation, stopped with its children at the end.

        `said`: a file for what it prints.
        """
        with ExitStack() as open_files:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=CHECKOUT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=open_files.enter_context(said.open("wb")) if said else None,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                stop(process)


def _make_installation(folder: Path) -> None:
    environment = Installation(folder).environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", MAKE_READY], cwd=CHECKOUT, env=environment, check=True)


def _has_tables(address: str) -> bool:
    with psycopg.connect(address) as connection:
        return connection.execute("SELECT to_regclass('django_migrations')").fetchone() != (None,)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process group politely, then firmly."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            continue
        break


def wait_until_ready(address: str) -> None:
    """Ask until the address answers 200."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if httpx.get(address, timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"{address} was not ready within {PATIENCE_SECONDS} s")
        time.sleep(0.1)


class Form(HTMLParser):
    """The form of a page with the given id (or its first): action, and the values of its fields."""

    def __init__(self, page: str, wanted: str | None = None) -> None:
        super().__init__()
        self.wanted, self.inside, self.found = wanted, False, False
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.found and (self.wanted is None or values.get("id") == self.wanted):
            self.inside = self.found = True
            self.action = values.get("action", "")
        elif self.inside and tag == "input" and values.get("name"):
            if values.get("type") not in {"radio", "checkbox"} or "checked" in values:
                self.fields[values["name"]] = values.get("value", "")
        elif self.inside and tag == "button" and values.get("name"):
            self.buttons.append((values["name"], values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


def form_on_the_desk(page: str) -> Form:
    """The pair to judge or the question after one, whichever is shown."""
    pair = Form(page, "pair")
    return pair if pair.found else Form(page, "guess")


class RaterBrowser:
    """A rater with scripts off: opens the personal link, then answers one form after the other."""

    def __init__(self, link: str) -> None:
        self.client = httpx.Client(follow_redirects=True, timeout=PATIENCE_SECONDS)
        landing = self.client.get(link)
        landing.raise_for_status()
        seated = self.client.post(link, data=Form(landing.text).fields, headers={"Referer": link})
        seated.raise_for_status()
        assert "/r/" not in str(seated.url), "the token is gone from the address"
        self.base = str(seated.url.copy_with(path="/", query=None)).rstrip("/")
        self.page = self.client.get(f"{self.base}/rate/")

    def pair(self) -> Form | None:
        """The form of the pair now shown; None when there is none."""
        form = Form(self.page.text, "pair")
        return form if form.found else None

    def answer(self, verdict: str, **more: str) -> None:
        """Press a verdict button of the pair now shown."""
        form = self.pair()
        assert form is not None, "no pair is shown"
        assert ("verdict", verdict) in form.buttons
        self.send("/rate/", form.fields | {"verdict": verdict} | more)

    def send(self, path: str, fields: Mapping[str, str]) -> None:
        """Post fields as the browser would, and show what comes back."""
        address = f"{self.base}{path}"
        self.page = self.client.post(address, data=dict(fields), headers={"Referer": f"{self.base}/rate/"})

    def rate_all(self, choose: Callable[[str], str], most: int = 1000) -> int:
        """Answer pairs (`choose` sees the page and says the verdict) until none is left; how many were answered."""
        for done in range(most):
            if self.pair() is None:
                return done
            self.answer(choose(self.page.text))
        raise AssertionError(f"still pairs after {most}")
