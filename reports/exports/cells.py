"""What a spreadsheet would run as a formula, made harmless: such a cell starts with an apostrophe."""

import re
from typing import Any

# Half and full-width forms; a spreadsheet also looks behind leading blanks.
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]")
# Where the list separator is no comma, a cell ends at its semicolons, tabs and line breaks: quotes do not hold it.
_FORMULA_INSIDE = re.compile(r"(?<=[;\t\r\n])(?=\s*[=+\-@＝＋－＠])")


def harmless(value: Any) -> Any:
    """The value for a cell: text that would be a formula gets a leading apostrophe, numbers stay numbers."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def written(value: Any) -> Any:
    """The value as text files write it: yes and no for truth, empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _FORMULA_INSIDE.sub("'", harmless(value)) if isinstance(value, str) else value
