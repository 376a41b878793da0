"""What an operator sets wrongly is refused at the start, in a sentence that names the variable."""

import runpy
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

SCALED = {"DATABASE_URL": "postgres://u:p@127.0.0.1/b", "SECRET_KEY": "s" * 60, "BLINDPAIR_ENCRYPTION_KEYS": "k" * 44}
WRONG = [
    ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be text or json, not 'xml'"),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be"),
    ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN is too short"),
    ({"SENTRY_DSN": "https://key@sentry.example.org/1"}, "sentry-sdk is not installed: uv sync --extra sentry"),
    ({"PUBLIC_URL": "rate.example.org"}, "PUBLIC_URL must be an http or https address"),
    ({"REDIS_URL": "redis://127.0.0.1/0"}, "REDIS_URL is set but DATABASE_URL is not"),
    ({**SCALED, "DATABASE_URL": "mysql://u:p@127.0.0.1/b"}, "DATABASE_URL must be a postgres:// address"),
    ({"TRUSTED_PROXIES": "the proxy"}, "TRUSTED_PROXIES holds addresses and networks"),
    ({"WEB_THREADS": "many"}, "WEB_THREADS must be a whole number from 1 on, not 'many'"),
    ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number"),
    ({**SCALED, "DATABASE_POOL": "-1"}, "DATABASE_POOL must be a whole number"),
    ({"DATABASE_URL": SCALED["DATABASE_URL"], "SECRET_KEY": ""}, "SECRET_KEY"),
]


def settings_of(folder: Path, given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The settings as a process with this environment reads them."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BLINDPAIR_DATA", str(folder))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(Path(__file__).parents[2] / "config" / "settings.py"))


@pytest.mark.parametrize(("given", "said"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_nonsense_is_refused(given: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.sentry.find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(tmp_path, given, monkeypatch)
    assert said in str(refused.value)


def test_sense_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"LOG_FORMAT": "json", "LOG_LEVEL": "debug", "METRICS_TOKEN": "m" * 16, "DATABASE_POOL": "7"}
    found = settings_of(tmp_path, SCALED | given, monkeypatch)
    assert (found["LOG_FORMAT"], found["LOG_LEVEL"], found["METRICS_TOKEN"]) == ("json", "DEBUG", "m" * 16)
    databases = found["DATABASES"]
    assert isinstance(databases, dict)
    assert databases["default"]["OPTIONS"]["pool"]["max_size"] == 7


def test_every_variable_is_documented(checkout: Path) -> None:
    text = (checkout / "docs" / "operations.md").read_text()
    read = "".join(path.read_text() for path in (checkout / "config").glob("*.py"))
    named = ["BLINDPAIR_DATA", *SCALED, "REDIS_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "EMAIL_URL"]
    named += ["BLINDPAIR_ENDPOINT_HOSTS", "LOG_FORMAT", "LOG_LEVEL", "METRICS_TOKEN", "SENTRY_DSN", "DATABASE_POOL"]
    for name in [*named, "WEB_CONCURRENCY", "WEB_THREADS", "BIND", "EMAIL_FROM"]:
        assert f"`{name}" in text, name
        assert f'"{name}"' in read, name
