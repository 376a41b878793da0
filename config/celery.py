"""The Celery application of the scaled footing; tasks are doorbells and carry ids only."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from config.checks import refuse_a_worker
from config.versions import refuse_newer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    settings.SCALED  # noqa: B018 - reading one reads all, and nonsense ends the start here
except ImproperlyConfigured as error:
    raise SystemExit(f"blindpair: {error}") from error
app = Celery("blindpair")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A sweep that nobody took in time is worth nothing: the next one follows.
app.conf.beat_schedule = {
    "sweep": {"task": "backends.tasks.sweep", "schedule": 60.0, "options": {"expires": 30.0}},
    "retention": {"task": "console.tasks.sweep", "schedule": 3600.0, "options": {"expires": 1800.0}},
}


def refuse_to_guess(**_: Any) -> None:
    """A worker ends at once where it is unsafe, or of an older version: rows may say what it does not understand."""
    try:
        refuse_a_worker()
        refuse_newer()
    except DatabaseError:
        return  # away for the moment: the engine waits for it
    except ImproperlyConfigured as error:  # a NewerDatabase is one
        raise SystemExit(f"blindpair: {error}") from error


worker_init.connect(refuse_to_guess)
