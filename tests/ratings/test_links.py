"""Personal links: made, withdrawn, replaced, guessed at."""

from datetime import timedelta
from hashlib import sha256

import pytest

from accounts.models import Event, Try
from accounts.throttling import LINKS
from experiments.models import Experiment, Status
from ratings import links
from ratings.models import Rater
from tests.factories import a_rater, a_rating_experiment, an_experiment
from tests.ratings.driving import START, minute

pytestmark = pytest.mark.django_db


def token_of(link: links.Link) -> str:
    return link.url.rstrip("/").rsplit("/", 1)[1]


def knock(token: str, place: str = "192.0.2.1", minutes: float = 1) -> links.Knock:
    return links.knock(token=token, place=place, now=minute(minutes))


def test_a_link_is_good_for_a_fortnight_and_kept_only_as_a_hash() -> None:
    (link,) = links.invite(experiment=a_rating_experiment(), count=1, now=START)
    rater = Rater.objects.get()
    assert link.label == rater.label == "Rater 1"
    assert link.expires == rater.expires_at == START + timedelta(days=14)
    assert len(token_of(link)) == 43  # 256 bits
    assert rater.token_hash == sha256(token_of(link).encode()).hexdigest()


def test_labels_go_on_counting_and_may_be_chosen() -> None:
    experiment = a_rating_experiment()
    links.invite(experiment=experiment, labels=["Dr. Byron", "Rater 3"])
    assert [link.label for link in links.invite(experiment=experiment, count=2)] == ["Rater 4", "Rater 5"]


@pytest.mark.parametrize("labels", [["A", "A"], [""], ["x" * 121], ["Rater 1"]])
def test_labels_that_cannot_be_told_apart_are_refused(labels: list[str]) -> None:
    experiment = a_rating_experiment()
    a_rater(experiment, "Rater 1")
    with pytest.raises(links.CannotInvite):
        links.invite(experiment=experiment, labels=labels)
    assert Rater.objects.count() == 1


def test_nobody_is_invited_to_a_closed_experiment() -> None:
    with pytest.raises(links.CannotInvite):
        links.invite(experiment=an_experiment(status=Status.CLOSED), count=1)


def test_a_token_opens_only_its_own_raters_desk() -> None:
    one, other = links.invite(experiment=a_rating_experiment(), count=2, now=START)
    assert knock(token_of(one)).rater == Rater.objects.get(label=one.label)
    assert knock(token_of(other)).rater == Rater.objects.get(label=other.label)
    assert knock("x" * 43) == links.Knock(None, "unknown")


def test_a_withdrawn_an_expired_and_a_finished_link_say_so() -> None:
    experiment = a_rating_experiment()
    (link,) = links.invite(experiment=experiment, count=1, now=START)
    assert knock(token_of(link)).problem == ""
    assert knock(token_of(link), minutes=14 * 24 * 60).problem == "expired"
    links.revoke(rater=Rater.objects.get())
    assert knock(token_of(link)).problem == "revoked"
    Rater.objects.update(revoked_at=None)
    Experiment.objects.update(status=Status.CLOSED, closed_at=START)
    assert knock(token_of(link)).problem == "finished"


def test_a_link_before_the_opening_says_so() -> None:
    (link,) = links.invite(experiment=an_experiment(), count=1, now=START)
    assert knock(token_of(link)).problem == "early"


def test_a_replaced_link_is_unknown_and_the_new_one_opens() -> None:
    (old,) = links.invite(experiment=a_rating_experiment(), count=1, now=START)
    rater = Rater.objects.get()
    links.revoke(rater=rater, now=START)
    new = links.replace(rater=rater, now=START)
    assert knock(token_of(old)).problem == "unknown"
    assert len(token_of(new)) == len(token_of(old)) == 43
    assert knock(token_of(new)).rater == rater
    assert knock(token_of(new)).problem == ""


def test_guessing_is_stopped_by_place_and_for_a_while() -> None:
    (link,) = links.invite(experiment=a_rating_experiment(), count=1, now=START)
    for _ in range(LINKS.most):
        assert knock("guess").problem == "unknown"
    assert knock("guess").problem == "throttled"
    assert knock(token_of(link)).problem == "throttled"
    assert knock(token_of(link), place="192.0.2.2").problem == ""
    assert knock(token_of(link), minutes=7).problem == ""
    assert Try.objects.count() == LINKS.most  # refused tries are not counted


def test_the_first_use_of_a_link_is_noted_once() -> None:
    links.invite(experiment=a_rating_experiment(), count=1, now=START)
    rater = Rater.objects.get()
    links.begin(rater=rater, now=minute(1))
    links.begin(rater=rater, now=minute(2))
    assert Rater.objects.get().first_used_at == minute(1)
    assert Event.objects.filter(actor_name="rater Rater 1", verb="opened their link").count() == 2
