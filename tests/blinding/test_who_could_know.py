"""Who could look up which system is which is unblinded from that judgment on, and only from then on."""

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.people import set_staff
from console.drafting import share, unshare
from experiments.models import Experiment
from ratings.knowing import could_see_the_key
from ratings.links import replace
from ratings.models import Judgment, Rater
from tests.factories import a_rater, a_rating_experiment, a_user
from tests.ratings.driving import an_open_experiment, fields_of

pytestmark = pytest.mark.django_db
ACTS = ("judge", "gain", "leave", "sign in", "sign out")


class Somebody:
    """One person at one desk, who becomes an owner and stops being one, signs in and out, and judges."""

    def __init__(self, experiment: Experiment, user: User) -> None:
        self.experiment, self.user = experiment, user
        self.first = experiment.owners.get()
        self.rater = a_rater(experiment)
        self.client = Client()
        self.signed_in = self.was_owner = self.knew = False
        self.expected: list[bool] = []
        self.sit_down()

    def sit_down(self) -> None:
        """Exchange a link of one's own; a sign-out ended the session."""
        link = replace(rater=self.rater).url
        assert self.client.post(link[link.index("/r/") :]).status_code == 303

    def act(self, act: str) -> None:
        if act == "judge":
            self.knew = self.knew or (self.signed_in and self.was_owner)
            self.expected.append(self.knew)
            fields = fields_of(self.client.get("/rate/").content.decode())
            assert self.client.post("/rate/", fields | {"verdict": "left"}).status_code == 303
        elif act == "gain":
            share(experiment=self.experiment, email=self.user.email, by=self.first)
            self.was_owner = True
        elif act == "leave" and self.experiment.owners.count() > 1:
            unshare(experiment=self.experiment, email=self.user.email, by=self.first)
        elif act == "sign in":
            self.client.force_login(self.user)
            self.signed_in = True
        elif act == "sign out":
            self.client.logout()
            self.signed_in = False
            self.sit_down()


def test_a_judgment_is_unblinded_from_the_moment_somebody_could_know() -> None:
    """Before, during and after judging, in any order; what was once known is never unlearned."""
    experiment = an_open_experiment(inputs=12, owner=a_user())
    user = a_user("second@example.org")

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @example(acts=["gain", "sign in", "judge", "sign out"])
    @example(acts=["gain", "leave", "sign in"])
    @example(acts=["judge", "sign in", "judge", "gain"])
    @given(acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=9))
    def holds(acts: list[str]) -> None:
        with transaction.atomic():
            person = Somebody(experiment, user)
            for act in [*acts, "judge"]:
                person.act(act)
            found = list(Judgment.objects.order_by("pk").values_list("unblinded", flat=True))
            transaction.set_rollback(True)
        assert found == person.expected

    holds()


def test_an_owner_of_the_experiment_that_the_answers_came_from_could_know() -> None:
    earlier = a_rating_experiment(owner=a_user())
    later = a_rating_experiment(follows=earlier, owner=a_user("later@example.org"))
    rater = a_rater(later)
    assert could_see_the_key(rater=rater, user=earlier.owners.get())
    assert could_see_the_key(rater=a_rater(earlier), user=later.owners.get())
    assert not could_see_the_key(rater=rater, user=a_user("nobody@example.org", is_staff=True))
    assert could_see_the_key(rater=rater, user=a_user("all@example.org", is_superuser=True))
    assert Rater.objects.count() == 2


def test_whoever_saw_the_answers_anywhere_along_the_line_could_know() -> None:
    """The same stored answers pass from check to check: two steps away, or beside, they are no less known."""
    first = a_rating_experiment(owner=a_user())
    second = a_rating_experiment(follows=first, owner=a_user("second@example.org"))
    third = a_rating_experiment(follows=second, owner=a_user("third@example.org"))
    beside = a_rating_experiment(follows=first, owner=a_user("beside@example.org"))
    everybody = [one.owners.get() for one in (first, second, third, beside)]
    for one in (first, second, third, beside):
        rater = a_rater(one)
        assert [could_see_the_key(rater=rater, user=user) for user in everybody] == [True] * 4
    assert not could_see_the_key(rater=rater, user=a_user("nobody@example.org"))


def test_a_former_owner_of_an_experiment_of_the_line_could_know() -> None:
    first = a_rating_experiment(owner=a_user())
    later = a_rating_experiment(follows=first)
    former = a_user("former@example.org")
    share(experiment=first, email=former.email, by=first.owners.get())
    unshare(experiment=first, email=former.email, by=first.owners.exclude(pk=former.pk).get())
    assert could_see_the_key(rater=a_rater(later), user=former)


def test_who_ran_the_site_while_the_experiment_was_there_could_know() -> None:
    boss = a_user("boss@example.org", is_superuser=True)
    before, during = (a_user(f"{name}@example.org", is_staff=True, is_superuser=True) for name in ("before", "during"))
    set_staff(before, False, by=boss)
    rater = a_rater(a_rating_experiment())
    set_staff(during, False, by=boss)
    assert [could_see_the_key(rater=rater, user=user) for user in (before, during)] == [False, True]


def test_an_owner_beside_the_raters_session_could_see_the_key() -> None:
    owner, stranger = a_user(), a_user("other@example.org")
    rater = a_rater(a_rating_experiment(owner=owner))
    assert could_see_the_key(rater=rater, user=owner)
    assert not could_see_the_key(rater=rater, user=stranger)
