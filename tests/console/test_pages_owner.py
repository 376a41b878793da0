"""The owners' pages in a real browser: nothing to complain about at any size, and what only a script does."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from backends.models import Completion
from console import staging
from experiments.actions import NewInput, store_output
from experiments.models import Experiment
from experiments.spares import add_spares
from ratings.models import Rater
from tests.browsing import WIDTHS, Complaints, a_page
from tests.factories import a_rated_experiment, a_system, an_endpoint, an_experiment, answers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK, TABLET = ({"width": WIDTHS[size][0], "height": WIDTHS[size][1]} for size in ("desk", "tablet"))


@pytest.fixture
def owner(live_server: LiveServer) -> User:
    return User.objects.create_user("owner@example.org", is_staff=True)


def signed_in(page: Page, origin: str, user: User) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": origin}])


@pytest.fixture
def rated(owner: User) -> Experiment:
    made = a_rated_experiment(title="Complaint letters", raters=2, inputs=3, closed=False)
    made.owners.add(owner)
    return made


@pytest.fixture
def flagged(owner: User) -> Experiment:
    made = an_experiment(title="Support answers", inputs=3, owner=owner, status="collecting")
    for name in ("local", "hosted"):
        system = a_system(made, name, endpoint=an_endpoint(), parameters={"temperature": len(name)})
        answers(system)
    for item in list(made.inputs.all())[:2]:
        store_output(input=item, arm=system.arm, raw_text="I am Qwen, glad to help.", outcome="complete")
    return made


def looks_right(page: Page, complaints: Complaints) -> None:
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0, page.url
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], page.url
    # A report before its time answers 409, which the browser notes.
    assert [one for one in complaints if "409 (Conflict)" not in one] == []


@pytest.fixture
def drafted(owner: User) -> list[str]:
    """The pages of a draft whose sample was drawn from a log with an address in it, and of the file it came from."""
    said = [{"role": "user", "content": "Write to ada@example.org."}]
    draft = an_experiment(title="A draft", inputs=2, owner=owner)
    draft.inputs.update(personal={"email": 1}, messages=said)
    a_system(draft, "asked", endpoint=an_endpoint())
    add_spares(experiment=draft, rows=[(NewInput(external_id="s1", messages=said, tags=["odd"]), {})])
    handle = staging.keep(draft, [b'{"id": "a", "input": "Write to ada@example.org."}\n{"id": "b"}\n'])
    pages = (
        "question/",
        "plan/",
        "inputs/",
        "inputs/new/",
        "inputs/1/swap/",
        "systems/new/",
        "systems/recorded/",
        "systems/edit/?name=asked",
    )
    previews = (f"inputs/preview/?upload={handle}&name=log.jsonl", f"inputs/preview/?upload={handle}&name=log.csv")
    return ["/experiments/new/", *(f"/experiments/{draft.pk}/{page}" for page in (*pages, *previews))]


@pytest.fixture
def paths(rated: Experiment, flagged: Experiment, drafted: list[str]) -> list[str]:
    parts = ("", "inputs/", "systems/", "collecting/", "check/", "open/", "delete/", "log/")
    return [
        "/",
        *drafted,
        "/account/",
        "/people/",
        "/log/",
        "/experiments/bundle/",
        "/endpoints/",
        "/endpoints/new/",
        f"/endpoints/{endpoint_of(flagged)}/",
        *(f"/experiments/{flagged.pk}/{part}" for part in parts),
        *(f"/experiments/{rated.pk}/{part}" for part in ("", "raters/", "raters/judgments/", "close/", "report/")),
    ]


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_every_page_fits_and_axe_finds_nothing(
    browser: Browser, live_server: LiveServer, paths: list[str], size: str, scheme: str
) -> None:
    with a_page(browser, live_server.url, size=size, color_scheme=scheme) as (page, complaints):
        signed_in(page, live_server.url, User.objects.get())
        for path in paths:
            page.goto(live_server.url + path)
            looks_right(page, complaints)
            if size == "desk":  # the same page on a tablet
                page.set_viewport_size(TABLET)
                looks_right(page, complaints)
                page.set_viewport_size(DESK)


@pytest.mark.parametrize("part", ["systems/", "inputs/"])
def test_on_a_phone_an_opened_menu_stays_on_the_screen(
    browser: Browser, live_server: LiveServer, flagged: Experiment, part: str
) -> None:
    with a_page(browser, live_server.url, size="phone") as (page, complaints):
        signed_in(page, live_server.url, User.objects.get())
        page.goto(f"{live_server.url}/experiments/{flagged.pk}/{part}")
        page.locator("main details.menu > summary").click()
        expect(page.locator("main .menu-panel")).to_be_visible()
        looks_right(page, complaints)


def endpoint_of(experiment: Experiment) -> int:
    row = Completion.objects.filter(system__arm__experiment=experiment).first()
    assert row is not None
    assert row.system.endpoint_id is not None
    return row.system.endpoint_id


def test_collecting_is_followed_live_and_stops_asking_when_it_is_done(
    browser: Browser, live_server: LiveServer, owner: User
) -> None:
    experiment = an_experiment(inputs=2, owner=owner, status="collecting")
    system = a_system(experiment, "local", endpoint=an_endpoint())
    for item in experiment.inputs.all():
        Completion.objects.create(system=system, input=item)
    with a_page(browser, live_server.url) as (page, complaints):
        signed_in(page, live_server.url, owner)
        page.goto(f"{live_server.url}/experiments/{experiment.pk}/collecting/")
        expect(page.get_by_text("0 of 2")).to_be_visible()
        Completion.objects.all().delete()
        answers(system)
        expect(page.get_by_text("2 of 2")).to_be_visible()
        expect(page.get_by_text("Every answer is here.")).to_be_visible()
        expect(page.get_by_role("link", name="Check the outputs")).to_be_visible()
        assert page.locator("[hx-trigger]").count() == 0
        assert complaints == []


def test_all_flagged_answers_are_chosen_with_one_click_and_masked(
    browser: Browser, live_server: LiveServer, owner: User, flagged: Experiment
) -> None:
    with a_page(browser, live_server.url) as (page, complaints):
        signed_in(page, live_server.url, owner)
        page.goto(f"{live_server.url}/experiments/{flagged.pk}/check/")
        page.get_by_label("All on this page").check()
        page.get_by_role("button", name="Mask the names").click()
        expect(page.get_by_text("2 answers were masked.")).to_be_visible()
        expect(page.get_by_role("link", name="Open rating…")).to_be_visible()
        assert complaints == []


def test_a_link_is_made_without_scripts_too(browser: Browser, live_server: LiveServer, owner: User) -> None:
    experiment = a_rated_experiment(raters=1, inputs=2, closed=False)
    experiment.owners.add(owner)
    with a_page(browser, live_server.url, size="phone", java_script_enabled=False) as (page, complaints):
        signed_in(page, live_server.url, owner)
        page.goto(f"{live_server.url}/experiments/{experiment.pk}/raters/")
        page.get_by_label("Names, one a line").fill("Dr. Weber")
        page.get_by_role("button", name="Make links").click()
        expect(page.locator("#link-1")).to_contain_text("/r/")
        assert Rater.objects.filter(label="Dr. Weber").exists()
        assert complaints == []


def test_a_link_is_copied(browser: Browser, live_server: LiveServer, owner: User, rated: Experiment) -> None:
    permissions = {"permissions": ["clipboard-read", "clipboard-write"]}
    with a_page(browser, live_server.url, **permissions) as (page, complaints):
        signed_in(page, live_server.url, owner)
        page.goto(f"{live_server.url}/experiments/{rated.pk}/raters/")
        page.get_by_label("Or so many links").fill("1")
        page.get_by_role("button", name="Make links").click()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        page.get_by_label("Names, one a line").focus()
        page.keyboard.press("Control+V")  # no script of ours may read the clipboard, a person may paste
        assert page.get_by_label("Names, one a line").input_value() == page.locator("#link-1").inner_text()
        looks_right(page, complaints)


def test_an_endpoint_is_tested_in_place(browser: Browser, live_server: LiveServer, owner: User) -> None:
    endpoint = an_endpoint(name="nobody home")
    with a_page(browser, live_server.url) as (page, complaints):
        signed_in(page, live_server.url, owner)
        page.goto(f"{live_server.url}/endpoints/")
        page.get_by_role("button", name="Test nobody home").click()
        expect(page.locator(f"#trial-{endpoint.pk}")).to_contain_text("It does not work yet.")
        assert page.url.endswith("/endpoints/")
        looks_right(page, complaints)
