"""The token of a form is one of Django's: it checks it, no two are alike, and no letter is likelier than another."""

from collections import Counter

import pytest
from django.http import HttpRequest
from django.middleware import csrf
from django.middleware.csrf import CSRF_ALLOWED_CHARS
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from config import tokens
from config.tokens import masked, token_for

SECRETS = st.text(CSRF_ALLOWED_CHARS, min_size=32, max_size=32)
checked = csrf._does_token_match  # type: ignore[attr-defined]  # what a sent token is held against
well_formed = csrf._check_token_format  # type: ignore[attr-defined]


def asking(**meta: str) -> HttpRequest:
    request = RequestFactory().get("/rate/")
    request.META.update(meta)
    return request


@given(secret=SECRETS, other=SECRETS)
def test_django_takes_it_for_its_own_secret_and_for_no_other(secret: str, other: str) -> None:
    token = masked(secret)
    well_formed(token)
    assert checked(token, secret)
    assert checked(token, other) == (other == secret)


@given(secret=SECRETS)
def test_it_is_what_django_makes_of_the_same_mask(secret: str) -> None:
    token = masked(secret)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.middleware.csrf._get_new_csrf_string", lambda: token[:32])
        assert csrf._mask_cipher_secret(secret) == token  # type: ignore[attr-defined]


def test_every_letter_is_as_likely_as_the_others() -> None:
    drawn = Counter("".join(masked("a" * 32) for _ in range(6000)))  # with "a", both halves are the mask
    assert set(drawn) == set(CSRF_ALLOWED_CHARS)
    expected = 6000 * 64 / len(CSRF_ALLOWED_CHARS)
    # Each letter stands there twice: its standard deviation is 1.4 times the root.
    assert all(abs(count - expected) < 6 * (2 * expected) ** 0.5 for count in drawn.values())


def test_draws_that_are_mostly_left_over_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([b"\xff" * 60 + b"\x01" * 4, b"\xfa" * 64, bytes(range(64))])
    monkeypatch.setattr(tokens.secrets, "token_bytes", lambda number: next(drawn))
    token = masked("z" * 32)
    assert token[:32] == ("b" * 4 + CSRF_ALLOWED_CHARS)[:32]
    assert checked(token, "z" * 32)


def test_the_cookie_is_renewed_or_made_as_django_does_it() -> None:
    request = asking(CSRF_COOKIE="k" * 32)
    assert checked(token_for(request), "k" * 32)
    assert request.META["CSRF_COOKIE_NEEDS_UPDATE"] is True
    fresh = asking()
    token = token_for(fresh)
    assert fresh.META["CSRF_COOKIE_NEEDS_UPDATE"] is True
    assert checked(token, fresh.META["CSRF_COOKIE"])
