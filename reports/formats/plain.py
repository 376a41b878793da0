"""The report as JSON: exactly the data, no rounding."""

import json
from typing import Any


def to_json(report: dict[str, Any]) -> str:
    """Indented, UTF-8, strict: a number that JSON does not know is a fault, not `NaN`."""
    return json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
