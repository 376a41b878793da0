"""How often somebody may do what could hurt others: counted in rows, so that neither a restart nor a cache forgets.

A try that is refused is not counted: whoever goes on trying does not keep somebody else out for longer.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import Try
from config.errors import too_many

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times within so long; what is `within` ends before rows are forgotten."""

    name: str
    most: int
    within: timedelta


_SOON, _LATER = timedelta(minutes=5), timedelta(minutes=10)
SIGN_IN = Limit("sign in as and from", 10, _SOON)
SIGN_IN_AS = Limit("sign in as", 50, _SOON)
SIGN_IN_FROM = Limit("sign in from", 50, _SOON)
LINKS = Limit("open an unknown link", 30, _SOON)
RESETS = Limit("ask for a new password for", 3, KEPT)
RESETS_FROM = Limit("ask for new passwords from", 10, KEPT)
PASSWORDS = Limit("give the present password", 10, _SOON)
UPLOADS = Limit("upload", 60, _LATER)
STARTS = Limit("start collecting", 60, _LATER)
EXPORTS = Limit("export", 120, _LATER)
TRIALS = Limit("test an endpoint", 40, _LATER)


class TooMany(Exception):
    """The limit is reached; `wait` says for how many seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many tries; the next one in {wait} s")
        self.wait = wait


def check(limit: Limit, who: str, *, now: datetime | None = None) -> None:
    """Raise TooMany where the limit is reached; count nothing."""
    _check(limit, _key(limit, who), now or timezone.now(), limit.most)


def attempt(limit: Limit, who: str, *, now: datetime | None = None) -> Try:
    """Count one; raises TooMany, also where others were quicker by a moment."""
    now, key = now or timezone.now(), _key(limit, who)
    _check(limit, key, now, limit.most)
    with transaction.atomic():
        made = Try.objects.create(key=key, at=now)
        forget(now)
    try:
        _check(limit, key, now, limit.most + 1)
    except TooMany:
        made.delete()
        raise
    return made


def forget(now: datetime) -> None:
    """Remove tries that no limit looks back to."""
    Try.objects.filter(at__lt=now - KEPT).delete()


def throttled(limit: Limit, *, methods: tuple[str, ...] = ("POST",)) -> Callable[[V], V]:
    """Let the view be asked only so often by one account; then the answer is 429 and how long to wait."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in methods:
                try:
                    attempt(limit, f"user {request.user.pk}")
                except TooMany as error:
                    return too_many(request, error.wait)
            return view(request, *args, **kwargs)

        return cast("V", guarded)

    return decorate


def _check(limit: Limit, key: str, now: datetime, most: int) -> None:
    since = now - limit.within
    tries = list(Try.objects.filter(key=key, at__gt=since).order_by("-at").values_list("at", flat=True)[:most])
    if len(tries) >= most:
        raise TooMany(max(1, round((tries[-1] - since).total_seconds())))


def _key(limit: Limit, who: str) -> str:
    return hashlib.sha256(f"{limit.name}\0{who}".encode()).hexdigest()
