"""What may be done only so often: counted in the database, whichever process and whichever cache asks."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import throttling
from accounts.models import Try, User
from accounts.throttling import KEPT, Limit, TooMany, attempt, check
from accounts.views import entering
from tests.factories import a_rated_experiment, a_user, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db
THREE = Limit("three", 3, timedelta(minutes=5))
LIMITS = [limit for limit in vars(throttling).values() if isinstance(limit, Limit)]


def use_up(limit: Limit, who: str, **when: Any) -> None:
    for _ in range(limit.most):
        attempt(limit, who, **when)


def test_one_more_than_the_limit_is_refused_and_says_how_long_to_wait() -> None:
    now = timezone.now()
    use_up(THREE, "ann", now=now)
    with pytest.raises(TooMany) as refused:
        attempt(THREE, "ann", now=now + timedelta(minutes=2))
    assert refused.value.wait == 180


def test_a_refused_try_does_not_keep_the_door_shut_for_longer() -> None:
    now = timezone.now()
    use_up(THREE, "ann", now=now)
    for minute in range(5):
        with pytest.raises(TooMany):
            attempt(THREE, "ann", now=now + timedelta(minutes=minute))
    attempt(THREE, "ann", now=now + timedelta(minutes=5))


def test_somebody_else_and_something_else_are_counted_apart() -> None:
    use_up(THREE, "ann")
    attempt(THREE, "bob")
    attempt(Limit("another", 3, timedelta(minutes=5)), "ann")


def test_looking_at_a_limit_uses_nothing_up() -> None:
    for _ in range(9):
        check(THREE, "ann")
    assert not Try.objects.exists()


def test_an_emptied_cache_forgets_nothing() -> None:
    use_up(THREE, "ann")
    cache.clear()
    with pytest.raises(TooMany):
        attempt(THREE, "ann")


def test_rows_name_nobody_and_do_not_pile_up() -> None:
    use_up(THREE, "ann@example.org", now=timezone.now() - KEPT - timedelta(seconds=1))
    assert "ann" not in str(list(Try.objects.values()))
    attempt(THREE, "bob")
    assert Try.objects.count() == 1


def test_no_limit_looks_back_further_than_rows_are_kept() -> None:
    assert len(LIMITS) >= 10
    assert all(limit.within <= KEPT for limit in LIMITS)
    assert len({limit.name for limit in LIMITS}) == len(LIMITS)


@pytest.mark.parametrize(
    ("limit", "method", "path"),
    [
        (throttling.UPLOADS, "post", "/experiments/{draft}/inputs/new/"),
        (throttling.UPLOADS, "post", "/experiments/{draft}/systems/recorded/"),
        (throttling.UPLOADS, "post", "/experiments/{draft}/raters/judgments/"),
        (throttling.UPLOADS, "post", "/experiments/bundle/"),
        (throttling.UPLOADS, "post", "/experiments/{closed}/report/scores/row/"),
        (throttling.STARTS, "post", "/experiments/{draft}/collecting/steering/"),
        (throttling.STARTS, "post", "/experiments/sample/"),
        (throttling.TRIALS, "post", "/endpoints/nearby/"),
        (throttling.TRIALS, "post", "/endpoints/{endpoint}/test/"),
        (throttling.TRIALS, "get", "/experiments/{draft}/systems/models/"),
        (throttling.EXPORTS, "get", "/experiments/{closed}/exports/csv/"),
        (throttling.EXPORTS, "get", "/experiments/{closed}/report.json"),
        (throttling.PASSWORDS, "post", "/account/"),
    ],
)
def test_what_costs_something_is_refused_with_a_page_that_says_when(
    client: Client, limit: Limit, method: str, path: str
) -> None:
    owner = User.objects.create_user("owner@example.org", is_staff=True)
    closed = a_rated_experiment(raters=1, inputs=1)
    closed.owners.add(owner)
    places = {"draft": an_experiment(owner=owner).pk, "closed": closed.pk, "endpoint": an_endpoint().pk}
    client.force_login(owner)
    use_up(limit, f"user {owner.pk}")
    answer = getattr(client, method)(path.format(**places))
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert "Too often in a short time" in answer.content.decode()
    assert "minutes, then try again" in answer.content.decode()


def test_a_page_that_asks_in_place_is_told_in_place(client: Client) -> None:
    owner = User.objects.create_user("owner@example.org", is_staff=True)
    client.force_login(owner)
    use_up(throttling.TRIALS, f"user {owner.pk}")
    answer = client.post(f"/endpoints/{an_endpoint().pk}/test/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Tested too often. Wait 10 minutes" in answer.content.decode()


def test_guessing_at_links_of_owners_is_stopped_too(client: Client) -> None:
    codes = [client.get(f"/welcome/guess{number}/").status_code for number in range(throttling.LINKS.most + 1)]
    assert codes == [404] * throttling.LINKS.most + [429]


def test_who_is_overtaken_by_other_guesses_after_the_look_is_told_to_wait_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entering, "check", use_up)
    assert client.get("/welcome/guess/").status_code == 429


RIGHT = {"email": "owner@example.org", "password": "correct horse battery"}


def test_an_account_is_not_guessed_at_from_many_addresses(client: Client) -> None:
    a_user()
    use_up(throttling.SIGN_IN_AS, "owner@example.org")
    assert Client(REMOTE_ADDR="192.0.2.77").post("/login/", RIGHT).status_code == 429


def test_an_address_does_not_try_many_accounts() -> None:
    a_user()
    use_up(throttling.SIGN_IN_FROM, "192.0.2.77")
    assert Client(REMOTE_ADDR="192.0.2.77").post("/login/", RIGHT).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.78").post("/login/", RIGHT).status_code == 302


def test_the_limits_are_those_that_are_promised(checkout: Path) -> None:
    page = (checkout / "docs/security.md").read_text()
    most = {limit.name: (limit.most, limit.within) for limit in LIMITS}
    assert most["sign in as and from"] == (10, timedelta(minutes=5))
    assert most["sign in as"] == most["sign in from"] == (50, timedelta(minutes=5))
    assert most["open an unknown link"] == (30, timedelta(minutes=5))
    assert (most["upload"], most["export"], most["test an endpoint"]) == (
        (60, timedelta(minutes=10)),
        (120, timedelta(minutes=10)),
        (40, timedelta(minutes=10)),
    )
    for words in ("10 in 5 minutes; 50 for one account", "30 in 5 minutes", "3 an hour; 10", "60 in 10", "120 in 10"):
        assert words in page


def test_a_sign_in_that_is_refused_says_when_to_come_back(client: Client) -> None:
    a_user()
    for _ in range(throttling.SIGN_IN.most):
        client.post("/login/", {"email": "owner@example.org", "password": "wrong"})
    answer = client.post("/login/", {"email": "owner@example.org", "password": "correct horse battery"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    elsewhere = Client(REMOTE_ADDR="192.0.2.77")
    answer = elsewhere.post("/login/", {"email": "owner@example.org", "password": "correct horse battery"})
    assert answer.status_code == 302  # whoever guesses locks nobody else out


def test_signing_in_rightly_uses_nothing_up(client: Client) -> None:
    a_user()
    for _ in range(throttling.SIGN_IN.most + 1):
        answer = client.post("/login/", {"email": "owner@example.org", "password": "correct horse battery"})
        assert answer.status_code == 302
    assert not Try.objects.exists()
