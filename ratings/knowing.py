"""Who could look up which system is which: whoever had to do with the experiment, or with one of the same answers."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Min, Q

from accounts.models import Event, User
from accounts.people import NO_LONGER_STAFF
from experiments.models import Experiment
from ratings.models import Rater


def could_see_the_key(*, rater: Rater, user: User | AnonymousUser) -> bool:
    """Whether whoever is signed in beside the rater's session can look up which system is which, or once could.

    So can owners, also of an experiment whose answers came along, whoever ever worked on one of these, and superusers,
    also those who were some while one of these was there.
    """
    if not user.is_authenticated:
        return False
    family = family_of(rater.experiment)
    worked = Event.objects.filter(
        Q(actor=user) | Q(detail__owner=user.email), object__in=[f"experiment {slug}" for slug in family.values()]
    )
    since = Experiment.objects.filter(pk__in=family).aggregate(Min("created_at"))["created_at__min"]
    saw_all = Event.objects.filter(verb=NO_LONGER_STAFF, object=f"user {user.email}", at__gte=since)
    owns = Experiment.objects.filter(pk__in=family, owners=user)
    return user.is_superuser or owns.exists() or worked.exists() or saw_all.exists()


def family_of(experiment: Experiment) -> dict[int, str]:
    """The experiment, what it follows, what follows it, and so on: answers pass along the whole line. Slugs by key."""
    family, edge = {experiment.pk: experiment.slug}, {experiment.pk}
    while edge:
        near = Experiment.objects.filter(Q(followers__in=edge) | Q(follows__in=edge)).exclude(pk__in=family)
        found = dict(near.values_list("pk", "slug"))
        family |= found
        edge = set(found)
    return family
