"""Whose address counts: what a proxy says is believed where the proxy is trusted, and only for the step it saw."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts.models import Event
from config.visitors import client_address, networks, prefix
from tests.factories import a_user

PROXIES = networks(("10.0.0.7", "172.16.0.0/12", "2001:db8::/64"))


@pytest.mark.parametrize(
    ("remote", "forwarded", "counts"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody's word
        ("10.0.0.7", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "1.2.3.4, 198.51.100.1", "198.51.100.1"),  # the visitor wrote the first one
        ("10.0.0.7", "1.2.3.4, 198.51.100.1, 172.20.0.3", "198.51.100.1"),
        ("10.0.0.7", "10.0.0.7", "10.0.0.7"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("10.0.0.7", "nonsense", "10.0.0.7"),
        ("10.0.0.7", "1.2.3.4, nonsense, 172.20.0.3", "172.20.0.3"),
        ("10.0.0.7", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.7", "[2001:db8:9::1]:4711", "2001:db8:9::1"),
        ("2001:db8::5", "2001:db8:9::1", "2001:db8:9::1"),
        ("::ffff:10.0.0.7", "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
        ("10.0.0.8", "198.51.100.1", "10.0.0.8"),
    ],
)
def test_the_nearest_address_that_no_trusted_proxy_stands_for(remote: str, forwarded: str, counts: str) -> None:
    assert client_address(remote, forwarded, PROXIES) == counts


def test_a_prefix_tells_an_office_and_no_person() -> None:
    assert prefix("203.0.113.77") == "203.0.113.0/24"
    assert prefix("2001:db8:1:2:3:4:5:6") == "2001:db8:1::/48"
    assert prefix("::ffff:203.0.113.77") == "203.0.113.0/24"
    assert prefix("") == prefix("unix:") == ""


def failed_from(client: Client, **extra: Any) -> str:
    client.post("/login/", {"email": "owner@example.org", "password": "wrong"}, **extra)
    return Event.objects.filter(verb="failed to sign in").latest("pk").place


@pytest.mark.django_db
def test_a_visitor_cannot_choose_an_address_and_escape_the_limit(settings: Any) -> None:
    a_user()
    client = Client(REMOTE_ADDR="203.0.113.9")
    codes = [
        client.post(
            "/login/",
            {"email": "owner@example.org", "password": "wrong"},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
        ).status_code
        for number in range(11)
    ]
    assert codes == [200] * 10 + [429]


@pytest.mark.django_db
def test_behind_a_trusted_proxy_each_visitor_has_an_address_of_their_own(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    client = Client(REMOTE_ADDR="10.0.0.7")
    assert failed_from(client, headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.1"}) == "198.51.100.0/24"
    assert failed_from(client) == "10.0.0.0/24"


@pytest.mark.django_db
def test_only_a_trusted_proxy_says_that_a_request_was_encrypted(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = ["10.0.0.7"]
    said = {"X-Forwarded-Proto": "https"}
    assert Client(REMOTE_ADDR="10.0.0.7").get("/login/", headers=said).status_code == 200
    assert Client(REMOTE_ADDR="203.0.113.9").get("/login/", headers=said).status_code == 301


@pytest.mark.parametrize("entry", ["proxy.example.org", "10.0.0.1/8", "*"])
def test_nonsense_among_the_proxies_is_named(entry: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        networks((entry,))


@pytest.mark.once
def test_nonsense_among_the_proxies_ends_the_start(checkout: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "BLINDPAIR_DATA": str(tmp_path), "TRUSTED_PROXIES": "the proxy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "TRUSTED_PROXIES" in ended.stderr
