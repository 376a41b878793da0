"""The one mail that accounts send: a link for a new password."""

import logging
from smtplib import SMTPException
from threading import Thread

from django.core.mail import send_mail
from django.db import DatabaseError, connection
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.actions import reset_link
from accounts.models import User

_log = logging.getLogger(__name__)


def send_reset_link(email: str) -> Thread:
    """Look the account up and write to it in a thread of its own: how long that takes tells nobody anything."""
    thread = Thread(target=_send, args=[email], name="mail", daemon=True)
    thread.start()
    return thread


def _send(email: str) -> None:
    try:
        write_reset_link(email)
    except (DatabaseError, OSError, SMTPException) as error:
        _log.warning("a mail could not be sent: %s", type(error).__name__)
    finally:
        connection.close()


def write_reset_link(email: str) -> None:
    """Send a link to the account of this address; nothing where there is none that may sign in."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        return
    link = reset_link(user, by=None)
    words = render_to_string("accounts/reset_mail.txt", {"link": link, "name": user.name})
    send_mail(_("A new password for Blindpair"), words, None, [user.email])
