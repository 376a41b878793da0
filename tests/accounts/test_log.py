"""The audit log: only added to, whoever asks the database; shown to owners and staff; free of what could mislead."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.actions import escaped, log, look
from accounts.models import Event, User
from experiments.models import Experiment
from tests.factories import a_rated_experiment, a_user, an_experiment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("sql", ["UPDATE accounts_event SET verb = 'nothing'", "DELETE FROM accounts_event"])
def test_the_database_itself_refuses_to_change_the_log(sql: str) -> None:
    log(None, "closed", "experiment x")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Event.objects.get().verb == "closed"


@pytest.mark.django_db(transaction=True)
def test_a_flush_empties_the_log_and_the_guard_stands_again() -> None:
    log(None, "closed", "experiment x")
    call_command("flush", interactive=False, verbosity=0)
    assert not Event.objects.exists()
    log(None, "closed", "experiment x")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_event")


def test_what_would_fool_a_reader_is_written_out() -> None:
    assert escaped("a\nb\x1b[2K\x00c\u202egnp.exe\u200b") == "a\\u000ab\\u001b[2K\\u0000c\\u202egnp.exe\\u200b"
    event = log("rater a\r\nb", "revoked a link", "experiment x", rater="\x1b]0;x\x07")
    assert event.actor_name == "rater a\\u000d\\u000ab"
    assert event.detail == {"rater": "\\u001b]0;x\\u0007"}
    assert escaped("Zoë Müller, 東京") == "Zoë Müller, 東京"


def test_an_event_keeps_the_network_it_came_from_and_no_address() -> None:
    a_user()
    for address in ("203.0.113.77", "2001:db8:1:2:3::4"):
        Client(REMOTE_ADDR=address).post("/login/", {"email": "owner@example.org", "password": "wrong"})
    places = list(Event.objects.filter(verb="failed to sign in").values_list("place", flat=True))
    assert places == ["203.0.113.0/24", "2001:db8:1::/48"]
    assert log(None, "closed", "experiment x").place == ""


def test_a_failed_sign_in_names_the_account_and_not_who_it_was() -> None:
    Client().post("/login/", {"email": "owner@example.org", "password": "wrong"})
    event = Event.objects.get()
    assert (event.actor_name, event.object) == ("a visitor", "user owner@example.org")
    assert "wrong" not in str(Event.objects.values())


def test_looks_are_written_down_once_an_hour(client: Client) -> None:
    user = User.objects.create_user("owner@example.org")
    experiment = a_rated_experiment(raters=1, inputs=1)
    experiment.owners.add(user)
    client.force_login(user)
    for _ in range(2):
        for place in ("report/", "report/pairs/", "check/", "exports/jsonl/", "report.json"):
            assert client.get(f"/experiments/{experiment.pk}/{place}").status_code == 200, place
    verbs = list(Event.objects.filter(actor=user).order_by("pk").values_list("verb", flat=True))
    looks = ["looked at the report", "looked at the pairs", "looked at the answers"]
    assert verbs == [*looks, "exported", "exported", "exported", "exported"]
    look(User.objects.create_user("other@example.org"), "the report", f"experiment {experiment.slug}")
    assert Event.objects.filter(verb="looked at the report").count() == 2


def a_seen_log(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_owners_read_what_was_done_to_their_experiment_and_to_no_other(client: Client) -> None:
    user = User.objects.create_user("owner@example.org")
    mine, other = an_experiment(owner=user), an_experiment()
    log(user, "invited raters", f"experiment {mine.slug}", raters=3)
    log(None, "closed", f"experiment {other.slug}")
    client.force_login(user)
    page = a_seen_log(client, f"/experiments/{mine.pk}/log/")
    assert "invited raters" in page
    assert "closed" not in page.split("<tbody>")[1].split("</tbody>")[0]
    assert client.get(f"/experiments/{other.pk}/log/").status_code == 404
    assert client.get("/log/").status_code == 404


def test_the_next_experiment_of_a_name_does_not_inherit_the_log(client: Client) -> None:
    log(None, "opened for rating", "experiment experiment-1")
    user = User.objects.create_user("owner@example.org")
    mine = an_experiment(owner=user)
    assert mine.slug == "experiment-1"
    client.force_login(user)
    assert "opened for rating" not in a_seen_log(client, f"/experiments/{mine.pk}/log/")
    assert "opened for rating" not in a_seen_log(client, f"/experiments/{mine.pk}/")


def test_staff_read_everything_page_by_page_and_search_it(client: Client) -> None:
    client.force_login(User.objects.create_user("boss@example.org", is_staff=True))
    for number in range(60):
        log(None, "closed", f"experiment number-{number}")
    assert "number-59" in a_seen_log(client, "/log/")
    assert "number-0<" not in a_seen_log(client, "/log/")
    assert "number-0<" in a_seen_log(client, "/log/?page=2")
    assert "number-7<" in a_seen_log(client, "/log/?q=closed+number-7")
    assert "Nothing in the log has" in a_seen_log(client, "/log/?q=nobody")
    for query in ("page=0", "page=x", "page=99999999999999999999", "q=%00", "q=" + "x" * 500):
        assert client.get(f"/log/?{query}").status_code == 200


def test_a_name_in_the_log_is_text_and_nothing_else(client: Client) -> None:
    user = User.objects.create_user("owner@example.org")
    mine: Experiment = an_experiment(owner=user)
    log("rater <img src=x>", "revoked a link", f"experiment {mine.slug}", rater="<script>alert(1)</script>")
    client.force_login(user)
    page = a_seen_log(client, f"/experiments/{mine.pk}/log/")
    assert "<img" not in page
    assert "<script>alert" not in page
