"""Read first: the request stays at hand, long texts fold alike, nothing that is read can vote."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Locator, expect

from experiments.models import Input
from ratings.models import Judgment
from tests.browser.conftest import Sit
from tests.browser.sitting import an_experiment_of
from tests.ratings.driving import an_open_experiment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PARAGRAPH = "A tenant may leave early only where the contract or the law allows it, and notice has to be in writing. "
LONG = "\n\n".join([PARAGRAPH * 3] * 9)
VERY_LONG = "\n\n".join([PARAGRAPH * 3] * 40)
SHORT = "Yes."


def box_of(thing: Locator) -> Mapping[str, float]:
    box = thing.bounding_box()
    assert box
    return {name: round(value, 1) for name, value in box.items()}


def test_the_request_stays_as_one_line_when_it_is_scrolled_away(sit: Sit) -> None:
    rater = sit(an_experiment_of((LONG, SHORT), inputs=["Can I end\n\na lease early?"]))
    line = rater.page.locator("#askline")
    expect(line).to_be_hidden()
    rater.page.mouse.wheel(0, 500)
    expect(line).to_be_visible()
    expect(line).to_have_text("Can I end a lease early?")
    assert box_of(line)["y"] == 0
    assert box_of(line)["height"] < 50
    line.click()
    expect(line).to_be_hidden()
    expect(rater.page.locator("#request")).to_be_in_viewport()


def test_beyond_1600_pixels_both_fold_alike_and_open_together(sit: Sit) -> None:
    rater = sit(an_experiment_of((VERY_LONG, SHORT), (VERY_LONG, VERY_LONG)))
    proses = rater.page.locator(".card > .prose")
    for turn in range(2):
        rests = rater.page.get_by_role("button", name="Show the rest of both")
        heights = [box_of(proses.nth(side))["height"] for side in (0, 1)]
        assert max(heights) == 1200
        assert all(height == 1200 for height, text in zip(heights, rater.texts(), strict=True) if text != SHORT)
        rests.first.click()
        expect(rests).to_have_count(0)
        assert max(box_of(proses.nth(side))["height"] for side in (0, 1)) > 1600
        if turn == 0:
            rater.judge("1")


def test_what_is_shorter_is_never_cut(sit: Sit) -> None:
    rater = sit(an_experiment_of((LONG, SHORT)))
    expect(rater.page.locator(".folded")).to_have_count(0)


def test_earlier_turns_are_folded_and_a_long_request_too(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=1)
    item = Input.objects.get()
    item.messages = [
        {"role": "system", "content": "You are a clerk."},
        {"role": "user", "content": "Good morning."},
        {"role": "assistant", "content": "How can I help?"},
        {"role": "user", "content": VERY_LONG},
    ]
    item.save()
    rater = sit(experiment)
    page = rater.page
    expect(page.get_by_text("You are a clerk.")).to_be_hidden()
    page.get_by_text("Show what came before").click()
    expect(page.get_by_text("You are a clerk.")).to_be_visible()
    expect(page.get_by_text("How can I help?")).to_be_visible()
    request = page.locator("#request > .prose")
    assert box_of(request)["height"] < 300
    page.get_by_role("button", name="Show the whole request").click()
    assert box_of(request)["height"] > 1600


def test_a_click_on_a_text_never_votes_and_a_text_can_be_selected(sit: Sit) -> None:
    rater = sit(an_experiment_of((LONG, LONG)))
    prose = rater.page.locator(".card > .prose p").first
    prose.dblclick()
    prose.click(click_count=3)
    selected = rater.page.evaluate("getSelection().toString()")
    assert selected.startswith("A tenant may leave early")
    assert rater.posts() == []


def test_both_cards_are_alike_in_all_but_their_text(sit: Sit) -> None:
    rater = sit(an_experiment_of((SHORT, "No.")), reduced_motion="reduce")
    alike = """card => {
        const style = getComputedStyle(card.querySelector(".prose"));
        const box = card.getBoundingClientRect();
        const markup = card.outerHTML.replace(/card-[ab]|Yes|No|left|right|>A<|>B</g, "");
        return [markup, style.font, style.color, style.backgroundColor, box.width, box.height, box.top];
    }"""
    one, other = (rater.page.locator(".card").nth(side).evaluate(alike) for side in (0, 1))
    assert one == other


def test_the_phone_switches_sides_and_keeps_the_place(sit: Sit) -> None:
    rater = sit(an_experiment_of((LONG, LONG + "\n\nAnd a last word.")), size="phone", has_touch=True)
    page = rater.page
    cards, place = page.locator(".card"), "Math.round(scrollY)"
    show = page.get_by_role("group", name="Show")
    a, b, both = (show.get_by_role("button", name=name, exact=True) for name in ("Response A", "Response B", "Both"))
    a.tap()
    expect(cards.nth(0)).to_be_visible()
    expect(cards.nth(1)).to_be_hidden()
    page.evaluate("scrollBy(0, 700)")
    expect(page.locator("#askline")).to_be_visible()
    at_a = page.evaluate(place)
    b.tap()
    expect(cards.nth(0)).to_be_hidden()
    assert abs(page.evaluate(place) - at_a) <= 1
    page.evaluate("scrollBy(0, 300)")
    at_b = page.evaluate(place)
    a.tap()
    assert abs(page.evaluate(place) - at_a) <= 1
    b.tap()
    assert abs(page.evaluate(place) - at_b) <= 1
    both.tap()
    expect(cards.nth(0)).to_be_visible()
    expect(cards.nth(1)).to_be_visible()


def test_on_a_phone_what_is_tapped_is_large_enough(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2), size="phone", has_touch=True, is_mobile=True)
    buttons = rater.page.locator("button:visible, summary:visible, a.button:visible")
    heights = {one.inner_text(): box_of(one)["height"] for one in buttons.all()}
    assert {name: height for name, height in heights.items() if height < 44} == {}
    verdicts = [box_of(rater.button(value)) for value in ("left", "both_good", "right", "both_bad")]
    assert len({round(box["width"]) for box in verdicts}) == 1
    assert [box["x"] for box in verdicts[:2]] == [box["x"] for box in verdicts[2:]]
    assert verdicts[0]["y"] == verdicts[1]["y"] < verdicts[2]["y"] == verdicts[3]["y"]
    expect(rater.page.locator("kbd:visible")).to_have_count(0)


def test_differences_are_off_at_first_and_their_use_is_recorded(sit: Sit) -> None:
    rater = sit(an_experiment_of(("Pay the fee today.", "Pay the fee tomorrow."), (SHORT, "No."), (SHORT, "No.")))
    marked = "[...(CSS.highlights.get('differs') ?? [])].map(String)"
    numbers = []
    for used in (True, False):
        assert rater.page.evaluate(marked) == []
        if used:
            rater.page.keyboard.press("d")
            expect(rater.page.get_by_role("status")).to_have_text("Differences are highlighted.")
            assert len(rater.page.evaluate(marked)) >= 2
            rater.page.keyboard.press("d")
            assert rater.page.evaluate(marked) == []
        rater.judge("1", first=len(numbers) + 1)
        numbers.append(used)
    used_in = Judgment.objects.order_by("assignment__position").values_list("differences_used", flat=True)
    assert list(used_in) == numbers


def test_how_the_cards_stood_is_recorded(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=2, ratings_per_pair=3)
    for options in ({}, {"size": "phone"}, {"locale": "ar"}):
        rater = sit(experiment, **options)
        rater.judge("1")
    layouts = Judgment.objects.order_by("pk").values_list("layout", "verdict")
    assert list(layouts) == [("ltr", "left"), ("stacked", "left"), ("rtl", "left")]


def test_from_right_to_left_card_a_stands_right_and_arrows_follow_the_screen(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3), locale="he")
    left_card, right_card = sorted(rater.page.locator(".card").all(), key=lambda card: box_of(card)["x"])
    expect(rater.page.locator("html")).to_have_attribute("dir", "rtl")
    assert right_card.get_attribute("data-side") == "left"
    assert left_card.get_attribute("data-side") == "right"
    rater.page.keyboard.press("ArrowRight")
    expect(rater.button("left")).to_be_focused()
    rater.judge("Enter")
    rater.page.keyboard.press("ArrowLeft")
    expect(rater.button("right")).to_be_focused()
    rater.judge("Enter", first=2)
    assert rater.verdicts() == ["left", "right"]
