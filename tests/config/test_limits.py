"""One request may hold only so much: fields, files, and bytes outside of files."""

from io import BytesIO

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_five_hundred_fields_and_no_more(client: Client) -> None:
    assert client.post("/login/", {f"field-{number}": "x" for number in range(500)}).status_code == 200
    assert client.post("/login/", {f"field-{number}": "x" for number in range(501)}).status_code == 400


def test_five_files_and_no_more(client: Client) -> None:
    assert client.post("/login/", {f"file-{number}": BytesIO(b"x") for number in range(5)}).status_code == 200
    assert client.post("/login/", {f"file-{number}": BytesIO(b"x") for number in range(6)}).status_code == 400


def test_two_and_a_half_megabytes_outside_of_files_and_no_more(client: Client) -> None:
    assert client.post("/login/", {"field": "x" * 2_400_000}).status_code == 200
    assert client.post("/login/", {"field": "x" * 2_600_000}).status_code == 400
