"""The web application; on the embedded footing only one process may serve one database file."""

import os
import time
from contextlib import suppress

from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError

from config.checks import refuse_what_is_wrong
from config.leftovers import clear
from config.solitude import claim
from config.versions import refuse_newer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
claim()
clear(now=time.time())
application = get_wsgi_application()
refuse_what_is_wrong()
with suppress(DatabaseError):  # away for the moment: requests will say so
    refuse_newer()
