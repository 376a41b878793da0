"""The report in a real browser, at a desk and on a phone, light, dark and printed: whole, legible, nothing cut."""

from collections.abc import Iterator
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from experiments.models import Experiment
from reports import assumptions, benchmarks
from reports.benchmarks import Score
from tests.browsing import a_page
from tests.reports import studies

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Words of a picture that lie on each other or outside the window; names of elements that are wider than the window.
OVERLAPS = """() => [...document.querySelectorAll('#report svg')].flatMap(svg => {
  const words = [...svg.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0);
  const outside = words.filter(([, box]) => box.left < 0 || box.right > innerWidth).map(([word]) => word);
  const pairs = words.flatMap(([word, a], i) => words.slice(i + 1).filter(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
    .map(([other]) => word + ' on ' + other));
  return [...outside, ...pairs];
})"""
CUT = """() => [...document.querySelectorAll('main *')].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && box.right > innerWidth + 1 && !one.closest('svg, .scroll, .sr');
}).map(one => one.outerHTML.slice(0, 80))"""
SIDEWAYS = """() => [...document.querySelectorAll('#report .scroll')]
  .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent.trim().slice(0, 60))"""
PICTURES = {".forest .point": 4, ".votes .part": 4, "svg .dot": 24, "svg .quantile": 4, ".curve .band": 1}


@pytest.fixture
def study(live_server: LiveServer) -> Experiment:
    """Monitored, with costs, tags, flags and public scores: every part of the report has something to show."""
    made = studies.a_study(votes="WTLWB", inputs=12, raters=4, monitored=True, title="Support answers")
    made.owners.add(User.objects.create_user("owner@example.org"))
    assumptions.state(experiment=made, values={"requests_per_day": 4000, "governance_per_year": 6000})
    given = [Score(name="MMLU-PRO", score=41.2, source="model card", dated=date(2026, 10, 1))]
    benchmarks.add(experiment=made, scores={studies.systems(made)[1].arm.code: given})
    return made


@pytest.fixture
def page(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, study: Experiment
) -> Iterator[Page]:
    """Signed in; the parameter is the size and the colours."""
    size, scheme = request.param
    with a_page(browser, live_server.url, size=size, color_scheme=scheme) as (opened, complaints):
        client = Client()
        client.force_login(User.objects.get())
        name = settings.SESSION_COOKIE_NAME
        opened.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        yield opened
        assert complaints == []


def everywhere(*sizes: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", sizes, indirect=True, ids=[" ".join(one) for one in sizes])


def looks_whole(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVERLAPS) == []


@everywhere(("desk", "light"), ("desk", "dark"), ("tablet", "light"), ("phone", "light"), ("phone", "dark"))
def test_the_report_is_whole_at_every_size(page: Page, live_server: LiveServer, study: Experiment) -> None:
    page.goto(f"{live_server.url}/experiments/{study.pk}/report/")
    looks_whole(page)
    assert page.evaluate(SIDEWAYS) == []
    for picture, least in PICTURES.items():
        assert page.locator(picture).count() >= least, picture
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    first, *numbers = page.locator(".verdict-sentence, .number .is-candidate b").all()
    assert "candidate" in first.inner_text()
    assert len(numbers) == 3
    boxes = [one.bounding_box() for one in numbers]
    assert all(box and box["width"] > 0 for box in boxes)
    if page.viewport_size and page.viewport_size["width"] > 1000:
        assert len({round(box["y"]) for box in boxes if box}) == 1  # side by side


@everywhere(("desk", "dark"))
def test_on_paper_there_are_no_forms_and_nothing_is_cut(page: Page, live_server: LiveServer, study: Experiment) -> None:
    page.goto(f"{live_server.url}/experiments/{study.pk}/report/")
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size({"width": 673, "height": 1000})  # A4 between its margins
    looks_whole(page)
    assert page.evaluate(SIDEWAYS) == []
    for hidden in (".contents", "form", ".topbar", ".page-action"):
        assert page.locator(hidden).locator("visible=true").count() == 0, hidden
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".numbers > .number").count() == 3


@everywhere(("desk", "light"), ("tablet", "dark"), ("phone", "dark"))
def test_exports_and_pairs_fit_and_axe_finds_nothing(page: Page, live_server: LiveServer, study: Experiment) -> None:
    for place in ("exports/", "report/pairs/"):
        page.goto(f"{live_server.url}/experiments/{study.pk}/{place}")
        looks_whole(page)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], place


@everywhere(("phone", "light"))
def test_a_public_score_is_typed_without_leaving_the_page(
    page: Page, live_server: LiveServer, study: Experiment
) -> None:
    page.goto(f"{live_server.url}/experiments/{study.pk}/report/#context")
    page.get_by_text("Add public scores").click()
    looks_whole(page)
    form = page.locator("form[action$='/typed/']")
    form.get_by_label("Benchmark").fill("IFEval")
    form.get_by_label("Score").fill("75.85")
    form.get_by_label("Source", exact=True).fill("model card")
    form.get_by_label("Date of the source").fill("2026-10-01")
    form.get_by_role("button", name="Add").click()
    page.wait_for_url("**/report/#context")
    assert page.locator(".public").get_by_text("IFEval").count() == 1
