"""A new experiment, put together page by page: its question, plan and owners."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Event, Invitation, User
from experiments.models import Experiment
from reports.planning import outlook
from tests.factories import a_collected_experiment, a_rating_experiment, an_experiment

pytestmark = pytest.mark.django_db
PLAN: dict[str, Any] = {
    "ratings_per_pair": 2,
    "planned_raters": 4,
    "margin": 0.05,
    "repeat_share": 0.1,
    "control_share": 0.2,
    "seed": 11,
    "ask_acceptable": "on",
}


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_user("owner@example.org")
    client.force_login(user)
    return user


def test_the_first_step_saves_a_draft_and_leads_to_the_inputs(client: Client, owner: User) -> None:
    wanted = {
        "title": "Tickets",
        "question": "Which one?",
        "instructions": "Be fair.",
        "criteria": "accuracy: Is it true?\n\ntone",
    }
    answer = client.post("/experiments/new/", wanted)
    made = Experiment.objects.get()
    assert answer.headers["Location"] == f"/experiments/{made.pk}/inputs/new/"
    assert (made.title, made.question, made.instructions, made.status) == ("Tickets", "Which one?", "Be fair.", "draft")
    assert list(made.criteria.values_list("name", "description")) == [("accuracy", "Is it true?"), ("tone", "")]
    assert list(made.owners.all()) == [owner]
    assert Event.objects.filter(verb="added", object=f"experiment {made.slug}").exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "This field is required."),
        ({"title": "x" * 201}, "at most 200"),
        ({"criteria": "same\nsame"}, "Two criteria are called"),
        ({"criteria": "x" * 81}, "at most 80"),
        ({"question": "\0"}, "Null characters"),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_nothing_is_made(
    client: Client, owner: User, fields: dict[str, str], said: str
) -> None:
    text = client.post("/experiments/new/", {"title": "T", "question": "Q"} | fields).content.decode()
    assert said in text
    assert 'role="alert"' in text
    assert not Experiment.objects.exists()


def test_the_question_of_a_draft_can_be_changed(client: Client, owner: User) -> None:
    experiment = an_experiment(owner=owner)
    experiment.criteria.create(position=1, name="old")
    path = f"/experiments/{experiment.pk}/question/"
    assert "old" in client.get(path).content.decode()
    client.post(path, {"title": "New", "question": "Which?", "criteria": "new"})
    experiment.refresh_from_db()
    assert (experiment.title, experiment.criteria.get().name) == ("New", "new")


def test_the_plan_is_saved_and_foretells_effort_and_precision(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(inputs=10, owner=owner)
    path = f"/experiments/{experiment.pk}/plan/"
    text = client.post(path, PLAN, follow=True).content.decode()
    experiment.refresh_from_db()
    assert (experiment.ratings_per_pair, experiment.margin, experiment.seed) == (2, 0.05, 11)
    assert experiment.ask_acceptable
    assert not experiment.ask_guess
    assert "10 inputs make 10 pairs and 20 judgments" in text
    assert "too little to decide" in text


def test_going_on_from_the_plan_saves_it_first(client: Client, owner: User) -> None:
    draft = an_experiment(owner=owner)
    answer = client.post(f"/experiments/{draft.pk}/plan/", {**PLAN, "go_on": "yes"})
    draft.refresh_from_db()
    assert draft.margin == 0.05
    assert answer.headers["Location"] == f"/experiments/{draft.pk}/collecting/"


def test_a_whole_number_stands_in_its_field_without_a_fraction(client: Client, owner: User) -> None:
    draft = an_experiment(owner=owner, repeat_share=0.0, control_share=0.15)
    page = client.get(f"/experiments/{draft.pk}/plan/").content.decode()
    assert 'name="repeat_share" value="0"' in page
    assert 'name="control_share" value="0.15"' in page


def test_the_plan_says_what_alone_would_reach_80_percent(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(inputs=50, ratings_per_pair=3, planned_raters=5, margin=0.1, owner=owner)
    told = outlook(experiment).advice
    assert told
    assert told.inputs
    assert told.raters
    text = client.get(f"/experiments/{experiment.pk}/plan/").content.decode()
    assert f"{told.inputs} inputs instead of 50" in text
    assert f"{told.raters} raters instead of 5, with {told.votes_per_input} judgments a pair instead of 3" in text
    assert "a margin of 1" in text
    assert "50 inputs decide a margin of 10 points, not one of 5" in text


def test_while_the_plan_is_typed_the_outlook_follows_and_nothing_is_saved(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(inputs=10, owner=owner)
    path = f"/experiments/{experiment.pk}/plan/"
    text = client.get(path, PLAN, headers={"HX-Target": "effort"}).content.decode()
    assert "10 inputs make 10 pairs and 20 judgments" in text
    assert "<html" not in text
    assert client.get(path, PLAN | {"margin": "much"}, headers={"HX-Target": "effort"}).status_code == 204
    experiment.refresh_from_db()
    assert experiment.seed == 0


@pytest.mark.parametrize("field", ["margin", "repeat_share", "control_share", "ratings_per_pair", "planned_raters"])
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "", "x", "1e400"])
def test_a_plan_that_makes_no_sense_is_refused(client: Client, owner: User, field: str, value: str) -> None:
    experiment = an_experiment(owner=owner)
    answer = client.post(f"/experiments/{experiment.pk}/plan/", PLAN | {field: value})
    assert answer.status_code == 200
    assert "not right yet" in answer.content.decode()
    experiment.refresh_from_db()
    assert experiment.seed == 0


@pytest.mark.parametrize(("path", "data"), [("plan", PLAN), ("question", {"title": "T", "question": "Q"})])
def test_after_the_seal_neither_question_nor_plan_changes(
    client: Client, owner: User, path: str, data: dict[str, Any]
) -> None:
    experiment = a_rating_experiment(owner=owner)
    before = Experiment.objects.values().get()
    client.post(f"/experiments/{experiment.pk}/{path}/", data)
    assert Experiment.objects.values().get() == before


def test_a_new_owner_gets_a_one_time_link_shown_this_once(client: Client, owner: User) -> None:
    experiment = an_experiment(owner=owner)
    path = f"/experiments/{experiment.pk}/"
    text = client.post(f"{path}owners/", {"email": "New@Example.org"}).content.decode()
    assert "/welcome/" in text
    assert Invitation.objects.get().email == "new@example.org"
    assert experiment.owners.count() == 2
    assert "/welcome/" not in client.get(path).content.decode()


def test_an_owner_with_a_password_is_simply_added(client: Client, owner: User) -> None:
    User.objects.create_user("known@example.org", "correct horse battery")
    experiment = an_experiment(owner=owner)
    client.post(f"/experiments/{experiment.pk}/owners/", {"email": "known@example.org"})
    assert experiment.owners.count() == 2
    assert not Invitation.objects.exists()


def test_a_link_is_no_way_into_what_another_owner_shared(client: Client, owner: User) -> None:
    """Two owners share with an account that nobody opened yet: neither gets into the other's experiment with it."""
    mallory = Client()
    mallory.force_login(User.objects.create_user("mallory@example.org", "correct horse battery"))
    theirs = an_experiment(owner=User.objects.get(email="mallory@example.org"))
    first = mallory.post(f"/experiments/{theirs.pk}/owners/", {"email": "new@example.org"}).content.decode()
    link = "/welcome/" + first.split("/welcome/")[1].split("/")[0] + "/"
    assert Client().get(link).status_code == 200
    mine = an_experiment(owner=owner)
    text = client.post(f"/experiments/{mine.pk}/owners/", {"email": "new@example.org"}, follow=True).content.decode()
    assert "ask whoever runs the site for its link" in text
    assert "/welcome/" not in text
    assert Client().get(link).status_code == 404
    mallory.post(f"/experiments/{theirs.pk}/owners/leaving/", {"email": "new@example.org"})
    again = mallory.post(f"/experiments/{theirs.pk}/owners/", {"email": "new@example.org"}).content.decode()
    assert "/welcome/" not in again
    assert mine.owners.filter(email="new@example.org").exists()


def test_a_superuser_hands_out_the_link_whatever_the_account_holds(client: Client, owner: User) -> None:
    waiting = User.objects.create_user("new@example.org")
    an_experiment(owner=waiting)
    mine = an_experiment(owner=owner)
    path = f"/experiments/{mine.pk}/owners/"
    assert "/welcome/" not in client.post(path, {"email": "new@example.org"}).content.decode()
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    assert "/welcome/" in client.post(path, {"email": "new@example.org"}).content.decode()
    User.objects.filter(pk=owner.pk).update(is_superuser=False)
    Invitation.objects.update(invited_by=None)
    client.post(path, {"email": "new@example.org"})
    assert Invitation.objects.open().count() == 1  # what the command line made stays


def test_no_owner_gets_a_link_to_an_account_that_runs_the_site(client: Client, owner: User) -> None:
    User.objects.create_user("staff@example.org", is_staff=True)
    mine = an_experiment(owner=owner)
    client.post(f"/experiments/{mine.pk}/owners/", {"email": "staff@example.org"})
    assert not Invitation.objects.exists()


def test_an_owner_leaves_but_the_last_one_stays(client: Client, owner: User) -> None:
    experiment = an_experiment(owner=owner)
    path = f"/experiments/{experiment.pk}/owners/leaving/"
    text = client.post(path, {"email": owner.email}, follow=True).content.decode()
    assert "add another one first" in text
    experiment.owners.add(User.objects.create_user("other@example.org"))
    assert client.post(path, {"email": owner.email}).headers["Location"] == "/"
    assert client.get(f"/experiments/{experiment.pk}/").status_code == 404
