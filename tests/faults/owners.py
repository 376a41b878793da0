"""An owner of an installation: an account made in a process of its own, and a browser without scripts."""

import subprocess
import sys

import httpx

from tests.journeys.drivers import Form, Installation
from tests.needs import CHECKOUT

EMAIL, PASSWORD = "owner@example.org", "correct horse battery"
MAKE = f"""
import django
django.setup()
from accounts.models import User
User.objects.create_superuser("{EMAIL}", "{PASSWORD}")
"""


def make_owner(here: Installation) -> None:
    """The account."""
    environment = here.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", MAKE], cwd=CHECKOUT, env=environment, check=True)


def sign_in(client: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    """One try on the page for it."""
    form = Form(client.get("/login/").text)
    return client.post("/login/", data=form.fields | {"email": EMAIL, "password": password})
