"""The pages of a rater: what each address answers, and what it never says."""

import io
import logging
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries  # type: ignore[attr-defined]  # exported without a stub

from accounts.models import Event
from accounts.throttling import LINKS
from config.logs import WithoutTokens
from experiments.models import Criterion, Experiment, Status
from ratings import links
from ratings.models import Assignment, Judgment, Rater
from tests.factories import a_rater, a_user
from tests.ratings.driving import START, a_seated_client, an_open_experiment, fields_of, rate_all, rate_through

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def a_path(experiment: Experiment) -> str:
    (link,) = links.invite(experiment=experiment, count=1)
    return "/r/" + link.url.split("/r/")[1]


def page(client: Client, path: str = "/rate/", **more: Any) -> str:
    answer = client.get(path, **more)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def pair(client: Client) -> dict[str, str]:
    return fields_of(page(client))


def test_opening_the_link_uses_nothing_up() -> None:
    path = a_path(an_open_experiment())
    client = Client()
    for _ in range(2):
        assert '<form method="post"' in page(client, path)
    assert client.head(path).status_code == 200
    assert client.get("/rate/").status_code == 404
    assert Rater.objects.get().first_used_at is None
    assert not Assignment.objects.exists()


def test_a_link_is_exchanged_only_by_its_own_form() -> None:
    path = a_path(an_open_experiment())
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    assert Rater.objects.get().first_used_at is None


def test_the_session_alone_says_who_is_seated_whoever_it_was_the_last_time() -> None:
    experiment = an_open_experiment()
    client, other = a_seated_client(experiment), a_rater(experiment, "another")
    links.begin(rater=other, now=timezone.now())
    mine = pair(client)["assignment"]
    assert pair(client)["assignment"] == mine
    session = client.session
    session["rater"] = session["rater"] | {"pk": other.pk, "link": other.token_hash}
    session.save()
    assert pair(client)["assignment"] != mine
    assert Assignment.objects.filter(rater=other).exists()
    session.delete()
    assert client.get("/rate/").status_code == 404


def test_a_session_gets_a_new_key_with_the_exchange() -> None:
    path = a_path(an_open_experiment())
    client = Client()
    client.session.save()
    planted = client.session.session_key
    client.post(path)
    assert client.session.session_key != planted


def test_the_token_is_dropped_from_the_address_and_from_the_pages() -> None:
    path = a_path(an_open_experiment())
    client = Client()
    assert client.post(path).headers["Location"] == "/rate/instructions/"
    assert path.split("/")[2] not in page(client)


def test_a_browser_rates_for_the_link_it_exchanged_last() -> None:
    one, other = an_open_experiment(question="First question?"), an_open_experiment(question="Second question?")
    client = Client()
    client.post(a_path(one))
    client.post(a_path(other))
    assert "Second question?" in page(client)
    assert "First question?" not in page(client)


def test_a_session_gives_nothing_on_another_experiment() -> None:
    mine, other = an_open_experiment(), an_open_experiment()
    client, stranger = a_seated_client(mine), a_seated_client(other)
    fields = pair(stranger)
    client.post("/rate/", fields | {"verdict": "left"})
    assert not Judgment.objects.exists()
    client.post("/rate/undo/", {"again": fields["assignment"]})
    assert fields_of(page(client))["assignment"] != fields["assignment"]


@pytest.mark.parametrize("path", ["/rate/", "/rate/done/", "/rate/review/", "/rate/instructions/", "/rate/practice/"])
def test_without_a_session_every_page_is_unknown(path: str) -> None:
    assert Client().get(path).status_code == 404


def test_a_withdrawn_link_ends_its_session_at_once() -> None:
    client = a_seated_client(an_open_experiment())
    client.post("/rate/", pair(client) | {"verdict": "left"})
    fields = pair(client)
    links.revoke(rater=Rater.objects.get())
    answer = client.post("/rate/", fields | {"verdict": "left"})
    assert (answer.status_code, b"has been withdrawn" in answer.content) == (403, True)
    assert Judgment.objects.current().count() == 1


def test_a_replaced_link_ends_the_session_of_the_old_one() -> None:
    client = a_seated_client(an_open_experiment())
    links.replace(rater=Rater.objects.get())
    assert client.get("/rate/").status_code == 404


def test_after_the_closing_nothing_is_taken_and_the_page_says_so() -> None:
    client = a_seated_client(an_open_experiment())
    fields = pair(client)
    Experiment.objects.update(status=Status.CLOSED, closed_at=START)
    for answer in (client.get("/rate/"), client.post("/rate/", fields | {"verdict": "left"}, headers=HTMX)):
        assert (answer.status_code, b"This rating has ended" in answer.content) == (409, True)
    assert client.get("/rate/done/").status_code == 200
    assert client.get("/rate/review/").status_code == 409
    assert not Judgment.objects.exists()


def test_wrong_links_each_have_their_sentence() -> None:
    experiment = an_open_experiment()
    path = a_path(experiment)
    assert Client().get("/r/unknown/").status_code == 404
    Rater.objects.update(expires_at=START.replace(year=2020))
    expired = Client().get(path)
    assert (expired.status_code, b"This link has expired" in expired.content) == (403, True)
    Rater.objects.update(revoked_at=START)
    assert b"has been withdrawn" in Client().get(path).content
    Experiment.objects.update(status=Status.COLLECTING, sealed_at=None, seal="")
    Rater.objects.update(revoked_at=None, expires_at=START.replace(year=2099))
    early = Client().get(path)
    assert (early.status_code, b"not open yet" in early.content) == (409, True)
    assert b"Your link is good: open it again when rating has begun." in early.content


def test_guessing_links_is_answered_with_429() -> None:
    client = Client()
    codes = [client.get(f"/r/guess{number}/").status_code for number in range(LINKS.most + 1)]
    assert codes == [404] * LINKS.most + [429]


def test_the_log_holds_the_hash_of_a_token_and_never_the_token() -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.addFilter(WithoutTokens())
    logging.getLogger("django.request").addHandler(handler)
    try:
        Client().get("/r/some-secret-token/")
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert "Not Found: /r/#" in lines.getvalue()
    assert "some-secret-token" not in lines.getvalue()


def test_a_pair_is_never_kept_by_anybody() -> None:
    answer = a_seated_client(an_open_experiment()).get("/rate/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Last-Modified"} & set(answer.headers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "best"},
        {"verdict": ""},
        {"key": "7"},
        {"assignment": "x"},
        {"layout": "round"},
        {"strength": "very"},
        {"verdict": ["left", "right"]},
        {"assignment": ["x", "y"]},
    ],
)
def test_what_no_button_says_is_refused(wrong: dict[str, str | list[str]]) -> None:
    client = a_seated_client(an_open_experiment())
    assert client.post("/rate/", pair(client) | {"verdict": "left"} | wrong).status_code == 400
    assert not Judgment.objects.exists()


def test_criteria_and_a_required_comment_are_part_of_the_answer() -> None:
    experiment = an_open_experiment(require_comment=True)
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    client = a_seated_client(experiment)
    fields = pair(client) | {"verdict": "left"}
    assert client.post("/rate/", fields).status_code == 400
    assert client.post("/rate/", fields | {"criterion-1": "right", "comment": " "}).status_code == 400
    assert client.post("/rate/", fields | {"criterion-1": "right", "comment": "Clearer."}).status_code == 303
    assert Judgment.objects.get().criteria.get().verdict == "right"


def test_undo_without_scripts_holds_through_a_reload_until_it_is_answered() -> None:
    client = a_seated_client(an_open_experiment(inputs=3))
    first = pair(client)
    client.post("/rate/", first | {"verdict": "both_bad"})
    second = pair(client)
    assert client.post("/rate/undo/", second).headers["Location"] == "/rate/"
    for _ in range(2):
        shown = page(client)
        assert fields_of(shown)["assignment"] == first["assignment"]
        assert 'value="both_bad" aria-keyshortcuts="4" aria-pressed="true"' in shown
    client.post("/rate/", fields_of(shown) | {"verdict": "left"})
    assert pair(client)["assignment"] == second["assignment"]
    assert Judgment.objects.current().get().verdict == "left"


def test_undo_with_htmx_swaps_the_last_pair_in() -> None:
    client = a_seated_client(an_open_experiment(inputs=3))
    first = pair(client)
    second = fields_of(client.post("/rate/", first | {"verdict": "left"}, headers=HTMX).content.decode())
    back = client.post("/rate/undo/", second, headers=HTMX).content.decode()
    assert fields_of(back)["assignment"] == first["assignment"]
    assert "<html" not in back


def test_an_answer_can_be_changed_from_the_review() -> None:
    client = a_seated_client(an_open_experiment(inputs=2))
    first = pair(client)
    rate_all(client)
    assert f'name="again" value="{first["assignment"]}"' in page(client, "/rate/review/")
    client.post("/rate/undo/", {"again": first["assignment"]})
    assert pair(client)["assignment"] == first["assignment"]


def test_a_skip_needs_no_reason_but_none_that_is_made_up() -> None:
    client = a_seated_client(an_open_experiment(inputs=3))
    fields = pair(client)
    assert client.post("/rate/skip/", fields | {"reason": "bored"}).status_code == 400
    assert client.post("/rate/skip/", fields).status_code == 303
    assert Assignment.objects.get(token=fields["assignment"]).skip_reason == "other"
    assert pair(client)["assignment"] != fields["assignment"]


def test_the_guess_is_asked_on_a_form_of_its_own() -> None:
    client = a_seated_client(an_open_experiment(inputs=1, ask_guess=True))
    client.post("/rate/", pair(client) | {"verdict": "left"})
    question = page(client)
    assert 'action="/rate/guess/"' in question
    answer = client.post("/rate/guess/", fields_of(question) | {"guess": "unsure"})
    assert answer.headers["Location"] == "/rate/done/"


def test_who_holds_the_last_pair_is_not_told_only_that_it_is_held() -> None:
    experiment = an_open_experiment(inputs=1, ratings_per_pair=1)
    first, second = a_seated_client(experiment), a_seated_client(experiment)
    page(first)
    assert "No pair is free right now" in page(second)


def test_practice_is_never_stored() -> None:
    client = a_seated_client(an_open_experiment())
    assert "Practice 1 of 2" in page(client, "/rate/practice/")
    answered = client.post("/rate/practice/", {"step": "1", "verdict": "left"}).content.decode()
    assert "Most people would say so too" in answered
    assert "Practice 2 of 2" in client.post("/rate/practice/", {"step": "2"}).content.decode()
    assert b"Start rating" in client.post("/rate/practice/", {"step": "ready"}).content
    assert client.post("/rate/practice/", {"step": "start"}).headers["Location"] == "/rate/"
    assert client.post("/rate/practice/", {"step": "3"}).status_code == 400
    assert Rater.objects.get().practised_at is not None
    assert not Assignment.objects.exists()


def test_preferences_are_remembered_and_lead_back() -> None:
    client = a_seated_client(an_open_experiment())
    answer = client.post("/rate/preferences/", {"size": "xl", "theme": "dark", "back": "/rate/review/"})
    assert answer.headers["Location"] == "/rate/review/"
    shown = page(client)
    assert 'data-size="xl"' in shown
    assert 'data-theme="dark"' in shown
    for nowhere in ("//example.org/", "/rate/\n", "/rate/../admin/", "/rate/x/?y"):
        assert client.post("/rate/preferences/", {"size": "xl", "back": nowhere}).status_code == 400
    assert client.post("/rate/preferences/", {"size": "huge"}).status_code == 400


def test_an_owner_is_told_and_judges_unblinded() -> None:
    owner = a_user()
    experiment = an_open_experiment(owner=owner)
    path = a_path(experiment)
    client = Client()
    client.force_login(owner)
    assert "marked as unblinded" in page(client, path)
    client.post(path)
    client.post("/rate/", pair(client) | {"verdict": "left"})
    assert Judgment.objects.get().unblinded
    assert "marked as unblinded" not in page(Client(), path)


def test_instructions_show_what_is_asked() -> None:
    client = a_seated_client(an_open_experiment(instructions="Judge as a *customer* would."))
    assert "<em>customer</em>" in page(client, "/rate/instructions/")


@pytest.mark.parametrize("path", ["/rate/skip/", "/rate/undo/", "/rate/guess/", "/rate/preferences/"])
def test_what_changes_something_is_only_ever_sent(path: str) -> None:
    assert a_seated_client(an_open_experiment()).get(path).status_code == 405


def test_the_pages_of_real_control_and_repeated_pairs_differ_in_their_texts_only() -> None:
    experiment = an_open_experiment(inputs=20, ratings_per_pair=1, control_share=0.2, repeat_share=0.2)
    client = a_seated_client(experiment)
    shapes: dict[str, set[str]] = {}
    answer = client.get("/rate/")
    while answer.status_code == 200:
        text, fields = answer.content.decode(), fields_of(answer.content.decode())
        row = Assignment.objects.select_related("left", "right", "comparison__input").get(token=fields["assignment"])
        if row.position > 6:  # time left and undo are on every page from here on
            handles = (fields[name] for name in ("assignment", "key", "again", "csrfmiddlewaretoken"))
            for part in (row.left.html, row.right.html, row.comparison.input.messages[0]["content"], *handles):
                text = text.replace(part, "…")
            start = text.index('<form id="pair"')
            shapes.setdefault(row.kind, set()).add(text[start : text.index("</form>", start)])
        client.post("/rate/", fields | {"verdict": "left"})
        answer = client.get("/rate/")
    assert set(shapes) == {"rating", "control", "repeat"}
    assert len(set.union(*shapes.values())) == 1


@pytest.mark.parametrize("inputs", [4, 12])
def test_a_judgment_and_the_next_pair_cost_a_few_queries_however_many_there_are(
    inputs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    experiment = an_open_experiment(inputs=inputs, ratings_per_pair=9)
    for number in range(inputs // 2):
        rate_through(a_rater(experiment, f"Other {number}"))
    client = a_seated_client(experiment)
    fields = pair(client)
    with django_assert_max_num_queries(24):
        answer = client.post("/rate/", fields | {"verdict": "left"}, headers=HTMX)
    assert answer.status_code == 200


def test_a_link_opened_in_a_second_browser_asks_whether_it_was_you() -> None:
    path = a_path(an_open_experiment(owner=a_user(name="Dr. Ada Byron")))
    client, other = Client(), Client()
    assert "opened before" not in page(client, path)
    client.post(path)
    assert "opened before" not in page(client, path), "the same browser is known"
    asked = page(other, path)
    assert "This link was opened before, in another browser or on another day." in asked
    assert "please tell Dr. Ada Byron first" in asked
    assert "It was me, go on" in asked
    assert other.get("/rate/").status_code == 404, "looking at it opens nothing"
    other.post(path)
    told = Event.objects.filter(verb=links.OPENED).order_by("pk").values_list("detail__again", flat=True)
    assert list(told) == [False, True]


def test_the_last_page_and_the_page_of_an_ended_link_have_the_browser_forget() -> None:
    experiment = an_open_experiment(inputs=1)
    client = a_seated_client(experiment)
    assert "Clear-Site-Data" not in client.get("/rate/").headers
    rate_all(client)
    assert client.get("/rate/done/").headers["Clear-Site-Data"] == '"storage"'
    Rater.objects.update(revoked_at=START)
    assert client.get("/rate/").headers["Clear-Site-Data"] == '"storage"'
    assert "Clear-Site-Data" not in Client().get("/rate/").headers


def test_a_verdict_needs_the_token_of_the_form() -> None:
    experiment = an_open_experiment()
    client = a_seated_client(experiment)
    fields = pair(client) | {"verdict": "left"}
    client.handler.enforce_csrf_checks = True
    assert client.post("/rate/", {**fields, "csrfmiddlewaretoken": ""}).status_code == 403
    assert not Judgment.objects.exists()
    assert client.post("/rate/", fields).status_code == 303
    assert Judgment.objects.exists()
