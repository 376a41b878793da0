"""Makes the bare application's tables, texts and signed-in users; prints their sessions as JSON.

python -m bench.bare.seats USERS
"""

import json
import os
import sys

import django
from django.core.management import call_command


def main() -> None:
    """Print a session key a line's user."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.bare.settings")
    django.setup()
    call_command("migrate", verbosity=0)  # first: our own table points at users
    call_command("migrate", run_syncdb=True, verbosity=0)
    print(json.dumps(seats(int(sys.argv[1]))))


def seats(users: int) -> list[str]:
    """Fifty texts, and a session for each user."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415 - needs the apps
    from django.contrib.auth.models import User  # noqa: PLC0415 - likewise
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415 - likewise

    from bench.bare.models import Text  # noqa: PLC0415 - likewise

    words = "Words that stand for an answer of about the usual length. " * 25
    Text.objects.bulk_create(Text(pk=number, left=words, right=words[::-1]) for number in range(1, 51))
    made = []
    for number in range(users):
        user = User.objects.create_user(f"user {number}", password=None)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        made.append(str(session.session_key))
    return made


if __name__ == "__main__":
    main()
