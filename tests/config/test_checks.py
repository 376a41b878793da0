"""Each misconfiguration that is looked for is found when it is planted, and a sound installation has none."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.checks import installation

BASE: dict[str, Any] = {"PUBLIC_URL": "https://rate.example.org", "BIND": "0.0.0.0:8000", "SCALED": True}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E001", {"DEBUG": True}),
    ("E001", {"DEBUG": True, "BIND": "127.0.0.1:8000"}),
    ("E001", {"DEBUG": True, "PUBLIC_URL": "http://127.0.0.1:8000", "SCALED": False}),
    ("E002", {"ALLOWED_HOSTS": ["rate.example.org", "*"]}),
    ("E003", {"TRUSTED_PROXIES": ["0.0.0.0/0"]}),
    ("E003", {"TRUSTED_PROXIES": ["10.0.0.7", "::/0"]}),
    ("E004", {"SECRET_KEY": "Xk29vQ"}),
    ("E004", {"SECRET_KEY": "ababababababababababababababababababababababab"}),
    ("E005", {"SECRET_KEY": "django-insecure-Xk29vQpLw8zRt5yUmNb3cVfGhJ7dSa"}),
    ("E005", {"SECRET_KEY": "CHANGEME-Xk29vQpLw8zRt5yUmNb3cVfGhJ7dSa12345"}),
    ("E006", {"SECRET_KEY": "k" * 8 + "Xk29vQpLw8zRt5yUmNb3cVfGhJ7dSa", "ENCRYPTION_KEYS": "other-" * 8 + ", SAME"}),
    ("E007", {"SCALED": False, "WEB_CONCURRENCY": 2}),
    ("E008", {"WEB_THREADS": 10_000_000}),
    ("E009", {"argv": ["celery", "worker", "--without-gossip", "--without-mingle"]}),
    ("E009", {"argv": ["celery", "worker", "--without-heartbeat"]}),
    ("W001", {"PUBLIC_URL": "http://rate.example.org"}),
    ("W002", {"ENDPOINT_HOSTS": ["10.0.0.0/8"]}),
    ("W002", {"ENDPOINT_HOSTS": ["models.internal", "0.0.0.0/0"]}),
    ("W003", {"EMAIL_URL": "smtp://user:pass@mail.example.org:25"}),
]
RIGHT: list[dict[str, Any]] = [
    {},
    {"DEBUG": True, "PUBLIC_URL": "http://127.0.0.1:8000", "BIND": "127.0.0.1:8000", "SCALED": False},
    {"DEBUG": True, "PUBLIC_URL": "http://localhost:8000", "BIND": "[::1]:8000", "SCALED": False},
    {"TRUSTED_PROXIES": ["10.0.0.0/24", "2001:db8::7"]},
    {"ENDPOINT_HOSTS": ["10.0.4.0/24", "models.internal", ":11434", "10.0.0.0/16"]},
    {"ENDPOINT_HOSTS": ["10.0.0.0/8"], "SCALED": False},
    {"WEB_CONCURRENCY": 4},
    {"argv": ["celery", "--app", "config.celery", "worker", "--concurrency", "2", "--pool", "prefork"]},
    *(
        {"EMAIL_URL": url}
        for url in ("smtp+tls://mail.example.org", "smtp+ssl://mail.example.org", "smtp://localhost:25")
    ),
]


@pytest.fixture(autouse=True)
def _no_words_of_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])


def found(settings: Any, changes: dict[str, Any]) -> list[str]:
    for name, value in {**BASE, **changes}.items():
        setattr(settings, name, value)
    sys.argv = changes.get("argv", sys.argv)
    if "SAME" in settings.ENCRYPTION_KEYS:
        settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS.replace("SAME", settings.SECRET_KEY)
    return [str(one.id).removeprefix("blindpair.") for one in installation()]


@pytest.mark.parametrize(("number", "changes"), WRONG)
def test_what_is_planted_is_found_and_nothing_else(settings: Any, number: str, changes: dict[str, Any]) -> None:
    assert found(settings, changes) == [number]
    assert all(one.hint for one in installation())


@pytest.mark.parametrize("changes", RIGHT)
def test_a_sound_installation_has_nothing_to_complain_of(settings: Any, changes: dict[str, Any]) -> None:
    assert found(settings, changes) == []


def test_every_check_has_a_planted_fault(checkout: Path) -> None:
    numbers = set(re.findall(r'"([EW]\d{3})"', (checkout / "config/checks.py").read_text()))
    assert numbers == {number for number, _ in WRONG}


def manage(checkout: Path, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, *words],
        cwd=checkout,
        env={**clean, "BLINDPAIR_DATA": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.mark.once
def test_a_dangerous_installation_does_not_start(checkout: Path, tmp_path: Path) -> None:
    planted = {"DEBUG": "1", "PUBLIC_URL": "http://rate.example.org"}
    up = manage(checkout, tmp_path, "manage.py", "up", "--port", "1", **planted)
    assert (up.returncode, up.stdout) == (1, "")
    assert "DEBUG is on" in up.stderr
    assert "Traceback" not in up.stderr
    wsgi = manage(checkout, tmp_path, "-c", "import config.wsgi", **planted)
    assert wsgi.returncode == 3  # gunicorn ends then, too
    assert "DEBUG is on" in wsgi.stderr
    doctor = manage(checkout, tmp_path, "manage.py", "doctor", **planted)
    assert "BAD  settings" in doctor.stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("word", "environment", "said"),
    [
        ("--without-gossip", {}, "A worker with --without-gossip often takes no task any more"),
        ("--beat", {"SECRET_KEY": "changeme-" * 6}, "SECRET_KEY is one that everybody knows"),
    ],
)
def test_a_dangerous_worker_does_not_start(
    checkout: Path, tmp_path: Path, word: str, environment: dict[str, str], said: str
) -> None:
    scaled = {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/b", "REDIS_URL": "redis://127.0.0.1:1/0"}
    keys = {"SECRET_KEY": "Xk29vQpLw8zRt5yUmNb3cVfGhJ7dSa12", "BLINDPAIR_ENCRYPTION_KEYS": "k" * 44}
    words = ("-m", "celery", "--app", "config.celery", "worker", word)
    worker = manage(checkout, tmp_path, *words, **{**scaled, **keys, **environment})
    assert worker.returncode == 1
    assert said in worker.stderr
    assert "Traceback" not in worker.stderr


@pytest.mark.once
def test_a_new_installation_on_loopback_lacks_nothing_but_tls(checkout: Path, tmp_path: Path) -> None:
    checked = manage(checkout, tmp_path, "manage.py", "check", "--deploy")
    assert checked.returncode == 0
    named = {line.split("(")[1].split(")")[0] for line in checked.stderr.splitlines() if line.startswith("?: (")}
    assert named == {"security.W004", "security.W008", "security.W012", "security.W016"}
