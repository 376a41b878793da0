"""Single values of a record: text that can be stored, numbers, chat messages, tags."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import Any

from experiments.uploads.json_values import kind
from experiments.uploads.limits import Limits

Messages = list[dict[str, str]]
Tags = list[str] | dict[str, str]

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
MOST_MESSAGES = 1_000
MOST_TAGS = 50
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SEPARATORS = re.compile(r"\s*[,;|]\s*")


class BadValue(Exception):
    """A value that cannot be used: its field, and a sentence that says why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


def text_of(value: Any, field: str, limits: Limits, *, required: bool = True) -> str:
    """The value as it stands, if it is text that can be stored; with `required`, not blank."""
    if not isinstance(value, str):
        raise BadValue(field, f"'{field}' must be text, found {kind(value)}.")
    check_storable(value, field, limits)
    if required and not value.strip():
        raise BadValue(field, f"'{field}' is empty.")
    return value


def is_storable(value: str) -> bool:
    """Whether every database takes the text: no NUL, no half of a surrogate pair."""
    return _UNSTORABLE.search(value) is None


def check_storable(value: str, field: str, limits: Limits) -> None:
    """Raises BadValue on characters that no database takes, and on too many of any."""
    found = _UNSTORABLE.search(value)
    if found:
        raise BadValue(field, f"character U+{ord(found.group()):04X} cannot be stored. Remove it.")
    if len(value) * 4 > limits.field and len(value.encode()) > limits.field:
        raise BadValue(field, f"the text has {len(value.encode()):,} bytes; at most {limits.field:,} are taken.")


def id_of(value: Any, field: str, limits: Limits) -> str:
    """An id: text or a whole number, at most 200 characters."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    made = text_of(value, field, limits).strip()
    if len(made) > 200:
        raise BadValue(field, f"the id has {len(made)} characters; at most 200 are taken.")
    return made


def number_of(value: Any, field: str, *, whole: bool = False) -> float | None:
    """A number of at least 0, or None where there is none."""
    if value is None or value == "" or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        made = float(value)
    except (ValueError, OverflowError):
        raise BadValue(field, f"'{field}' must be a number, found {_shown(value)}.") from None
    if not isfinite(made) or made < 0 or made > 1e15 or (whole and made != int(made)):
        what = "a whole number" if whole else "a number"
        raise BadValue(field, f"'{field}' must be {what} of at least 0, found {_shown(value)}.")
    return made


def messages_of(value: Any, field: str, limits: Limits) -> Messages:
    """Chat messages: each with a role and a text; at least one of the user's, which is not blank."""
    if not isinstance(value, list):
        raise BadValue(field, f"'{field}' must be a list of messages, found {kind(value)}.")
    if not 0 < len(value) <= MOST_MESSAGES:
        raise BadValue(field, f"'{field}' has {len(value)} messages; 1 to {MOST_MESSAGES} are taken.")
    made = [_message(one, number, field, limits) for number, one in enumerate(value, start=1)]
    if not any(one["role"] == "user" and one["content"].strip() for one in made):
        raise BadValue(field, f"'{field}' has no message of the user, or an empty one.")
    return made


def _message(value: Any, number: int, field: str, limits: Limits) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadValue(field, f"message {number} must be an object with role and content, found {kind(value)}.")
    role = value.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise BadValue(field, f"message {number} has the role {_shown(role)}; known are {', '.join(ROLES)}.")
    content = content_of(value.get("content"))
    if not isinstance(content, str):
        raise BadValue(
            field, f"message {number}: 'content' must be text, found {content or kind(value.get('content'))}."
        )
    check_storable(content, field, limits)
    return {"role": ROLES[role], "content": content}


def content_of(value: Any) -> Any:
    """The text of a message's content, also where it comes in parts; what is no text comes back as it is, or None."""
    if not isinstance(value, list) or not value:
        return value if isinstance(value, str) else None
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in value]
    texts = [part for part in parts if isinstance(part, str)]
    return "\n".join(texts) if len(texts) == len(parts) else None


def tags_of(value: Any, field: str, limits: Limits) -> Tags:
    """A list of words, or an object of words; text is split at commas, semicolons and bars."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return {tag_of(key, field, limits): tag_of(one, field, limits) for key, one in value.items() if one is not None}
    if isinstance(value, str):
        value = [part for part in _SEPARATORS.split(value.strip()) if part]
    if not isinstance(value, list):
        raise BadValue(field, f"'{field}' must be a list or an object of words, found {kind(value)}.")
    if len(value) > MOST_TAGS:
        raise BadValue(field, f"{len(value)} tags; at most {MOST_TAGS} are taken.")
    return list(dict.fromkeys(tag_of(one, field, limits) for one in value))


def tag_of(value: Any, field: str, limits: Limits) -> str:
    """One word or phrase, at most 100 characters."""
    if isinstance(value, int | float):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    made = text_of(value, field, limits, required=False).strip()
    if len(made) > 100:
        raise BadValue(field, f"a tag has {len(made)} characters; at most 100 are taken.")
    return made


def near(name: str, names: Sequence[str]) -> str:
    """A question whether another name was meant, or nothing."""
    found = get_close_matches(name.casefold(), [one.casefold() for one in names], n=1, cutoff=0.6)
    return next((f" Did you mean {one!r}?" for one in names if one.casefold() == found[0]), "") if found else ""


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:40] + "…")
    return str(value)[:40] if isinstance(value, int | float) and not isinstance(value, bool) else kind(value)
