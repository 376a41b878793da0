"""Runs pytest again and again in forked children, which find everything but the project imported already.

One job a line on standard input, the words for pytest as JSON; one exit code a line on standard output.
"""

import gc
import importlib
import json
import os
import sys

KNOWN = (
    "celery.app.task",
    "celery.signals",
    "cryptography.hazmat.primitives.ciphers.aead",
    "datasketch",
    "detect_secrets.core.scan",
    "django.core.handlers.wsgi",
    "django.db.models",
    "django.forms",
    "django.test",
    "django.views.decorators.http",
    "environ",
    "httpx",
    "httpx_sse",
    "importlinter.cli",
    "markdown_it",
    "kombu.transport.redis",
    "nh3",
    "numpy",
    "openpyxl",
    "phonenumbers",
    "playwright.sync_api",
    "psycopg",
    "pyarrow.parquet",
    "pydantic",
    "pygments.lexers",
    "pytest",
    "redis",
    "requests",
    "scipy.stats",
    "stdnum.iban",
    "yaml",
    "whitenoise.storage",
)


def main() -> None:
    """Take jobs until there are no more."""
    for name in KNOWN:
        importlib.import_module(name)
    pytest = importlib.import_module("pytest")
    gc.freeze()  # what is here stays: no child need search it
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            sys.exit(pytest.main(job["words"]))
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")


if __name__ == "__main__":
    main()
