"""Errors told to Sentry, where an operator wants that: what broke and where, nothing of what people wrote."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.logs import without_tokens

KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "contexts", "transaction")
KEPT_OF_FRAMES = ("filename", "function", "module", "lineno", "in_app")


def start(dsn: str) -> None:
    """Begin to tell. Raises ImproperlyConfigured where the package is missing or the address is none."""
    if find_spec("sentry_sdk") is None:
        raise ImproperlyConfigured("SENTRY_DSN is set, but sentry-sdk is not installed: uv sync --extra sentry.")
    sdk = import_module("sentry_sdk")
    try:
        sdk.init(
            dsn=dsn,
            before_send=scrubbed,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            traces_sample_rate=0.0,
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"SENTRY_DSN is no address of a Sentry project: {error}.") from error


def scrubbed(event: Mapping[str, Any], hint: Mapping[str, Any]) -> dict[str, Any]:
    """The kind of error and the lines of code; messages go, since a database's tell what was to be written."""
    kept = {name: event[name] for name in KEPT if name in event}
    if "transaction" in kept:
        kept["transaction"] = without_tokens(str(kept["transaction"]))
    errors = event.get("exception", {}).get("values", [])
    return kept | {"exception": {"values": [_error(one) for one in errors]}}


def _error(one: Mapping[str, Any]) -> dict[str, Any]:
    frames = (one.get("stacktrace") or {}).get("frames", [])
    lines = [{name: frame[name] for name in KEPT_OF_FRAMES if name in frame} for frame in frames]
    return {"type": one.get("type"), "module": one.get("module"), "stacktrace": {"frames": lines}}
