"""Secrets at rest."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from backends.encryption import Place, Unreadable, decrypt, encrypt, is_current, ring

HERE = Place(table="backends_endpoint", row=7, host="https://api.example.org")


@given(st.text(max_size=300))
def test_what_was_encrypted_comes_back(secret: str) -> None:
    assert decrypt(encrypt(secret, HERE), HERE) == secret


def test_the_same_secret_looks_different_each_time() -> None:
    assert encrypt("sk-1", HERE) != encrypt("sk-1", HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(table="backends_endpoint", row=8, host=HERE.host),
        Place(table="backends_endpoint", row=7, host="https://evil.example.org"),
        Place(table="other", row=7, host=HERE.host),
    ],
)
def test_a_secret_is_read_in_its_own_place_only(elsewhere: Place) -> None:
    with pytest.raises(Unreadable, match="enter it again"):
        decrypt(encrypt("sk-1", HERE), elsewhere)


def test_a_changed_byte_is_noticed() -> None:
    stored = encrypt("sk-1", HERE)
    changed = stored[:-5] + ("A" if stored[-5] != "A" else "B") + stored[-4:]
    with pytest.raises(Unreadable):
        decrypt(changed, HERE)


@pytest.mark.parametrize("nonsense", ["", "v1", "v1:abc", "v2:abc:def", "v1::%%%", "sk-in-clear"])
def test_nonsense_is_refused_in_words(nonsense: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(nonsense, HERE)


def test_the_first_key_encrypts_and_all_decrypt(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = "o" * 40
    old = encrypt("sk-1", HERE)
    settings.ENCRYPTION_KEYS = f"{'n' * 40}, {'o' * 40}"
    assert decrypt(old, HERE) == "sk-1"
    assert not is_current(old)
    assert is_current(encrypt("sk-1", HERE))
    settings.ENCRYPTION_KEYS = "n" * 40
    with pytest.raises(Unreadable, match="no longer holds"):
        decrypt(old, HERE)


@pytest.mark.parametrize(("text", "why"), [("", "empty"), (" , ", "empty"), ("short", "Key 1 .* has 5 characters")])
def test_a_ring_without_good_keys_is_refused(text: str, why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        ring(text)


def test_a_key_says_nothing_of_itself() -> None:
    (key,) = ring("k" * 40)
    assert "k" * 8 not in repr(key)
    assert "material" not in repr(key)
