"""The list of experiments, the overview with its one next step, archiving and deleting."""

import re

import pytest
from django.db.models import Case, F, Value, When
from django.test import Client

from accounts.actions import log
from accounts.models import Event, User
from backends.models import Completion
from experiments.models import Experiment, Output
from ratings.models import Judgment
from tests.factories import (
    a_collected_experiment,
    a_rated_experiment,
    a_rater,
    a_rating_experiment,
    a_system,
    an_endpoint,
    an_experiment,
)
from tests.reports.studies import a_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_user("owner@example.org")
    client.force_login(user)
    return user


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def step(client: Client, experiment: Experiment) -> str:
    return str(client.get(f"/experiments/{experiment.pk}/").context["step"].label)


def test_an_empty_list_says_what_this_is_for_and_offers_to_begin(client: Client, owner: User) -> None:
    an_experiment(title="Somebody else's")
    text = page(client, "/")
    assert "Compare two models on your own inputs." in text
    assert "/experiments/new/" in text
    assert "Somebody else" not in text


def test_the_list_shows_state_question_and_both_bars(client: Client, owner: User) -> None:
    a_rated_experiment(title="Answers to tickets", owner=owner, inputs=4, raters=2, closed=False)
    text = page(client, "/")
    assert "Answers to tickets" in text
    assert "Which answer is better?" in text
    assert "8 / 8" in text
    assert "8 / 12" in text
    assert "just now" in text or "ago" in text


def test_search_finds_by_title_and_question(client: Client, owner: User) -> None:
    an_experiment(title="Contracts", owner=owner)
    an_experiment(title="Tickets", question="Which is kinder?", owner=owner)
    assert "Contracts" not in page(client, "/?q=kinder")
    assert "Tickets" in page(client, "/?q=kinder")
    assert "No experiment has" in page(client, "/?q=nowhere")


def test_odd_words_in_the_address_do_no_harm(client: Client, owner: User) -> None:
    an_experiment(title="Contracts", owner=owner)
    for query in ("?page=0", "?page=99999", "?page=-1", "?page=x", "?q=%00", "?q=" + "x" * 500, "?archived=1"):
        assert client.get(f"/{query}").status_code == 200


def test_the_next_step_follows_the_experiment_from_draft_to_report(client: Client, owner: User) -> None:
    draft = an_experiment(inputs=0, owner=owner)
    assert step(client, draft) == "Add inputs"
    two = an_experiment(owner=owner)
    assert step(client, two) == "Add systems"
    systems = [a_system(two, name, endpoint=an_endpoint()) for name in ("one", "other")]
    assert step(client, two) == "Start collecting"
    for system in systems:
        for item in two.inputs.all():
            Completion.objects.create(system=system, input=item)
    assert step(client, two) == "Watch collecting"
    collected = a_collected_experiment(owner=owner)
    assert step(client, collected) == "Open rating"
    Output.objects.filter(pk=Output.objects.first().pk).update(state="flagged")
    assert step(client, collected) == "Check the outputs"
    rating = a_rating_experiment(owner=owner)
    assert step(client, rating) == "Invite raters"
    a_rater(rating)
    assert step(client, rating) == "See the raters"
    assert step(client, a_rated_experiment(owner=owner, closed=False)) == "Close rating"
    assert step(client, a_rated_experiment(owner=owner)) == "Read the report"


def test_the_overview_shows_seal_owners_and_who_did_what(client: Client, owner: User) -> None:
    experiment = a_rating_experiment(owner=owner)
    log(owner, "opened for rating", f"experiment {experiment.slug}", comparisons=3)
    log(owner, "opened for rating", "experiment of-somebody-else", comparisons=977)
    text = page(client, f"/experiments/{experiment.pk}/")
    assert experiment.seal in text
    assert "opened for rating" in text
    assert "comparisons: 3" in text
    assert "comparisons: 977" not in text


def test_an_experiment_is_put_away_and_taken_out_again(client: Client, owner: User) -> None:
    experiment = an_experiment(title="Old one", owner=owner)
    client.post(f"/experiments/{experiment.pk}/archive/")
    assert "Old one" not in page(client, "/")
    assert "Old one" in page(client, "/?archived")
    client.post(f"/experiments/{experiment.pk}/archive/")
    assert "Old one" in page(client, "/")


def test_deleting_wants_the_short_name_typed(client: Client, owner: User) -> None:
    experiment = a_rated_experiment(owner=owner)
    path = f"/experiments/{experiment.pk}/delete/"
    assert "not its short name" in client.post(path, {"slug": "something"}).content.decode()
    assert Experiment.objects.exists()
    answer = client.post(path, {"slug": experiment.slug})
    assert answer.headers["Location"] == "/"
    assert not Experiment.objects.exists()
    assert Event.objects.filter(verb="deleted", object=f"experiment {experiment.slug}").exists()


def test_while_rating_the_overview_says_what_to_expect_once_ten_inputs_are_complete(
    client: Client, owner: User
) -> None:
    few = a_rated_experiment(inputs=9, raters=3, closed=False, owner=owner)
    enough = a_rated_experiment(inputs=10, raters=3, closed=False, owner=owner)
    assert "Once ten inputs have all their judgments" in page(client, f"/experiments/{few.pk}/")
    text = page(client, f"/experiments/{enough.pk}/")
    assert "With how far raters' judgments have differed so far, the win rate will be known to about ±" in text
    assert "inputs instead of 10" in text
    assert "Continue:" not in text  # nobody chose to watch


@pytest.mark.parametrize(("votes", "inputs", "said"), [("WWWWWWWT", 40, "May stop:"), ("WLL", 12, "Continue:")])
def test_the_overview_is_the_same_when_every_verdict_is_turned_round(
    client: Client, owner: User, votes: str, inputs: int, said: str
) -> None:
    experiment = a_study(votes=votes, inputs=inputs, raters=3, closed=False, monitored=True)
    experiment.owners.add(owner)
    before = page(client, f"/experiments/{experiment.pk}/")
    assert said in before
    assert "all of them are in" in before
    turned = Case(
        When(verdict="left", then=Value("right")), When(verdict="right", then=Value("left")), default=F("verdict")
    )
    Judgment.objects.update(verdict=turned)
    assert without_tokens(page(client, f"/experiments/{experiment.pk}/")) == without_tokens(before)


def without_tokens(text: str) -> str:
    return re.sub(r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"\w+"', "", text)
