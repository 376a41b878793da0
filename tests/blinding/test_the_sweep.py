"""Wall 7: whatever a rater asks for, in whatever form and whenever, nothing that comes back tells a system."""

from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.test import Client

from experiments.models import Experiment
from ratings import desk
from ratings.links import invite
from ratings.models import Rater
from tests.blinding.asking import FOREIGN_FORMS, FORMS, SUFFIXES, ask, everything_of, foreign_addresses, own_addresses
from tests.blinding.canaries import hidden_columns, tables
from tests.blinding.eyes import SHORT, Eyes
from tests.blinding.world import a_crowded_world, a_seated_rater, a_world, hidden_from
from tests.factories import NOW
from tests.journeys.drivers import form_on_the_desk

pytestmark = pytest.mark.django_db
LEAST_ADDRESSES, LEAST_FORMS = 500, 6


class Sweep:
    """A rater's browser that asks for everything and looks at whatever comes back."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.client = a_seated_rater(experiment)
        self.client.raise_request_exception = False
        self.rater = Rater.objects.get(experiment=experiment, label="Rater 1")
        self.looked: set[tuple[str, str, str]] = set()
        self.open_eyes()

    def open_eyes(self) -> None:
        """Learn all that is hidden now; judging makes rows, whose keys are hidden too."""
        self.eyes = Eyes(text for _, text in hidden_from(self.rater))

    def look(self, answer: HttpResponse, what: str) -> None:
        """Fail on the first canary."""
        found = self.eyes.see(everything_of(answer))
        # What one types into an address may come back with it, in a redirect to the page for signing in.
        found -= {text for text in found if text in what}
        assert not found, f"{what} ({answer.status_code}) tells {found}"

    def everywhere(self, when: str = "", *, fails_with: int | None = None) -> None:
        """Every address of raters in every form, and every other address in the commoner ones."""
        self.at_the_desk(when, fails_with=fails_with)
        self.ask(foreign_addresses(self.experiment), FOREIGN_FORMS, when, fails_with=fails_with)

    def at_the_desk(self, when: str = "", *, fails_with: int | None = None) -> None:
        """Every address of raters in every form."""
        self.open_eyes()
        self.ask(own_addresses(self.experiment), tuple(FORMS), when, fails_with=fails_with)

    def ask(
        self, addresses: list[str], forms: tuple[str, ...], when: str = "", *, fails_with: int | None = None
    ) -> None:
        """Each address in each form."""
        for address, form in product(addresses, forms):
            answer = ask(self.client, address, form)
            self.look(answer, f"{form} {address}")
            self.looked.add((when, address, form))
            fine = answer.status_code < 500 or answer.status_code == fails_with
            assert fine, f"{form} {address} fails with {answer.status_code}"

    def rate_one(self, *, scripts: bool) -> bool:
        """Judge the pair on the desk, looking at every answer; False where none is left."""
        page = self.client.get("/rate/", follow=True)
        self.look(page, "GET /rate/")
        form = form_on_the_desk(page.content.decode())
        if not form.found:
            return False
        headers = {"HX-Request": "true"} if scripts else {}
        said = {"guess": "unsure"} if "/guess/" in form.action else {"verdict": "left", "criterion-1": "left"}
        self.look(self.client.post(form.action, form.fields | said, headers=headers), f"POST {form.action}")
        return True


def test_every_hidden_column_holds_something_rare() -> None:
    experiment = a_crowded_world()
    a_seated_rater(experiment)
    planted = {column for column, text in hidden_from(Rater.objects.get(label="Rater 1")) if len(text) >= SHORT}
    wanted = {f"{model._meta.label}.{field.name}" for model in tables() for field in hidden_columns(model)}
    assert sorted(wanted - planted) == [], "a new column or table: plant a canary there, or say why raters may see it"


def test_a_look_at_the_desk_tells_nothing() -> None:
    sweep = Sweep(a_crowded_world())
    assert sweep.rate_one(scripts=True)
    assert sweep.rate_one(scripts=False)
    for path in ("/rate/instructions/", "/rate/review/", "/rate/done/"):
        sweep.look(sweep.client.get(path), path)


def test_no_answer_of_the_whole_site_tells_a_rater_who_is_who() -> None:
    experiment = a_crowded_world(arms=3, control_share=0.2, repeat_share=0.2, ask_guess=True)
    sweep = Sweep(experiment)
    sweep.everywhere("before")
    assert sweep.rate_one(scripts=False)
    assert sweep.rate_one(scripts=True)
    sweep.everywhere("during")
    for _ in range(100):
        if not sweep.rate_one(scripts=True):
            break
    else:
        pytest.fail("the rater is never done")
    sweep.everywhere("after")
    for when in ("before", "during", "after"):
        forms = Counter(address for time, address, _ in sweep.looked if time == when)
        assert len(forms) >= LEAST_ADDRESSES
        assert min(forms.values()) >= LEAST_FORMS


@pytest.mark.once
def test_a_personal_link_tells_nothing_however_it_is_opened() -> None:
    sweep = Sweep(a_crowded_world())
    [link] = invite(experiment=sweep.experiment, labels=["Rater 9"])
    sweep.rater, sweep.client = Rater.objects.latest("pk"), Client(raise_request_exception=False)
    path = link.url.removeprefix(settings.PUBLIC_URL)
    for when in ("before", "after"):  # a POST among the forms opens it
        sweep.open_eyes()
        sweep.ask([path, *(path + more for more in SUFFIXES)], tuple(FORMS), when)
    sweep.rater.refresh_from_db()
    assert sweep.rater.first_used_at is not None


@pytest.mark.once
@pytest.mark.parametrize(
    "end",
    [
        {"status": "closed", "closed_at": NOW},
        {"raters__revoked_at": NOW},
    ],
    ids=["closed", "withdrawn"],
)
def test_nothing_is_told_to_whom_the_desk_is_shut_either(end: dict[str, object]) -> None:
    experiment = a_crowded_world()
    sweep = Sweep(experiment)
    assert sweep.rate_one(scripts=True)
    if "status" in end:
        Experiment.objects.filter(pk=experiment.pk).update(**end)
    else:
        Rater.objects.filter(experiment=experiment).update(revoked_at=NOW)
    sweep.at_the_desk()


@pytest.mark.once
def test_a_stranger_without_a_link_learns_nothing_either() -> None:
    sweep = Sweep(a_crowded_world())
    sweep.client = Client(raise_request_exception=False)
    sweep.everywhere()


@pytest.mark.once
def test_an_error_of_ours_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep(a_crowded_world())

    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("Zyxomatic-1-Quillfeather at https://zyx1.quillfeather.example/v1 broke the desk")

    for name in ("next_pair", "judge", "review", "welcome", "briefing", "undo", "skip"):
        monkeypatch.setattr(desk, name, failing)
    assert sweep.client.get("/rate/").status_code == 500
    sweep.at_the_desk(fails_with=500)


@pytest.mark.once
def test_a_database_that_is_away_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep(a_crowded_world())
    sweep.open_eyes()

    def away(*_: object, **__: object) -> None:
        raise OperationalError('connection to server at "zyx1.quillfeather.example" failed: vault-of-zyxomatic-1')

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", away)
    monkeypatch.setattr(sweep, "open_eyes", lambda: None)
    answer = sweep.client.get("/rate/")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    sweep.at_the_desk(fails_with=503)
    sweep.ask(foreign_addresses(sweep.experiment), ("page", "HTMX POST"), fails_with=503)


def test_no_static_file_knows_a_sentinel(checkout: Path) -> None:
    a_world()
    eyes = Eyes(["Zyxomatic-1-Quillfeather", "quillfeather/zyx-1b-instruct-awq", "zyx1.quillfeather.example"])
    files = [path for path in (checkout / "static").rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if eyes.see(path.read_bytes())]
