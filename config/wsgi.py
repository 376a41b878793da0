"""The web application; on the embedded footing only one process may serve one database file."""

import os

from django.core.wsgi import get_wsgi_application

from config.checks import refuse_what_is_wrong
from config.solitude import claim

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
claim()
application = get_wsgi_application()
refuse_what_is_wrong()
