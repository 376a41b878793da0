"""Structured log lines: time, level, logger and message as one JSON object, without bodies or tokens."""

import hashlib
import json
import logging
import re
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what a record says of a request stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; an exception as its traceback text."""
        line = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "request_facts", {})
        if record.exc_info:
            line["exception"] = record.exc_text or without_tokens(self.formatException(record.exc_info))
        return json.dumps(line)


class Brief(logging.Filter):
    """Leaves the traceback off where Django refused a request: whoever sends nonsense fills no log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        refused = record.name.startswith("django.") and record.levelno < logging.ERROR
        if refused or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


# Whatever was put behind a token may be one, too.
_secret = re.compile(r"(/(?:r|welcome)/)([^/\s'\"]+)(/?)([^\s'\"]*)", re.IGNORECASE)


def without_tokens(text: str) -> str:
    """The text with the start of a hash in the place of every token of a link."""
    return _secret.sub(lambda at: f"{at[1]}#{short_hash(at[2])}{at[3]}{'…' if at[4] else ''}", text)


def short_hash(token: str) -> str:
    """Enough of a token's hash to find lines that belong together."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


_plain = logging.Formatter()


class WithoutTokens(logging.Filter):
    """Writes the start of a hash where an address holds the token of a personal link."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, with its tokens replaced."""
        message = record.getMessage()
        cleaned = without_tokens(message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = without_tokens(_plain.formatException(record.exc_info))
        return True
