"""Every answer, whatever it is, carries the headers that keep it to this site and out of caches."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config.headers import POLICY, TYPES
from tests.factories import a_rating_experiment
from tests.ratings.driving import a_seated_client

pytestmark = pytest.mark.django_db
PATHS = [
    ("/login/", 200),
    ("/", 302),
    ("/healthz", 200),
    ("/nothing/here/", 404),
    ("/rate/", 404),
    ("/r/unknown/", 404),
    ("/welcome/unknown/", 404),
    ("/logout/", 405),
    ("/admin/", 302),
    ("/static/nothing.js", 404),
]


@pytest.mark.parametrize(("path", "status"), PATHS)
def test_every_answer_has_all_of_them(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    headers = answer.headers
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert headers["X-Content-Type-Options"] == "nosniff"
    secret = path.startswith(("/r/", "/welcome/"))
    assert headers["Referrer-Policy"] == ("strict-origin" if secret else "same-origin")
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    features = headers["Permissions-Policy"].split(", ")
    assert {f"{name}=()" for name in ("camera", "microphone", "geolocation", "clipboard-read", "usb")} <= set(features)
    assert len(features) >= 25
    assert all(one.endswith("=()") for one in features)
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_static_files_are_for_our_own_pages(settings: Any, tmp_path: Path) -> None:
    """A page of another site that may read them finds out that somebody runs this here, and which version."""
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path, False
    (tmp_path / "style.css").write_text("p {}")
    answer = Client().get("/static/style.css", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_errors_have_them_too(client: Client) -> None:
    for answer in (
        client.get("/login/", headers={"Host": "evil.example"}),
        client.post("/login/", headers={"Origin": "https://evil.example"}),
        Client(enforce_csrf_checks=True).post("/login/"),
    ):
        assert answer.status_code in {400, 403}
        assert answer.headers["Content-Security-Policy"] == POLICY + TYPES
        assert answer.headers["Cache-Control"] == "no-store"


def test_pages_are_never_stored() -> None:
    client = a_seated_client(a_rating_experiment())
    for path in ("/rate/", "/login/", "/nothing/", "/rate/done/"):
        assert "no-store" in client.get(path).headers["Cache-Control"], path


def test_nothing_unsafe_is_ever_allowed() -> None:
    assert "unsafe" not in POLICY + TYPES
    assert "*" not in POLICY
    assert "http" not in POLICY
    for directive in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in POLICY
    assert "require-trusted-types-for 'script'" in TYPES


def test_encrypted_answers_say_that_they_always_are(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 3600
    assert "max-age=3600" in client.get("/login/", secure=True).headers["Strict-Transport-Security"]
