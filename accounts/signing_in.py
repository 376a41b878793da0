"""How often somebody may try to sign in: failures are counted in the audit log, so that a restart forgets none."""

from datetime import timedelta

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions import log
from accounts.models import Event, User

FAILED = "failed to sign in"
TRIES = 10
WITHIN = timedelta(minutes=5)


class TooManyTries(Exception):
    """So many failures in so short a time that the right password would be refused too."""


def sign_in(request: HttpRequest, *, email: str, password: str) -> User | None:
    """The user with this address and password, else None, which took as long; raises TooManyTries."""
    email = email.strip().lower()
    account, place = f"sign-in as {email}"[:200], f"sign-in from {request.META.get('REMOTE_ADDR', '')}"
    since = timezone.now() - WITHIN
    for tried, most in ((account, TRIES), (place, TRIES * 5)):
        if Event.objects.filter(verb=FAILED, object=tried, at__gt=since).count() >= most:
            raise TooManyTries
    user = authenticate(request, username=email, password=password)
    if isinstance(user, User):
        log(user, "signed in", f"user {email}")
        return user
    log(None, FAILED, account)
    log(None, FAILED, place)
    return None
