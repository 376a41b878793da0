"""What an operator sets wrongly is refused at the start, in a sentence that names the variable."""

import re
import runpy
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.checks import refuse_what_is_wrong
from tests.journeys.drivers import Installation

SCALED = {"DATABASE_URL": "postgres://u:p@127.0.0.1/b", "SECRET_KEY": "s" * 60, "BLINDPAIR_ENCRYPTION_KEYS": "k" * 44}
SECRET = "hunter2-is-said-nowhere"
# By variable: what nobody can mean, and what the sentence says.
WRONG: dict[str, list[tuple[str, str]]] = {
    "BLINDPAIR_DATA": [("/dev/null/here", "must be a folder that can be written to: /dev/null/here cannot be made")],
    "BLINDPAIR_HEARTBEAT": [
        (said, f"must be a file in a folder that can be written to, not {said!r}") for said in ("/nowhere/beat", "/")
    ],
    "DATABASE_URL": [
        ("nonsense", "must be an address like postgres://user:password@host:5432/blindpair"),
        (f"mysql://u:{SECRET}@127.0.0.1/b", "must be an address like postgres://"),
        (f"postgres://u:{SECRET}@127.0.0.1:many/b", "cannot be read as an address like postgres://"),
        (f"postgres://u:{SECRET}@[::1/b", "must be an address like"),
        (f"postgres://u:{SECRET}@127.0.0.1", "names no database"),
        ("postgres://u:p@127.0.0.1/my base", "must be an address like"),
    ],
    "REDIS_URL": [
        ("127.0.0.1:6379", "must be an address like redis://host:6379/0"),
        (f"http://:{SECRET}@127.0.0.1/0", "it may begin with redis://, rediss://, unix://"),
        (f"redis://:{SECRET}@127.0.0.1:sixty/0", "must end with a port and the number of a database"),
        ("redis://127.0.0.1/blindpair", "must end with a port and the number of a database"),
    ],
    "SECRET_KEY": [("short", "SECRET_KEY is too short or too even to be random")],
    "BLINDPAIR_ENCRYPTION_KEYS": [("short", "Key 1 of BLINDPAIR_ENCRYPTION_KEYS has 5 characters"), (",", "is empty")],
    "BIND": [(said, "must be an address and a port") for said in ("8000", "127.0.0.1:99999", "http://127.0.0.1:8000")],
    "PUBLIC_URL": [
        (said, "must be an http or https address without a path")
        for said in ("rate.example.org", "ftp://x", "https://", "https://x:many", "https://x/rating", "https://[::1")
    ]
    + [(f"https://u:{SECRET}@x", "holds a user name or a password: leave it out")],
    "ALLOWED_HOSTS": [
        (said, "holds host names without scheme and port")
        for said in ("https://x.example", "x.example:8000", "a b", "x.example/y")
    ],
    "TRUSTED_PROXIES": [("the proxy", "holds addresses and networks"), ("10.0.0.1/24", "has host bits set")],
    "BLINDPAIR_ENDPOINT_HOSTS": [
        ("http://10.0.0.7:8000", "is no host name, network (10.0.0.0/8) or port (:8000)"),
        (":0", "has no valid port; use 1 to 65535"),
        ("10.0.4.0/99", "is no host name, network"),
    ],
    **{
        name: [
            (said, f"must be a whole number from 1 on, not {said!r}") for said in ("many", "0", "-1", "2.5", "9" * 20)
        ]
        for name in ("WEB_CONCURRENCY", "WEB_THREADS", "DATABASE_POOL")
    },
    **{
        name: [(said, "must be a number of seconds from 0 to a day") for said in ("soon", "-1", "nan", "inf", "1e9")]
        for name in ("DATABASE_SILENCE", "SQLITE_PATIENCE")
    },
    **{name: [("perhaps", "must be one of 1, true, yes, on, 0, false")] for name in ("DEBUG", "SECURE_SSL_REDIRECT")},
    "EMAIL_URL": [
        ("mail.example.org", "must be an address like smtp+tls://user:password@host:587"),
        (f"imap://u:{SECRET}@mail.example.org", "it may begin with smtp://"),
        (f"smtp+tls://u:{SECRET}@mail.example.org:many", "cannot be read as an address like"),
        ("smtp://", "names no mail server"),
    ],
    "EMAIL_FROM": [("nobody", "must be a mail address, such as"), ("a@b\nBcc: c@d", "must be a mail address")],
    "LOG_FORMAT": [("xml", "must be one of text, json, not 'xml'")],
    "LOG_LEVEL": [("loud", "must be one of DEBUG, INFO")],
    "METRICS_TOKEN": [("short", "is too short to be a secret")],
    "SENTRY_DSN": [("https://sentry.example.org", "is no address of a Sentry project")],
}
BESIDE = {"REDIS_URL": SCALED, "DATABASE_URL": SCALED, "DATABASE_POOL": SCALED}
EVERY = [(name, said, sentence) for name, cases in WRONG.items() for said, sentence in cases]
DOORS = {
    "a command": ["manage.py", "status", "any"],
    "the web server": ["-m", "gunicorn", "--config", "config/gunicorn.py", "config.wsgi"],
    "the worker": ["-m", "celery", "--app", "config.celery", "worker"],
    "the clock of the worker": ["-m", "celery", "--app", "config.celery", "beat"],
}


def settings_of(folder: Path, given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The settings as a process with this environment reads them."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BLINDPAIR_DATA", str(folder))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(Path(__file__).parents[2] / "config" / "settings.py"))


@pytest.fixture
def started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[dict[str, str]], None]:
    """Reads the settings with such an environment, and looks at them as every start does."""

    def start(given: dict[str, str]) -> None:
        settings.SECRET_KEY = settings_of(tmp_path, given, monkeypatch)["SECRET_KEY"]
        refuse_what_is_wrong()

    return start


@pytest.mark.parametrize(("name", "value", "sentence"), EVERY)
def test_nonsense_is_refused_in_one_line_that_names_the_variable_and_no_secret(
    name: str, value: str, sentence: str, started_with: Callable[[dict[str, str]], None]
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        started_with(BESIDE.get(name, {}) | {name: value})
    said = str(refused.value)
    assert name in said
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert SECRET not in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"REDIS_URL": "redis://127.0.0.1/0"}, "REDIS_URL is set but DATABASE_URL is not"),
        ({"DATABASE_URL": SCALED["DATABASE_URL"], "SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({**SCALED, "BLINDPAIR_ENCRYPTION_KEYS": " "}, "BLINDPAIR_ENCRYPTION_KEYS is not set"),
    ],
)
def test_what_needs_another_variable_says_so(
    given: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        settings_of(tmp_path, given, monkeypatch)


def test_an_address_for_sentry_without_its_package_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.sentry.find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match="sentry-sdk is not installed: uv sync --extra sentry"):
        settings_of(tmp_path, {"SENTRY_DSN": "https://key@sentry.example.org/1"}, monkeypatch)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("name", ["WEB_THREADS", "BLINDPAIR_ENDPOINT_HOSTS"])
@pytest.mark.processes
def test_whatever_is_started_ends_with_one_line_and_no_traceback(
    door: list[str], name: str, tmp_path: Path, checkout: Path
) -> None:
    value, sentence = WRONG[name][0]
    environment = Installation(tmp_path, **{name: value}).environment
    ended = subprocess.run(
        [sys.executable, *door], cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("blindpair: ")
    assert name in ended.stderr
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.processes
def test_a_key_that_everybody_could_guess_ends_the_web_server_in_one_line_too(tmp_path: Path, checkout: Path) -> None:
    environment = Installation(tmp_path, SECRET_KEY="short").environment
    words = [sys.executable, *DOORS["the web server"]]
    ended = subprocess.run(
        words, cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 3
    assert len([line for line in ended.stderr.splitlines() if line.startswith("blindpair: SECRET_KEY")]) == 1
    assert "Traceback" not in ended.stderr


def test_sense_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"LOG_FORMAT": "json", "LOG_LEVEL": "debug", "METRICS_TOKEN": "m" * 16, "DATABASE_POOL": "7"}
    found = settings_of(tmp_path, SCALED | given, monkeypatch)
    assert (found["LOG_FORMAT"], found["LOG_LEVEL"], found["METRICS_TOKEN"]) == ("json", "DEBUG", "m" * 16)
    databases = found["DATABASES"]
    assert isinstance(databases, dict)
    assert databases["default"]["OPTIONS"]["pool"]["max_size"] == 7


def test_an_empty_variable_is_one_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = dict.fromkeys(set(WRONG) - {"BLINDPAIR_DATA"}, "")
    found = settings_of(tmp_path, empty, monkeypatch)
    assert (found["SCALED"], found["WEB_THREADS"], found["PUBLIC_URL"]) == (False, 16, "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://postgres:@/postgres?host=/tmp/somewhere"),
        ("DATABASE_URL", "postgres://u:p%40ss@one:5432,two:5433/b?sslmode=require"),
        ("REDIS_URL", "rediss://:word@redis.example.org:6380/3"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("BIND", "[::]:8000"),
        ("BIND", "unix:/run/blindpair.sock"),
        ("PUBLIC_URL", "https://rate.example.org:8443/"),
        ("ALLOWED_HOSTS", "rate.example.org, .example.org,[::1]"),
        ("BLINDPAIR_ENDPOINT_HOSTS", "models.internal,*.models.internal,10.0.4.0/24,:11434,[::1]:8000"),
        ("EMAIL_URL", "smtp+tls://user:pa%2Fss@mail.example.org"),
        ("EMAIL_FROM", "Ratings <rating@example.org>"),
        ("SQLITE_PATIENCE", "0.5"),
        ("DEBUG", "False"),
    ],
)
def test_what_makes_sense_is_taken(name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(tmp_path, BESIDE.get(name, {}) | {name: value}, monkeypatch)


def test_redis_is_a_doorbell_and_no_cache(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = settings_of(tmp_path, SCALED | {"REDIS_URL": "redis://127.0.0.1:6379/0"}, monkeypatch)
    assert [name for name, said in scaled.items() if "redis://" in str(said)] == ["REDIS_URL", "CELERY_BROKER_URL"]
    rooms = [path.parent for path in checkout.glob("*/__init__.py") if path.parent.name not in {"tests", "bench"}]
    sources = [source for room in rooms for source in room.rglob("*.py")]
    assert sources
    assert [source for source in sources if "django.core.cache" in source.read_text()] == []


def test_every_variable_that_is_read_is_documented_and_has_its_nonsense(checkout: Path) -> None:
    text = (checkout / "docs" / "operations.md").read_text()
    sources = [(checkout / "config" / name).read_text() for name in ("settings.py", "gunicorn.py")]
    read = set(re.findall(r'(?:environment\.\w+|read_or_make)\("([A-Z_]+)"', "".join(sources)))
    assert read == set(WRONG)
    assert [name for name in sorted(read) if f"`{name}`" not in text] == []


def test_a_new_data_folder_is_nobody_elses_to_look_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLINDPAIR_DATA", str(tmp_path / "new" / "data"))
    made = environment.folder("BLINDPAIR_DATA", tmp_path)
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    (tmp_path / "there").mkdir(mode=0o750)
    monkeypatch.setenv("BLINDPAIR_DATA", str(tmp_path / "there"))
    assert stat.S_IMODE(environment.folder("BLINDPAIR_DATA", tmp_path).stat().st_mode) == 0o750  # as its owner wants it


def test_cookies_are_bound_to_the_host_and_to_tls_where_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind_tls = settings_of(tmp_path, {"PUBLIC_URL": "https://rate.example.org"}, monkeypatch)
    for cookie in ("SESSION", "CSRF"):
        assert str(behind_tls[f"{cookie}_COOKIE_NAME"]).startswith("__Host-")
        assert behind_tls[f"{cookie}_COOKIE_SECURE"] is behind_tls[f"{cookie}_COOKIE_HTTPONLY"] is True
        assert not {f"{cookie}_COOKIE_DOMAIN", f"{cookie}_COOKIE_PATH"} & set(
            behind_tls
        )  # a browser refuses them there
    assert behind_tls["SECURE_SSL_REDIRECT"] is True
    assert behind_tls["SECURE_HSTS_SECONDS"] == 365 * 24 * 3600
    on_loopback = settings_of(tmp_path, {"PUBLIC_URL": "http://127.0.0.1:8000"}, monkeypatch)
    assert (on_loopback["SESSION_COOKIE_NAME"], on_loopback["SESSION_COOKIE_SECURE"]) == ("session", False)
