"""Tests keep to a data folder and secrets of their own; loaded (by `-p`) before Django reads its settings."""

import atexit
import os
import shutil
import tempfile

from tests.prepared import place_for_all

place_for_all()  # before the processes of a parallel run are started, so that they share it
_folder = tempfile.mkdtemp(prefix="blindpair-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["BLINDPAIR_DATA"] = _folder
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["SECRET_KEY"] = "a-secret-for-tests-only-of-more-than-fifty-characters-in-all"
os.environ["BLINDPAIR_ENCRYPTION_KEYS"] = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
for name in ("REDIS_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "EMAIL_URL", "BLINDPAIR_ENDPOINT_HOSTS"):
    os.environ.pop(name, None)
# Playwright's synchronous driver keeps an event loop in the test's own thread, which Django would take for a mistake.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
