"""The web application; on the embedded footing only one process may serve one database file."""

import os
import sys
from contextlib import suppress

from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError
from django.urls import resolve

from config.checks import refuse_what_is_wrong
from config.solitude import claim
from config.versions import refuse_newer

BOOT_ERROR = 3  # as gunicorn's parent process knows it: it ends, too, instead of trying again for ever


def _begin() -> WSGIHandler:
    """Raises ImproperlyConfigured where this installation must not be served."""
    claim()
    made = get_wsgi_application()
    resolve("/readyz")  # loads every page now, and not while the first visitor of this process waits
    refuse_what_is_wrong()
    with suppress(DatabaseError):  # away for the moment: requests will say so
        refuse_newer()
    return made


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    application = _begin()
except ImproperlyConfigured as error:
    sys.stderr.write(f"blindpair: {error}\n")
    raise SystemExit(BOOT_ERROR) from error
