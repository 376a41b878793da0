"""What the page costs, measured in Chromium: one request for each further pair, and few bytes beside the texts."""

import gzip
import random
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response

from experiments.models import Output
from tests.browser.conftest import Sit
from tests.browser.sitting import an_experiment_of
from tests.needs import CHECKOUT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST_VIEW = 150_000
FURTHER_PAIR = 4_096
WORDS = ["notice", "lease", "landlord", "tenant", "deposit", "clause", "contract", "month", "letter", "court", "fee"]


def a_text(seed: int) -> str:
    """About 3,000 characters of Markdown with bold and italic type."""
    draw = random.Random(seed)
    return "\n\n".join(f"**{number}.** *In short:* {' '.join(draw.choices(WORDS, k=40))}." for number in range(1, 12))


def on_the_wire(response: Response) -> int:
    """Bytes of the body as sent; static files, which this server sends as they are, as WhiteNoise compresses them."""
    path = urlsplit(response.url).path
    if path.startswith("/static/"):
        body = (CHECKOUT / path.removeprefix("/")).read_bytes()
        return len(body if path.endswith(".woff2") else gzip.compress(body))
    return response.request.sizes()["responseBodySize"]


def hear(page: Page) -> list[Response]:
    """Every answer that the page gets from now on."""
    heard: list[Response] = []

    def note(response: Response) -> None:
        heard.append(response)

    page.on("response", note)
    return heard


def own_texts(body: str) -> str:
    """The markup of the outputs that an answer holds."""
    return "".join(html for html in Output.objects.values_list("html", flat=True) if html.strip() in body)


def test_the_first_view_weighs_less_than_150_kb_with_its_fonts(sit: Sit) -> None:
    rater = sit(an_experiment_of((a_text(1), a_text(2))))
    rater.page.context.new_cdp_session(rater.page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    heard = hear(rater.page)
    rater.page.goto(f"{rater.origin}/rate/", wait_until="networkidle")
    weights = {urlsplit(one.url).path: on_the_wire(one) for one in heard}
    assert len(weights) > 10
    assert any(path.endswith(".woff2") for path in weights)
    assert sum(weights.values()) < FIRST_VIEW, weights


def test_a_further_pair_is_one_request_of_four_kilobytes_beyond_its_texts(sit: Sit) -> None:
    rater = sit(an_experiment_of(*((a_text(2 * number), a_text(2 * number + 1)) for number in range(3))))
    heard = hear(rater.page)
    rater.judge("1", "2")
    heard = [one for one in heard if not one.url.endswith("icon.svg")]  # Chromium asks for it once, when it likes
    assert [urlsplit(one.url).path for one in heard] == ["/rate/", "/rate/"]
    for answer in heard:
        texts = own_texts(answer.text())
        assert len(texts) > 5000
        assert on_the_wire(answer) - len(gzip.compress(texts.encode())) <= FURTHER_PAIR
