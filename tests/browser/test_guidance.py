"""From the link to the last thank-you: practice first, progress without pressure, a way out of every page."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from experiments.models import Experiment, Status
from ratings import links
from ratings.models import Assignment, Judgment, Rater
from tests.browser.conftest import Sit
from tests.browser.sitting import path_of
from tests.browsing import a_page
from tests.factories import NOW, a_user
from tests.ratings.driving import an_open_experiment, rate_through

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_new_rater_is_told_then_practises_then_rates(live_server: LiveServer, browser: Browser) -> None:
    experiment = an_open_experiment(
        inputs=2, instructions="Judge **as a customer** would.", owner=a_user(name="Dr. Ada Byron")
    )
    (link,) = links.invite(experiment=experiment)
    with a_page(browser, live_server.url) as (page, complaints):
        page.goto(live_server.url + path_of(link))
        expect(page.get_by_text("Dr. Ada Byron asks you")).to_be_visible()
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("as a customer")).to_be_visible()
        assert "/r/" not in page.url
        page.get_by_role("link", name="Two pairs to practise").click()
        expect(page.get_by_text("Practice 1 of 2")).to_be_visible()
        page.wait_for_load_state()  # a key pressed while the page still loads is nobody's
        page.keyboard.press("3")
        expect(page.get_by_role("status").filter(has_text="look again")).to_be_visible()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Practice 2 of 2")).to_be_visible()
        page.get_by_role("button", name="Both good").click()
        expect(page.get_by_role("status").filter(has_text="A tie is a real answer")).to_be_visible()
        page.get_by_role("button", name="Next").press("Enter")
        page.get_by_role("button", name="Start rating").click()
        expect(page.locator("#progress")).to_contain_text("Pair 1 of 2")
        assert complaints == []
    assert Assignment.objects.count() == 1
    assert Judgment.objects.count() == 0


def test_practice_can_be_skipped(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2), path="/rate/practice/")
    rater.page.get_by_role("button", name="Skip the practice").click()
    expect(rater.page.locator("#progress")).to_contain_text("Pair 1 of 2")
    rater.rater.refresh_from_db()
    assert rater.rater.practised_at


def test_minutes_are_told_after_five_pairs(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=8))
    left = rater.page.get_by_text("min left")
    rater.judge("1", "2", "3", "4")
    expect(left).to_have_count(0)
    Judgment.objects.update(seconds=60)
    rater.judge("1", first=5)
    expect(left).to_have_text("about 3 min left")
    expect(rater.page.get_by_role("progressbar")).to_have_js_property("value", 5)
    expect(rater.page.get_by_role("progressbar")).to_have_js_property("max", 8)


def test_after_forty_pairs_one_quiet_line_offers_a_break(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=42, ratings_per_pair=1))
    rate_through(rater.rater, now=timezone.now(), most=38)
    line = rater.page.get_by_text("You have done 40. A break is fine; everything is saved.")
    rater.page.reload()
    rater.judge("1", first=39)
    expect(line).to_have_count(0)
    rater.judge("2", first=40)
    expect(line).to_be_visible()
    rater.judge("3", first=41)
    expect(line).to_have_count(0)


def test_who_cannot_judge_says_why_and_the_pair_goes_to_another(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=1, ratings_per_pair=1)
    rater = sit(experiment)
    text = sorted(rater.texts())
    rater.page.keyboard.press("0")
    rater.page.get_by_role("button", name="A response reveals its maker").click()
    expect(rater.page.get_by_role("heading", name="That was the last one. Thank you.")).to_be_visible()
    skipped = Assignment.objects.get()
    assert (skipped.skip_reason, Judgment.objects.count()) == ("reveals", 0)
    assert sorted(sit(experiment).texts()) == text


def test_the_last_answers_can_be_reviewed_and_changed(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    page = rater.page
    rater.judge("1")
    page.keyboard.press("2")
    expect(page.get_by_text("You have judged 2 pairs.")).to_be_visible()
    page.get_by_role("link", name="Review my last answers").click()
    answers = page.get_by_role("listitem")
    expect(answers).to_have_count(2)
    expect(answers.nth(1)).to_contain_text("A is better")
    page.get_by_role("button", name="Change pair 1").click()
    expect(rater.button("left")).to_have_attribute("aria-pressed", "true")
    rater.rest()
    page.keyboard.press("4")
    expect(page.get_by_role("heading", name="That was the last one. Thank you.")).to_be_visible()
    assert rater.verdicts() == ["both_bad", "both_good"]


def test_when_others_hold_the_last_pairs_the_page_says_so(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=1, ratings_per_pair=1)
    sit(experiment)
    second = sit(experiment)
    expect(second.page.get_by_role("heading")).to_have_text("No pair is free right now: others hold the last ones.")
    Assignment.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    second.page.get_by_role("link", name="Look again").click()
    expect(second.page.locator("#progress")).to_contain_text("Pair 1 of 1")


def test_every_wrong_link_has_its_sentence(live_server: LiveServer, browser: Browser) -> None:
    experiment = an_open_experiment(inputs=1, owner=a_user(name="Dr. Ada Byron"))
    expired, revoked, other = links.invite(experiment=experiment, labels=["Expired", "Revoked", "Other"])
    Rater.objects.filter(label="Expired").update(expires_at=timezone.now() - timedelta(days=1))
    links.revoke(rater=Rater.objects.get(label="Revoked"))
    told = [
        ("/r/nobody-was-given-this/", "This link is not known here."),
        (path_of(expired), "This link has expired."),
        (path_of(revoked), "This link has been withdrawn."),
    ]
    with a_page(browser, live_server.url) as (page, complaints):
        for address, sentence in told:
            page.goto(live_server.url + address)
            expect(page.get_by_role("heading")).to_have_text(sentence)
        expect(page.get_by_text("ask Dr. Ada Byron")).to_be_visible()
        Experiment.objects.update(status=Status.CLOSED, closed_at=NOW)
        page.goto(live_server.url + path_of(other))
        expect(page.get_by_role("heading")).to_have_text("This rating has ended. Thank you.")
        assert [one for one in complaints if "Failed to load resource" not in one] == []
