"""What an operator says in the environment: nonsense ends the start in a sentence that names the variable.

An empty variable is one that is not set. Where a value may hold a password or a key, the sentence does not repeat it.
"""

import math
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
LONGEST_SECONDS = 86_400.0
SHORTEST_TOKEN = 16
POSTGRES = "postgres://user:password@host:5432/blindpair"
REDIS = "redis://host:6379/0"
MAIL = "smtp+tls://user:password@host:587"
_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"\*|\.?{_LABEL}(\.{_LABEL})*|\[[0-9A-Fa-f:.]+\]")
_BIND = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})|unix:\S+|fd://\d+")


def text(name: str, default: str = "") -> str:
    """What it says, without space around it."""
    return os.environ.get(name, "").strip() or default


def entries(name: str) -> list[str]:
    """A list, comma separated."""
    return [entry.strip() for entry in text(name).split(",") if entry.strip()]


def count(name: str, default: int) -> int:
    """A whole number from 1 on."""
    said = text(name, str(default))
    if not said.isascii() or not said.isdecimal() or not 1 <= len(said) <= 9 or int(said) < 1:
        raise ImproperlyConfigured(f"{name} must be a whole number from 1 on, not {said!r}.")
    return int(said)


def seconds(name: str, default: float) -> float:
    """A number of seconds, a day at most."""
    said = text(name, str(default))
    try:
        found = float(said)
    except ValueError:
        found = math.nan
    if not 0 <= found <= LONGEST_SECONDS:
        raise ImproperlyConfigured(f"{name} must be a number of seconds from 0 to a day, such as 20, not {said!r}.")
    return found


def switch(name: str, *, default: bool) -> bool:
    """On or off."""
    said = text(name, "on" if default else "off").lower()
    if said not in TRUE + FALSE:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(TRUE + FALSE)}, not {said!r}.")
    return said in TRUE


def choice(name: str, default: str, known: Collection[str]) -> str:
    """One of the words, in capitals or not."""
    said = text(name, default)
    found = next((one for one in known if one.lower() == said.lower()), None)
    if found is None:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}, not {said!r}.")
    return found


def token(name: str) -> str:
    """Something that cannot be guessed; empty where it is not set."""
    said = text(name)
    if said and len(said) < SHORTEST_TOKEN:
        raise ImproperlyConfigured(f"{name} is too short to be a secret: {SHORTEST_TOKEN} or more random characters.")
    return said


def host_names(name: str) -> list[str]:
    """Names as a browser sends them, without scheme and port; `.example.org` for every name below."""
    for said in entries(name):
        if not _HOST_NAME.fullmatch(said):
            raise ImproperlyConfigured(
                f"{name} holds host names without scheme and port, such as rate.example.org, comma separated: "
                f"{said!r} is none."
            )
    return entries(name)


def listening(name: str, default: str) -> str:
    """Where to listen: an address and a port, or a socket."""
    said = text(name, default)
    found = _BIND.fullmatch(said)
    if not found or int(found["port"] or 0) > 65_535:
        raise ImproperlyConfigured(f"{name} must be an address and a port, such as 127.0.0.1:8000, not {said!r}.")
    return said


def folder(name: str, default: Path) -> Path:
    """A folder that can be written to; made where it is missing, and then nobody else's to look into."""
    found = Path(text(name, str(default))).expanduser().absolute()
    for path in (found, found / "uploads", found / "staticfiles"):
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name} must be a folder that can be written to: {path} cannot be made ({error.strerror})."
            ) from error
    return found.resolve()


def file(name: str) -> Path | None:
    """A file in a folder that can be written to; None where it is not set."""
    said = text(name)
    if not said:
        return None
    found = Path(said).absolute()
    if found.is_dir() or not os.access(found.parent, os.W_OK):
        raise ImproperlyConfigured(f"{name} must be a file in a folder that can be written to, not {said!r}.")
    return found


def web_address(name: str, default: str) -> SplitResult:
    """Scheme, host and perhaps port of a website: nothing else."""
    said = text(name, default).rstrip("/")
    parts = _split(said)
    whole = parts is not None and parts.hostname and parts.geturl() == f"{parts.scheme}://{parts.netloc}"
    if parts is None or not whole or not _has_port(parts) or parts.scheme not in {"http", "https"}:
        raise ImproperlyConfigured(
            f"{name} must be an http or https address without a path, such as https://rate.example.org, not {said!r}."
        )
    if "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name} holds a user name or a password: leave it out.")
    return parts


def sender(name: str, default: str) -> str:
    """An address that mail comes from, with or without a name in front."""
    said = text(name, default)
    if not re.fullmatch(r"[^<>\n\r]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+", said):
        raise ImproperlyConfigured(f"{name} must be a mail address, such as rating@example.org, not {said!r}.")
    return said


def database(name: str) -> dict[str, Any]:
    """A Postgres as Django's settings have it; empty where it is not set."""
    read = _read(name, text(name), ("postgres", "postgresql", "pgsql", "psql"), POSTGRES, environ.Env.db_url_config)
    if read and not read["NAME"]:
        raise ImproperlyConfigured(f"{name} names no database: {POSTGRES}.")
    return read


def redis_address(name: str) -> str:
    """The address of a Redis; empty where it is not set."""
    said = text(name)
    _read(name, said, ("redis", "rediss", "unix"), REDIS, lambda address: {})
    parts = urlsplit(said)
    if parts.scheme != "unix" and not (_has_port(parts) and re.fullmatch(r"(/\d{0,4})?", parts.path)):
        raise ImproperlyConfigured(f"{name} must end with a port and the number of a database, like {REDIS}.")
    return said


def mail(name: str) -> dict[str, Any]:
    """A mail server as Django's settings have it; empty where it is not set."""
    said = text(name)
    read = _read(name, said, tuple(environ.Env.EMAIL_SCHEMES), MAIL, environ.Env.email_url_config)
    if said.startswith("smtp") and not read["EMAIL_HOST"]:
        raise ImproperlyConfigured(f"{name} names no mail server: {MAIL}.")
    return read


def _read(
    name: str, said: str, schemes: tuple[str, ...], example: str, reader: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """The address as `reader` reads it; its value may hold a password, and is not repeated."""
    if not said:
        return {}
    parts = _split(said)
    if parts is None or parts.scheme not in schemes or "://" not in said:
        known = ", ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} must be an address like {example} (it may begin with {known}).")
    try:
        return dict(reader(said))
    except (ValueError, KeyError, LookupError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} cannot be read as an address like {example}.") from error


def _split(said: str) -> SplitResult | None:
    """The address in parts; None where it is none."""
    try:
        return None if re.search(r"[\s\x00-\x1f\x7f]", said) else urlsplit(said)
    except ValueError:
        return None


def _has_port(parts: SplitResult) -> bool:
    """Whether its port is one, or left out."""
    try:
        return parts.port != 0
    except ValueError:
        return False
