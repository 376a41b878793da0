"""Signing in and out, and making an account from a one-time link, as a browser meets them."""

import pytest
from django.test import Client

from accounts.actions import invite
from accounts.models import Event, User
from tests.factories import a_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def path_of(url: str) -> str:
    return url.removeprefix("http://127.0.0.1:8000")


def test_an_owner_signs_in_whatever_the_case_of_the_address(client: Client) -> None:
    user = a_user()
    answer = client.post("/login/", {"email": "Owner@Example.org", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client) -> None:
    a_user()
    pages = [
        client.post("/login/", {"email": email, "password": "wrong"}).content.decode().replace(email, "")
        for email in ("owner@example.org", "nobody@example.org")
    ]
    assert "do not belong together" in pages[0]
    assert without_tokens(pages[0]) == without_tokens(pages[1])


def without_tokens(page: str) -> list[str]:
    return [line for line in page.splitlines() if "csrf" not in line.lower()]


def test_the_eleventh_try_is_refused_even_with_the_right_password(client: Client) -> None:
    a_user()
    for _ in range(10):
        assert client.post("/login/", {"email": "owner@example.org", "password": "wrong"}).status_code == 200
    answer = client.post("/login/", {"email": "owner@example.org", "password": PASSWORD})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


def test_signing_in_leads_only_to_our_own_pages(client: Client) -> None:
    a_user()
    data = {"email": "owner@example.org", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/login/", data).headers["Location"] == "/"
    assert client.post("/login/", data | {"next": "/endpoints/"}).headers["Location"] == "/endpoints/"


def test_signing_out_needs_a_post_and_clears_what_the_browser_kept(client: Client) -> None:
    client.force_login(a_user())
    assert client.get("/logout/").status_code == 405
    answer = client.post("/logout/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/")
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert Event.objects.filter(verb="signed out").count() == 1


def test_a_look_at_the_link_does_not_use_it_up(client: Client) -> None:
    path = path_of(invite(staff=True).url)
    for _ in range(2):
        assert "Make the account" in client.get(path).content.decode()
    fields = {"email": "boss@example.org", "name": "Boss", "password": "a violin in the snow"}
    answer = client.post(path, fields | {"again": "a violin in the snow"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert User.objects.get().is_staff
    assert client.get(path).status_code == 404


def test_two_passwords_that_differ_are_told(client: Client) -> None:
    path = path_of(invite(email="ann@example.org").url)
    page = client.post(path, {"name": "", "password": "a violin in the snow", "again": "a violin in the rain"})
    assert "The two passwords differ" in page.content.decode()
    assert not User.objects.exists()


def test_a_weak_password_is_told_on_the_page(client: Client) -> None:
    path = path_of(invite(email="ann@example.org").url)
    page = client.post(path, {"name": "", "password": "short", "again": "short"}).content.decode()
    assert "too short" in page


def test_a_taken_address_is_told_on_the_page(client: Client) -> None:
    a_user()
    path = path_of(invite().url)
    fields = {"email": "owner@example.org", "password": "a violin in the snow", "again": "a violin in the snow"}
    assert "already" in client.post(path, fields).content.decode()


def test_an_unknown_link_says_whom_to_ask(client: Client) -> None:
    answer = client.get("/welcome/nothing/")
    assert answer.status_code == 404
    assert "Ask whoever sent it" in answer.content.decode()
