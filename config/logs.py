"""Structured log lines: time, level, logger and message as one JSON object, without bodies or tokens."""

import hashlib
import json
import logging
import re
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; an exception as its traceback text."""
        line = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Brief(logging.Filter):
    """Leaves the traceback off where Django refused a request: whoever sends nonsense fills no log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        refused = record.name.startswith("django.") and record.levelno < logging.ERROR
        if refused or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


class WithoutTokens(logging.Filter):
    """Writes the start of a hash where an address holds the token of a personal link."""

    secret = re.compile(r"(/(?:r|welcome)/)([^/\s'\"]+)")

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, with its tokens replaced."""
        message = record.getMessage()
        cleaned = self.secret.sub(self._hashed, message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        return True

    @staticmethod
    def _hashed(found: re.Match[str]) -> str:
        return f"{found[1]}#{hashlib.sha256(found[2].encode()).hexdigest()[:12]}"
