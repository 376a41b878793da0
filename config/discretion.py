"""What a report of a fault may show: where it happened, and nothing of what passed through there."""

import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

_KNOWN = SafeExceptionReporterFilter.hidden_settings.pattern


class Discreet(SafeExceptionReporterFilter):
    """No variables, no form fields, no setting that opens anything; also on the debug pages of a developer."""

    hidden_settings = re.compile(f"{_KNOWN}|DATABASE_URL|REDIS_URL|EMAIL_URL|BROKER_URL|LOCATION", re.I)

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """The names of the fields alone."""
        return dict.fromkeys(request.POST if request else {}, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        """None: keys and customers' texts pass through everything."""
        return []
