"""What an installation should not be: looked at by `check`, by `doctor` and at every start of the server."""

import os
import sys
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 32
KNOWN_KEYS = ("django-insecure-", "changeme", "change-me", "secret", "password", "your-secret-key", "example", "test")
WIDEST_PRIVATE = 65_536  # addresses: a /16, as large as one organisation's network of servers needs
SHARE_OF_MEMORY = 0.5
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_LOCAL_NAMES = {"", "localhost"}


@register(Tags.security)
def installation(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """All that is wrong with the settings as they are now."""
    return [*_openness(), *_secrets(), *_footing(), *_mail(), *_memory(), *_workers()]


def refuse_what_is_wrong() -> None:
    """Raise ImproperlyConfigured with every error; warnings are for `check` and `doctor` to tell."""
    _refuse(installation())


def refuse_a_worker() -> None:
    """The same for a worker, which has no visitors: what it was started with, and its keys."""
    _refuse([*_secrets(), *_workers()])


def _refuse(found: Sequence[CheckMessage]) -> None:
    wrong = [message for message in found if message.is_serious()]
    if wrong:
        raise ImproperlyConfigured(" ".join(f"{message.msg} {message.hint}" for message in wrong))


def _openness() -> Iterator[CheckMessage]:
    address = urlsplit(settings.PUBLIC_URL)
    if settings.DEBUG and not (_is_local(_host_of(settings.BIND)) and _is_local(address.hostname)):
        yield _error("E001", "DEBUG is on, and others can reach the server.", "Unset DEBUG: its pages show everything.")
    if "*" in settings.ALLOWED_HOSTS:
        hint = "List the names: with any name allowed, a foreign page can have its own name lead here."
        yield _error("E002", "ALLOWED_HOSTS holds '*'.", hint)
    if any(ip_network(entry).prefixlen == 0 for entry in settings.TRUSTED_PROXIES):
        yield _error("E003", "TRUSTED_PROXIES trusts everybody.", "List the proxies: they can say who asks.")
    if settings.SCALED and address.scheme == "http" and not _is_local(address.hostname):
        yield _warning("W001", "PUBLIC_URL is not https.", "Put TLS in front: passwords and links go over it.")


def _secrets() -> Iterator[CheckMessage]:
    key, lower = settings.SECRET_KEY, settings.SECRET_KEY.lower()
    if len(key) < SHORTEST_KEY or len(set(key)) < 8:
        yield _error("E004", "SECRET_KEY is too short or too even to be random.", _MAKE_ONE)
    if any(lower.startswith(known) for known in KNOWN_KEYS):
        yield _error("E005", "SECRET_KEY is one that everybody knows.", _MAKE_ONE)
    if key in {entry.strip() for entry in settings.ENCRYPTION_KEYS.split(",")}:
        yield _error(
            "E006",
            "SECRET_KEY is also a key of BLINDPAIR_ENCRYPTION_KEYS.",
            "Use two: whoever learns the one that signs must not open the stored endpoint keys.",
        )


def _footing() -> Iterator[CheckMessage]:
    if not settings.SCALED and settings.WEB_CONCURRENCY > 1:
        yield _error(
            "E007",
            f"WEB_CONCURRENCY is {settings.WEB_CONCURRENCY}, but SQLite serves one web process.",
            "Unset it, or set DATABASE_URL for Postgres.",
        )
    if settings.SCALED and (wide := [entry for entry in settings.ENDPOINT_HOSTS if _is_wide(entry)]):
        yield _warning(
            "W002",
            f"BLINDPAIR_ENDPOINT_HOSTS opens whole private networks ({', '.join(wide)}).",
            "List the model servers: owners could have anything else in there called.",
        )


def _mail() -> Iterator[CheckMessage]:
    address = urlsplit(settings.EMAIL_URL)
    if address.scheme == "smtp" and "tls" not in address.query.lower() and not _is_local(address.hostname):
        yield _warning(
            "W003",
            "EMAIL_URL sends mail without TLS.",
            "Use smtp+tls:// or smtp+ssl://: the links in it set passwords.",
        )


def _memory() -> Iterator[CheckMessage]:
    held = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    needed, there = held * settings.WEB_THREADS * max(1, settings.WEB_CONCURRENCY), _memory_of_this_machine()
    if needed > there * SHARE_OF_MEMORY:
        yield _error(
            "E008",
            f"Uploads may hold {needed // 1_000_000} MB at once, of {there // 1_000_000} MB that there are.",
            "Lower WEB_THREADS or WEB_CONCURRENCY.",
        )


def _workers() -> Iterator[CheckMessage]:
    """Workers that were told to be quiet are often deaf, too, once Redis was away."""
    quiet = [word for word in sys.argv[1:] if word.startswith(QUIET)]
    if quiet:
        yield _error(
            "E009",
            f"A worker with {' '.join(quiet)} often takes no task any more once Redis was away.",
            "Leave that out: what is overdue would stay until somebody starts it again.",
        )


_MAKE_ONE = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"


def _memory_of_this_machine() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _is_local(host: str | None) -> bool:
    try:
        return ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return (host or "") in _LOCAL_NAMES


def _host_of(bind: str) -> str:
    return bind.rpartition(":")[0] if ":" in bind else bind


def _is_wide(entry: str) -> bool:
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return entry.strip() == "*"
    return (network.is_private or network.prefixlen == 0) and network.num_addresses > WIDEST_PRIVATE


def _error(number: str, said: str, hint: str) -> CheckMessage:
    return checks.Error(said, hint=hint, id=f"blindpair.{number}")


def _warning(number: str, said: str, hint: str) -> CheckMessage:
    return checks.Warning(said, hint=hint, id=f"blindpair.{number}")
