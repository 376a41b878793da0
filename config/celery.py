"""The Celery application of the scaled footing; tasks are doorbells and carry ids only."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("blindpair")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A sweep that nobody took in time is worth nothing: the next one follows.
app.conf.beat_schedule = {
    "sweep": {"task": "backends.tasks.sweep", "schedule": 60.0, "options": {"expires": 30.0}},
    "retention": {"task": "console.tasks.sweep", "schedule": 3600.0, "options": {"expires": 1800.0}},
}
