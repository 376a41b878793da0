"""Saved means saved: whatever the line does, a verdict is stored once, and nothing advances before it is."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from playwright.sync_api import Route, expect

from experiments.models import Experiment, Status
from ratings import desk, links
from ratings.models import Judgment
from tests.browser.conftest import Sit
from tests.browser.sitting import Sitting, path_of
from tests.factories import NOW
from tests.ratings.driving import an_open_experiment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shows_as_unsaved(rater: Sitting, value: str, words: str) -> None:
    expect(rater.page.get_by_role("status")).to_contain_text(words)
    expect(rater.button(value)).to_have_attribute("aria-pressed", "true")
    expect(rater.page.locator("#progress b")).to_have_text("1")


def saved_once(rater: Sitting) -> None:
    first, *again = [post["key"] for post in rater.posts()]
    assert again
    assert all(key == first for key in again)
    assert Judgment.objects.count() == 1


def test_a_refused_verdict_stays_pressed_and_goes_again_with_the_same_key(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    refusals = iter((503, 503))

    def answer(route: Route) -> None:
        code = next(refusals, None)
        if code:
            route.fulfill(status=code)
        else:
            route.continue_()

    rater.intercept(answer)
    rater.stop_time()
    rater.page.keyboard.press("3")
    shows_as_unsaved(rater, "right", "Not saved. Retrying.")
    assert Judgment.objects.count() == 0
    for _ in range(5000):  # the waits grow; each begins when its refusal has come
        rater.page.clock.fast_forward(500)
        if len(rater.posts()) == 3:
            break
    rater.arrived(2)
    saved_once(rater)
    assert rater.verdicts() == ["right"]
    rater.forgive("status of 503", "Status Error Code 503")


def test_an_answer_lost_on_its_way_back_is_not_saved_twice(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))

    losses = iter(("connectionreset",))

    def lose(route: Route) -> None:
        loss = next(losses, None)
        if loss:
            route.fetch()
            route.abort(loss)
        else:
            route.continue_()

    rater.intercept(lose)
    rater.stop_time()
    rater.page.keyboard.press("1")
    shows_as_unsaved(rater, "left", "Not saved. Retrying.")
    assert Judgment.objects.count() == 1
    rater.page.clock.fast_forward(1000)
    rater.arrived(2)
    saved_once(rater)
    rater.forgive("ERR_CONNECTION_RESET", "error: htmx:")


def test_offline_for_a_moment_loses_nothing(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    rater.page.context.set_offline(True)
    rater.stop_time()
    rater.page.keyboard.press("2")
    shows_as_unsaved(rater, "both_good", "You are offline")
    rater.page.context.set_offline(False)
    rater.arrived(2)
    saved_once(rater)
    rater.forgive("ERR_INTERNET_DISCONNECTED", "error: htmx:")


def test_the_draft_of_a_comment_survives_a_reload_until_it_is_saved(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    page, box = rater.page, rater.page.get_by_role("textbox", name="Comment")
    page.keyboard.press("c")
    box.fill("B forgets the deadline.")
    page.reload()
    expect(box).to_have_value("B forgets the deadline.")
    rater.judge("1")
    expect(box).to_be_hidden()
    assert Judgment.objects.get().comment == "B forgets the deadline."
    assert page.evaluate("Object.keys(localStorage)") == []


def test_undo_goes_back_as_far_as_the_session_and_a_change_is_a_new_row(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=4))
    handles = []
    for number, key in enumerate("123", 1):
        handles.append(rater.handle())
        rater.judge(key, first=number)
    for number, value in ((3, "right"), (2, "both_good"), (1, "left")):
        rater.page.keyboard.press("z")
        rater.arrived(number)
        assert rater.handle() == handles[number - 1]
        expect(rater.button(value)).to_have_attribute("aria-pressed", "true")
    expect(rater.page.get_by_role("button", name="Undo")).to_have_count(0)
    rater.page.reload()
    assert rater.handle() == handles[0]
    rater.page.keyboard.press("4")
    rater.arrived(4)
    assert rater.verdicts() == ["both_bad", "both_good", "right"]
    assert Judgment.objects.count() == 4


def test_two_windows_of_one_rater_stay_of_one_mind(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=3)
    one = sit(experiment)
    other = sit(experiment, beside=one)
    assert other.handle() == one.handle()
    assert other.texts() == one.texts()
    one.judge("1")
    other.page.clock.fast_forward(401)
    other.judge("3")
    assert other.handle() == one.handle()
    assert one.verdicts() == ["right"]
    assert Judgment.objects.count() == 2


def test_a_reload_shows_the_same_pair_on_the_same_sides(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3))
    rater.judge("1")
    handle, texts = rater.handle(), rater.texts()
    for _ in range(2):
        rater.page.reload()
        assert (rater.handle(), rater.texts()) == (handle, texts)
    rater.open("/rate/instructions/")
    rater.page.go_back()
    assert (rater.handle(), rater.texts()) == (handle, texts)


def test_offline_until_the_session_is_over_keeps_the_words_and_makes_one_judgment(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=2)
    rater = sit(experiment)
    page, box = rater.page, rater.page.get_by_role("textbox", name="Comment")
    handle = rater.handle()
    page.context.set_offline(True)
    page.keyboard.press("c")
    box.fill("A is right about the refund.")
    page.keyboard.press("Escape")
    rater.stop_time()
    page.keyboard.press("1")
    shows_as_unsaved(rater, "left", "You are offline")
    page.clock.fast_forward(5 * 60_000)
    Session.objects.all().delete()
    page.context.set_offline(False)
    expect(page.locator("h1")).to_contain_text("link")  # the page says what to do: open it again
    assert Judgment.objects.count() == 0
    link = links.replace(rater=rater.rater)
    rater.open(path_of(link))
    page.get_by_role("button", name="Go on").click()
    rater.open("/rate/")
    assert rater.handle() == handle
    expect(box).to_have_value("A is right about the refund.")
    rater.rest()
    page.keyboard.press("1")
    rater.arrived(2)
    assert [(one.verdict, one.comment) for one in Judgment.objects.all()] == [("left", "A is right about the refund.")]
    rater.forgive("ERR_INTERNET_DISCONNECTED", "error: htmx:", "status of 404", "Status Error Code 404")


def test_a_database_that_is_away_is_told_and_the_answer_goes_again(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    rater = sit(an_open_experiment(inputs=2))
    real, away = desk.judge, iter((OperationalError("gone"), OperationalError("gone")))

    def judge(**said: Any) -> desk.Shown:
        if error := next(away, None):
            raise error
        return real(**said)

    monkeypatch.setattr(desk, "judge", judge)
    rater.stop_time()
    rater.page.keyboard.press("3")
    shows_as_unsaved(rater, "right", "Not saved. Retrying.")
    for _ in range(5000):
        rater.page.clock.fast_forward(500)
        if len(rater.posts()) == 3:
            break
    rater.arrived(2)
    saved_once(rater)
    rater.forgive("status of 503", "Status Error Code 503")


def test_a_verdict_after_the_closing_is_told_so_and_not_saved(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    Experiment.objects.update(status=Status.CLOSED, closed_at=NOW)
    rater.page.keyboard.press("1")
    expect(rater.page.get_by_role("heading", name="This rating has ended. Thank you.")).to_be_visible()
    assert Judgment.objects.count() == 0
    rater.forgive("status of 409", "Status Error Code 409")
