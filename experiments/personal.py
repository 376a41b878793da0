"""Personal data and secrets in a text: found by maintained detectors, masked alike wherever they stand again.

Telephone numbers: phonenumbers (Google's library). Card numbers and IBANs: python-stdnum. Keys and tokens:
detect-secrets, its detectors of known formats; those that guess by keyword or entropy find too much in prose.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector
from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, luhn

# Numbers as they are written at home are looked for in the formats of these countries, "+49 …" in those of all.
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "SE", "AU", "IN", "BR", "JP")

_EMAIL = re.compile(r"(?<![\w.%+'-])[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}\b")
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w]|\.\d)")
# Of the networks that issue cards: a sixteen-digit number of another kind passes the check sum one time in ten.
_ISSUED = re.compile(r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7]|35|64|65)\d{14}|3[47]\d{13}|3[068]\d{12}|6011\d{12}")
_AT_HOME = re.compile(r"(?<![\w.(])\(?\d{1,5}\)?(?:[ \u00a0./-]{1,2}\(?\d{2,8}\)?){1,5}(?!\w|[ \u00a0.,/-]\d)")
_SPLIT = re.compile(r"\d[ \u00a0()/-]+\d|\.\d+\.")


class ModelKeyDetector(RegexBasedDetector):
    """Keys of model providers, web tokens and private keys as a whole: what detect-secrets does not know, or finds in
    a time that grows with the square of a hostile text.
    """

    secret_type = "Model provider key"  # noqa: S105  # the name of a kind
    denylist = (
        re.compile(r"\bsk-(?:ant|or|proj|svcacct)-[\w-]{20,}"),
        re.compile(r"\bsk-[\w-]{0,200}T3BlbkFJ\w{20}"),
        re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
        re.compile(r"\bAIza[\w-]{35}"),
        re.compile(r"\bhf_[A-Za-z]{34}\b"),
        re.compile(r"\bgithub_pat_\w{22,}"),
        re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    )


_SECRETS: tuple[RegexBasedDetector, ...] = (
    ModelKeyDetector(),
    AWSKeyDetector(),
    AzureStorageKeyDetector(),
    BasicAuthDetector(),
    DiscordBotTokenDetector(),
    GitHubTokenDetector(),
    GitLabTokenDetector(),
    MailchimpDetector(),
    PypiTokenDetector(),
    SendGridDetector(),
    SlackDetector(),
    SquareOAuthDetector(),
    StripeDetector(),
    TelegramBotTokenDetector(),
    TwilioKeyDetector(),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where something stands: its kind (email, phone, card, iban, secret), and what makes it the same elsewhere."""

    kind: str
    start: int
    end: int
    same: str


def find(text: str) -> list[Found]:
    """All that is found, in the order of the text; where two overlap, the one named first in FINDERS."""
    kept: list[Found] = []
    taken = bytearray(len(text))
    for finder in FINDERS:
        for one in finder(text):
            if not any(taken[one.start : one.end]):
                kept.append(one)
                taken[one.start : one.end] = b"\1" * (one.end - one.start)
    return sorted(kept, key=lambda one: one.start)


def _secrets(text: str) -> Iterator[Found]:
    for detector in _SECRETS:
        for pattern in detector.denylist:
            for hit in pattern.finditer(text):
                # Of an address with a password only the password is one.
                start, end = hit.span(1 if isinstance(detector, BasicAuthDetector) else 0)
                yield Found("secret", start, end, text[start:end])


def _emails(text: str) -> Iterator[Found]:
    if "@" in text:
        for hit in _EMAIL.finditer(text):
            yield Found("email", *hit.span(), hit[0].casefold())


def _ibans(text: str) -> Iterator[Found]:
    for hit in _IBAN.finditer(text):
        words = hit[0]
        while words:
            if iban.is_valid(words):
                yield Found("iban", hit.start(), hit.start() + len(words), words.replace(" ", ""))
                break
            words = words.rpartition(" ")[0]  # a word in capitals may follow


def _cards(text: str) -> Iterator[Found]:
    for hit in _CARD.finditer(text):
        digits = re.sub(r"\D", "", hit[0])
        if _ISSUED.fullmatch(digits) and luhn.is_valid(digits):
            yield Found("card", *hit.span(), digits)


def _phones(text: str) -> Iterator[Found]:
    if "+" in text:
        for hit in PhoneNumberMatcher(text, None):
            yield Found("phone", hit.start, hit.end, f"{hit.number.country_code}{hit.number.national_number}")
    for near in _AT_HOME.finditer(text):
        digits = re.sub(r"\D", "", near[0])
        if 8 <= len(digits) <= 13 and _SPLIT.search(near[0]) and _is_written_like_a_number(near[0], digits):
            yield Found("phone", *near.span(), digits)


@lru_cache(maxsize=4096)
def _is_written_like_a_number(words: str, digits: str) -> bool:
    """Whether it is, as a whole and in its grouping, how one of the countries writes a number that exists."""
    return any(
        re.sub(r"\D", "", hit.raw_string) == digits
        for region in REGIONS
        for hit in PhoneNumberMatcher(words, region, leniency=Leniency.STRICT_GROUPING)
    )


FINDERS: tuple[Callable[[str], Iterator[Found]], ...] = (_secrets, _emails, _ibans, _cards, _phones)
KINDS = ("email", "phone", "card", "iban", "secret")


def count(texts: Iterable[str]) -> dict[str, int]:
    """How many of each kind stand in the texts; kinds of which there are none are left out."""
    counted = Counter(one.kind for text in texts for one in find(text))
    return {kind: counted[kind] for kind in KINDS if counted[kind]}


class Masks:
    """Numbers given to what was found, so that the same value has the same mask wherever it stands again.

    `state` can be kept as JSON: a key, and numbers by a keyed hash of each value. The values themselves are not in it.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self.key = str(state["key"])
        self._numbers: dict[str, dict[str, int]] = {kind: dict(state.get(kind, {})) for kind in KINDS}

    @property
    def state(self) -> dict[str, Any]:
        """To go on from later."""
        return {"key": self.key, **{kind: numbers for kind, numbers in self._numbers.items() if numbers}}

    def masked(self, text: str) -> str:
        """The text with `[EMAIL_1]`, `[PHONE_2]` … in the place of what was found."""
        parts, at = [], 0
        for one in find(text):
            parts += [text[at : one.start], f"[{one.kind.upper()}_{self._number(one)}]"]
            at = one.end
        return "".join([*parts, text[at:]])

    def _number(self, one: Found) -> int:
        numbers = self._numbers[one.kind]
        name = hmac.new(self.key.encode(), one.same.encode(), hashlib.sha256).hexdigest()[:24]
        return numbers.setdefault(name, len(numbers) + 1)
