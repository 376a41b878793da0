"""What a rater's templates may know: text, numbers and random handles, never a row, a name or a key of one."""

from dataclasses import dataclass
from uuid import UUID


class CleanHtml(str):
    """Markup that `experiments.rendering` has sanitised; a plain `str` is always escaped by the template."""

    __slots__ = ()

    def __html__(self) -> str:
        """The protocol by which template engines recognise finished markup."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Comfort:
    """How a rater likes to read: applied as data attributes on `<html>`, so that it holds at first paint."""

    size: str = "m"  # m, l, xl
    theme: str = "auto"  # auto, light, dark
    text: str = "rendered"  # rendered, plain
    keys: str = "on"  # on, off


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindMessage:
    """One message of the input: `role` is system, user or assistant; `text` is what `html` was made from."""

    role: str
    html: CleanHtml
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCriterion:
    """One line to judge beside the overall verdict; `chosen` is an earlier verdict, or empty."""

    position: int
    name: str
    description: str
    chosen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindPair:
    """Two outputs to one input, as one rater sees them. `left` is card A wherever it stands on the screen.

    `number` counts from 1 to `total`. `minutes_left` is None until it can be estimated. `break_after` is the number
    of pairs done when a break is due, else None. `again` is the handle of the pair that Undo brings back. The fields
    from `chosen` on hold an earlier answer, when a pair is shown again: verdict and strength by their values,
    acceptable as "yes", "no" or "".
    """

    token: UUID
    key: UUID
    number: int
    total: int
    question: str
    messages: tuple[BlindMessage, ...]
    left_html: CleanHtml
    right_html: CleanHtml
    left_text: str
    right_text: str
    minutes_left: int | None = None
    break_after: int | None = None
    again: UUID | None = None
    criteria: tuple[BlindCriterion, ...] = ()
    ask_acceptable: bool = False
    ask_strength: bool = False
    require_comment: bool = False
    chosen: str = ""
    strength: str = ""
    left_acceptable: str = ""
    right_acceptable: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindGuess:
    """The question after a verdict: which card comes from the system in use today? Same texts, same sides."""

    token: UUID
    number: int
    total: int
    left_html: CleanHtml
    right_html: CleanHtml
    left_text: str
    right_text: str
    minutes_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindAnswer:
    """One line of "your last answers": `request` is the start of the input's last message, on one line."""

    token: UUID
    number: int
    request: str
    verdict: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """What a rater is told before and while rating; `minutes` is an estimate for all pairs, None if unknown.

    `asked_by` names the owner as a person ("Dr. Ada Byron" or an e-mail address), never the experiment.
    """

    question: str
    instructions_html: CleanHtml
    asked_by: str
    pairs: int
    minutes: int | None
    retention_days: int | None
    criteria: tuple[BlindCriterion, ...] = ()
    ask_acceptable: bool = False
    ask_strength: bool = False
    ask_guess: bool = False
    require_comment: bool = False
