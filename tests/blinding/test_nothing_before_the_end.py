"""Wall 6: until an experiment is closed, no report, export or pair is to be had by anybody, in any form."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from experiments.models import Experiment, Status
from reports import exports, urls
from reports.report import build, current
from reports.unblinding import StillBlind
from tests.blinding.eyes import Eyes
from tests.blinding.world import a_world, identities
from tests.factories import NOW, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    return a_world(owner=a_user("owner@example.org", is_staff=True, is_superuser=True))


@pytest.fixture
def owner(client: Client, experiment: Experiment) -> Client:
    client.force_login(experiment.owners.get())
    return client


def report_addresses(experiment: Experiment) -> list[str]:
    """Every route of the reports, with every value that a name in it may take."""
    found = []
    for pattern in urls.urlpatterns:
        route = "/" + str(pattern.pattern)
        for name in ["json", "md", "html", "pdf", *exports.FORMATS]:
            address = route
            address = re.sub(r"<int:\w+>", str(experiment.pk), address)
            for part in ("<slug:name>", "<str:name>", "<slug:format>", "<str:format>"):
                address = address.replace(part, name)
            found.append(address)
    return sorted(set(found))


def test_every_report_address_answers_409_until_the_end(owner: Client, experiment: Experiment) -> None:
    addresses = report_addresses(experiment)
    assert len(addresses) > 10
    assert not [one for one in addresses if "<" in one], "a route has a part this test does not know"
    eyes = Eyes(identities())
    for address in addresses:
        answer = owner.get(address)
        assert answer.status_code in {405, 409}, f"{address}: {answer.status_code}"
        assert owner.post(address).status_code in {403, 405, 409}, address
        seen = eyes.see(answer.content)
        assert not seen, f"{address} tells {seen}"


def test_not_even_a_superuser_reads_the_envelope_on_the_admin_pages(owner: Client) -> None:
    eyes = Eyes(identities())
    routes = {str(p.pattern) for p in get_resolver().url_patterns}
    assert "admin/" in routes
    page = owner.get("/admin/")
    assert page.status_code == 200
    assert not eyes.see(page.content)
    for model in ("system", "completion", "endpoint", "judgment", "output", "arm"):
        for app in ("backends", "ratings", "experiments"):
            assert owner.get(f"/admin/{app}/{model}/").status_code == 404


@pytest.mark.parametrize("status", [Status.DRAFT, Status.COLLECTING, Status.RATING])
def test_no_code_path_builds_a_report_of_a_blind_experiment(experiment: Experiment, status: Status) -> None:
    sealed = status == Status.RATING
    Experiment.objects.filter(pk=experiment.pk).update(
        status=status, sealed_at=NOW if sealed else None, seal="0" * 64 if sealed else ""
    )
    experiment.refresh_from_db()
    for make in (build, current):
        with pytest.raises(StillBlind):
            make(experiment)
