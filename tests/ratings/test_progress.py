"""How far raters are and how they work: counts and habits."""

import pytest

from ratings.models import Comparison
from ratings.progress import judged, raters
from tests.factories import NOW, a_judgment, a_rated_experiment, a_rater, a_rating_experiment

pytestmark = pytest.mark.django_db


def test_judgments_are_counted_against_what_is_wanted_for_many_experiments() -> None:
    first = a_rated_experiment(inputs=2, raters=2, closed=False)
    second = a_rating_experiment(inputs=3, ratings_per_pair=2)
    found = judged([first.pk, second.pk])
    assert (found[first.pk].done, found[first.pk].wanted) == (4, 6)
    assert (found[second.pk].done, found[second.pk].wanted) == (0, 6)
    assert (found[first.pk].last, found[second.pk].last) == (NOW, None)


def test_a_changed_mind_counts_once_and_as_it_is_now() -> None:
    experiment = a_rating_experiment()
    rater = a_rater(experiment)
    first = a_judgment(Comparison.objects.first(), rater, verdict="left")
    first.assignment.judgments.create(verdict="both_bad", supersedes=first, seconds=5.0)
    [found] = raters(experiment, now=NOW)
    assert (found.done, found.left, found.ties, found.median_seconds) == (1, 0, 1, 5.0)
    assert judged([experiment.pk])[experiment.pk].done == 1


def test_the_state_of_each_link_is_told() -> None:
    experiment = a_rating_experiment()
    a_rater(experiment, "unused")
    a_rater(experiment, "used", first_used_at=NOW)
    a_rater(experiment, "revoked", revoked_at=NOW)
    a_rater(experiment, "expired", expires_at=NOW)
    a_rater(experiment, "none", token_hash=None, expires_at=None)
    assert all(one.link == one.label for one in raters(experiment, now=NOW))


def test_skips_and_unblinded_judgments_are_counted() -> None:
    experiment = a_rating_experiment()
    rater = a_rater(experiment)
    one, other = Comparison.objects.order_by("pk")[:2]
    a_judgment(one, rater, unblinded=True)
    assignment = a_judgment(other, rater).assignment
    assignment.judgments.all().delete()
    assignment.skipped_at = NOW
    assignment.save()
    [found] = raters(experiment, now=NOW)
    assert (found.done, found.skipped, found.unblinded) == (1, 1, 1)


def test_raters_come_a_page_at_a_time_each_as_on_one_long_page() -> None:
    experiment = a_rated_experiment(inputs=2, raters=5, closed=False)
    whole = raters(experiment, now=NOW)
    assert [*raters(experiment, now=NOW, most=3), *raters(experiment, now=NOW, after=3, most=3)] == whole
    assert len(whole) == 5
