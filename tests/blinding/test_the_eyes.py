"""The eyes see a canary through every disguise; a leak planted in any of them is found."""

import base64
import json
from html import escape
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.blinding.eyes import Eyes, disguises

TEXT = 'Zyxomatic-1 "Quill/feather" & sons'
NUMBER = "918273645000017"
SHAPES = {
    **dict(disguises(TEXT)),
    "capitals": TEXT.upper().encode(),
    "squeezed": b"zyxomatic1quillfeathersons",
    "other separators": b"zyxomatic_1.quill feather, sons",
    "reversed and squeezed": b"snosrehtaefllliuq1citamoxyz".replace(b"lll", b"ll"),
    "JSON": json.dumps(TEXT).encode(),
    "JSON in an attribute": escape(json.dumps({"name": TEXT})).encode(),
    "JSON code points": b"".join(b"\\u%04x" % ord(letter) for letter in TEXT),
    "URL": quote(TEXT, safe="").encode(),
    "URL, every letter": b"".join(b"%%%02X" % byte for byte in TEXT.encode()),
    "an address in JSON": json.dumps(quote(TEXT)).encode(),
    "HTML": escape(TEXT).encode(),
    "HTML, every letter": b"".join(b"&#%d;" % ord(letter) for letter in TEXT),
    "HTML in hexadecimal": b"".join(b"&#x%x;" % ord(letter) for letter in TEXT),
}
NUMBERS = dict(disguises(NUMBER))


@pytest.mark.parametrize("disguise", SHAPES)
def test_a_text_is_seen_through(disguise: str) -> None:
    page = b'<p class="prose">' + SHAPES[disguise] + b"</p>"
    assert Eyes([TEXT, "another canary"]).see(page) == {TEXT}


@pytest.mark.parametrize("disguise", NUMBERS)
def test_a_number_is_seen_through(disguise: str) -> None:
    assert Eyes([NUMBER]).see(b"Set-Cookie: x=" + NUMBERS[disguise] + b"; Path=/") == {NUMBER}


def test_a_number_is_seen_in_a_handle_made_of_it() -> None:
    assert Eyes([NUMBER]).see(str(UUID(int=int(NUMBER))).encode()) == {NUMBER}


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "abcd"])
def test_base64_is_seen_wherever_the_text_stands_in_it(before: str) -> None:
    coded = base64.b64encode(f"{before}{NUMBER} and more".encode())
    assert Eyes([NUMBER]).see(coded) == {NUMBER}


def test_a_page_without_a_canary_is_clean() -> None:
    eyes = Eyes([TEXT, NUMBER])
    assert eyes.see(b"nothing to see here, 918273 or quill or feather") == set()
    assert eyes.see(b"") == set()
