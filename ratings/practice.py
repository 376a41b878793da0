"""Two fixed pairs to practise on, each with a note on every verdict; they are never stored or counted."""

from uuid import UUID

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from ratings.blind import BlindMessage, BlindPair, CleanHtml

STEPS = 2
NOBODY = UUID(int=0)

QUESTION = _("Which response would you rather send?")
REQUESTS: dict[int, Promise] = {
    1: _("My parcel was due on Monday and has not arrived. What can I do?"),
    2: _("How many minutes should I boil a medium egg so that the yolk stays soft?"),
}
LEFT: dict[int, tuple[Promise, ...]] = {
    1: (
        _("I am sorry for the delay. Please check the tracking number in your order confirmation first."),
        _("If it has not moved for two working days, write to us with the order number, and we will send it again."),
    ),
    2: (_("Six to seven minutes in boiling water, then cool it under cold water at once."),),
}
RIGHT: dict[int, tuple[Promise, ...]] = {
    1: (_("Parcels are sometimes late. It will probably arrive soon."),),
    2: (
        _("About six and a half minutes from the moment the water boils."),
        _("Cooling it quickly afterwards keeps the yolk from setting."),
    ),
}
NOTES: dict[int, dict[str, Promise]] = {
    1: {
        "left": _("Most people would say so too: A tells the customer what to do, B does not."),
        "right": _("That is possible, but look again: A tells the customer what to do, B does not."),
        "both_good": _("Use this when you would be glad to send either. Here most people find A more useful."),
        "both_bad": _("Use this when you would send neither. Here most people would send A."),
    },
    2: {
        "left": _("A small preference counts. But these two say the same, so both good is right as well."),
        "right": _("A small preference counts. But these two say the same, so both good is right as well."),
        "both_good": _("Quite so: both are right and say the same. A tie is a real answer, use it freely."),
        "both_bad": _("Use this when you would send neither. Here both are right and say the same."),
    },
}


def pair(step: int) -> BlindPair:
    """The pair of a step, 1 to `STEPS`; any other step is a KeyError."""
    request = str(REQUESTS[step])
    return BlindPair(
        token=NOBODY,
        key=NOBODY,
        number=step,
        total=STEPS,
        question=str(QUESTION),
        messages=(BlindMessage(role="user", html=CleanHtml(format_html("<p>{}</p>", request)), text=request),),
        left_html=_paragraphs(LEFT[step]),
        right_html=_paragraphs(RIGHT[step]),
        left_text="\n\n".join(map(str, LEFT[step])),
        right_text="\n\n".join(map(str, RIGHT[step])),
    )


def note(step: int, verdict: str) -> str:
    """What to say about a verdict on a step; an unknown one is a KeyError."""
    return str(NOTES[step][verdict])


def _paragraphs(texts: tuple[Promise, ...]) -> CleanHtml:
    return CleanHtml(format_html_join("", "<p>{}</p>", ((text,) for text in texts)))
