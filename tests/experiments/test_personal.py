"""Personal data in texts: found where it is, not where it only looks alike, and masked alike everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.personal import Masks, count, find

FOUND = [
    ("Write to Ada.Byron+x@mail.example.co.uk, please.", "email", "Ada.Byron+x@mail.example.co.uk"),
    ("Schreib an jörg@müller.example!", "email", "jörg@müller.example"),
    ("Call +49 30 901820 today", "phone", "+49 30 901820"),
    ("Ruf 030 901820 an", "phone", "030 901820"),
    ("at (212) 555-0123.", "phone", "(212) 555-0123"),
    ("ring 020 7946 0958", "phone", "020 7946 0958"),
    ("au 01 42 68 53 00", "phone", "01 42 68 53 00"),
    ("my card 4111 1111 1111 1111, thanks", "card", "4111 1111 1111 1111"),
    ("my card 378282246310005", "card", "378282246310005"),
    ("to DE89 3704 0044 0532 0130 00 AND soon", "iban", "DE89 3704 0044 0532 0130 00"),
    ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
    ("key sk-ant-api03-abcdefghijklmnopqrstuv", "secret", "sk-ant-api03-abcdefghijklmnopqrstuv"),
    ("sk-proj-abcdefghijklmnopqrstT3BlbkFJabcdefghijklmnopqrst", "secret", ""),
    ("AKIAIOSFODNN7EXAMPLE", "secret", "AKIAIOSFODNN7EXAMPLE"),
    ("token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "secret", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("postgres://ada:hunter2@db.example/x", "secret", "hunter2"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "secret", ""),
]
NOT_FOUND = [
    "order 1234-5678-9012 of 2023-10-15 12:30, version 1.2.3.4",
    "192.168.10.12 and 10.1000/182 and ISBN 978-3-16-148410-0",
    "10 000 000 people, 3.14159265, $1,234,567.89, 0.895433 / 0.06411",
    "card 4111 1111 1111 1112 fails its check, so does DE89 3704 0044 0532 0130 01",
    "1234567812345670 passes it, but no network issues it",
    "@mention, a @ b, user@localhost and 2^10 @ 5",
    "sk-learn and sk-based; AKIA alone; eyJ is how a token begins",
]


@pytest.mark.parametrize(("text", "kind", "words"), FOUND)
def test_it_is_found_where_it_is(text: str, kind: str, words: str) -> None:
    [one] = find(text)
    assert (one.kind, text[one.start : one.end]) == (kind, words or text)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_alike_is_left(text: str) -> None:
    assert find(text) == []


def test_the_same_value_has_the_same_mask_wherever_it_stands() -> None:
    masks = Masks({"key": "k"})
    assert masks.masked("ada@example.org and bo@example.org") == "[EMAIL_1] and [EMAIL_2]"
    assert masks.masked("BO@example.org, 4111-1111-1111-1111") == "[EMAIL_2], [CARD_1]"
    later = Masks(masks.state)
    assert later.masked("4111 1111 1111 1111, c@example.org") == "[CARD_1], [EMAIL_3]"


def test_what_is_kept_of_masks_tells_no_value() -> None:
    masks = Masks({"key": "k"})
    masks.masked("ada@example.org +49 30 901820")
    assert "ada" not in str(masks.state)
    assert "901820" not in str(masks.state)


def test_kinds_are_counted() -> None:
    assert count(["a@example.org", "b@example.org +49 30 901820", ""]) == {"email": 2, "phone": 1}


@given(st.text(max_size=200), st.text(max_size=50))
def test_a_masked_text_is_masked_for_good(before: str, after: str) -> None:
    masks = Masks({"key": "k"})
    once = masks.masked(f"{before} ada@example.org {after}")
    assert "ada@example.org" not in once
    assert masks.masked(once) == once
