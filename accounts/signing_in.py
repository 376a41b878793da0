"""Signing in: how often somebody may try, and how long a session lasts."""

from datetime import timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, authenticate, get_user, login
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.actions import log
from accounts.models import Try, User
from accounts.throttling import SIGN_IN, SIGN_IN_AS, SIGN_IN_FROM, TooMany, attempt

FAILED = "failed to sign in"
LONGEST, IDLE, NOTED_EVERY = timedelta(hours=12), timedelta(hours=2), timedelta(minutes=1)
BEGAN, SEEN = "signed_in_at", "seen_at"


def sign_in(request: HttpRequest, *, email: str, password: str) -> User | None:
    """The user with this address and password, else None, which took as long; raises TooMany."""
    email, place = email.strip().lower(), request.META.get("REMOTE_ADDR", "")
    tries = _counted(email, place)
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        log("a visitor", FAILED, f"user {email}")
        return None
    for one in tries:
        one.delete()
    log(user, "signed in", f"user {email}")
    return user


def _counted(email: str, place: str) -> list[Try]:
    """One try of each kind, or none and TooMany: who is kept out by one limit uses up nothing of another."""
    tries: list[Try] = []
    try:
        for limit, who in ((SIGN_IN, f"{email} {place}"), (SIGN_IN_AS, email), (SIGN_IN_FROM, place)):
            tries.append(attempt(limit, who))
    except TooMany:
        for one in tries:
            one.delete()
        raise
    return tries


def enter(request: HttpRequest, user: User) -> None:
    """Begin the user's session under a new key."""
    login(request, user)
    now = timezone.now().timestamp()
    request.session[BEGAN] = request.session[SEEN] = now


class Sessions(AuthenticationMiddleware):
    """Django's, and a session of an owner ends after twelve hours, or after two in which nothing was asked for."""

    def process_request(self, request: HttpRequest) -> None:
        """Look at the session only where somebody wants to know who is signed in."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _current(request))  # type: ignore[assignment]  # as Django does it


def _current(request: HttpRequest) -> User | AnonymousUser:
    session = request.session
    if SESSION_KEY not in session:
        return AnonymousUser()
    now = timezone.now().timestamp()
    began, seen = session.get(BEGAN, now), session.get(SEEN, now)
    if now - began >= LONGEST.total_seconds() or now - seen >= IDLE.total_seconds():
        # A rater's seat in the same browser stays.
        for name in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY, BEGAN, SEEN):
            session.pop(name, None)
        session.cycle_key()
        return AnonymousUser()
    if BEGAN not in session or now - seen >= NOTED_EVERY.total_seconds():
        session[BEGAN], session[SEEN] = began, now
    return get_user(request)
