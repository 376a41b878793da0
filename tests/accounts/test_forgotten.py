"""The way back in: by mail where it is set up, through somebody who runs the site elsewhere."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import mail as our_mail
from accounts.mail import write_reset_link
from accounts.models import Event, Invitation
from accounts.throttling import RESETS_FROM, attempt
from tests.factories import a_user

pytestmark = pytest.mark.django_db
NEW = {"password": "a violin in the snow", "again": "a violin in the snow"}


@pytest.fixture
def mailing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is set up, and is written at once instead of in a thread, which would see another database."""
    settings.EMAIL_URL = "smtp+tls://mail.example.org:587"
    monkeypatch.setattr("accounts.views.account.send_reset_link", write_reset_link)


def test_without_mail_the_page_says_whom_to_ask(client: Client) -> None:
    for page in (client.get("/password/forgotten/"), client.post("/password/forgotten/", {"email": "a@example.org"})):
        assert "Ask somebody who runs it" in page.content.decode()
    assert not mail.outbox


def test_the_link_in_the_mail_sets_a_new_password(client: Client, mailing: None) -> None:
    user = a_user()
    client.post("/password/forgotten/", {"email": "Owner@Example.org"})
    [letter] = mail.outbox
    assert letter.to == ["owner@example.org"]
    found = re.search(r"http://127\.0\.0\.1:8000(/welcome/\S+)", str(letter.body))
    assert found
    assert client.post(found[1], NEW).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW["password"])
    assert Event.objects.get(verb="made a reset link").actor_name == "a visitor"


def test_an_unknown_or_locked_account_gets_no_mail_and_the_page_tells_nothing(client: Client, mailing: None) -> None:
    a_user()
    a_user("locked@example.org", is_active=False)
    pages = [
        re.sub(r"[A-Za-z0-9]{64}", "", client.post("/password/forgotten/", {"email": email}).content.decode())
        for email in ("owner@example.org", "nobody@example.org", "locked@example.org")
    ]
    assert pages[0] == pages[1] == pages[2]
    assert len(mail.outbox) == 1


def test_a_mailbox_is_not_flooded(client: Client, mailing: None) -> None:
    a_user()
    codes = [client.post("/password/forgotten/", {"email": "owner@example.org"}).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert len(mail.outbox) == 3
    assert Invitation.objects.open().count() == 1


def test_an_address_does_not_have_mails_sent_to_everybody(client: Client, mailing: None) -> None:
    for _ in range(RESETS_FROM.most):
        attempt(RESETS_FROM, "127.0.0.1")
    assert client.post("/password/forgotten/", {"email": "owner@example.org"}).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_the_mail_is_written_in_a_thread_of_its_own_and_a_deaf_server_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a_user()
    our_mail.send_reset_link("owner@example.org").join()
    assert len(mail.outbox) == 1

    def refuses(*args: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(our_mail, "send_mail", refuses)
    our_mail.send_reset_link("owner@example.org").join()
    assert "a mail could not be sent: ConnectionRefusedError" in caplog.text
