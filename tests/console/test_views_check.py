"""The output check: what is found, what an owner can decide, and that no arm shows through."""

import re

import pytest
from django.test import Client

from accounts.models import Event, User
from console import checking
from experiments.actions import store_output
from experiments.models import Experiment, Output
from tests.factories import a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db
GERMAN = "Ihr Paket ist leider nicht angekommen und wird mit der Post noch einmal zu Ihnen geschickt."
ENGLISH = "Your parcel is on its way and will be with you by Friday; this is the answer to {}."


@pytest.fixture
def experiment(client: Client) -> Experiment:
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    made = an_experiment(inputs=6, owner=owner, status="collecting")
    for name in ("zebrafish", "okapi"):
        arm = a_system(made, name).arm
        for item in made.inputs.all():
            store_output(input=item, arm=arm, raw_text=ENGLISH.format(f"{item}, {arm}"), outcome="complete")
    return made


def answer(experiment: Experiment, number: int, text: str, outcome: str = "complete", which: int = 0) -> Output:
    arm = experiment.arms.order_by("pk")[which]
    item = experiment.inputs.get(position=number)
    return store_output(input=item, arm=arm, raw_text=text, outcome=outcome)


def page(client: Client, experiment: Experiment, kind: str = "") -> str:
    return client.get(f"/experiments/{experiment.pk}/check/?kind={kind}").content.decode()


def decide(client: Client, experiment: Experiment, decision: str, *, kind: str, reason: str = "") -> str:
    handles = re.findall(r'name="output" value="([0-9a-f]+)"', page(client, experiment, kind))
    data = {"decision": decision, "reason": reason, "kind": kind, "output": handles}
    sent = client.post(f"/experiments/{experiment.pk}/check/decisions/", data, follow=True)
    assert sent.status_code == 200
    return sent.content.decode()


def test_good_answers_leave_nothing_to_look_at_and_rating_can_be_opened(client: Client, experiment: Experiment) -> None:
    text = page(client, experiment)
    assert "Nothing suspicious." in text
    assert f"/experiments/{experiment.pk}/open/" in text


def test_while_answers_are_to_come_nothing_is_called_checked(client: Client, experiment: Experiment) -> None:
    a_system(experiment, "asked later", endpoint=an_endpoint())
    text = page(client, experiment)
    assert f"Nothing suspicious so far; {experiment.inputs.count()} answers are still to come." in text
    assert f"/experiments/{experiment.pk}/open/" not in text


def test_every_kind_of_finding_is_listed(client: Client, experiment: Experiment) -> None:
    answer(experiment, 1, "I am Qwen, developed by Alibaba Cloud, and this is for you.")
    answer(experiment, 2, "This ends in the mid", "truncated")
    answer(experiment, 3, "I cannot help with that.", "refused")
    answer(experiment, 4, "", "empty")
    answer(experiment, 5, GERMAN)
    for which in (0, 1):
        answer(experiment, 6, "Word for word the same.", which=which)
    found = client.get(f"/experiments/{experiment.pk}/check/").context["findings"]
    assert {kind.name: count for kind, count in found.kinds} == {
        "undecided": 1,
        "decided": 0,
        "language": 1,
        "identical": 1,
        "refused": 1,
        "cut_off": 1,
        "empty": 1,
    }
    text = page(client, experiment, "undecided")
    assert "<mark>Qwen</mark>" in text
    assert "/open/" not in text
    assert "German" in page(client, experiment, "language")


def test_both_answers_in_another_language_are_what_was_asked_for(client: Client, experiment: Experiment) -> None:
    for which in (0, 1):
        answer(experiment, 5, GERMAN + "x" * which, which=which)
    assert "Nothing suspicious." in page(client, experiment)


def test_no_name_arm_or_row_number_stands_on_the_page(client: Client, experiment: Experiment) -> None:
    for which in (0, 1):
        answer(experiment, 1, "I am Qwen and glad to help you.", which=which)
    text = page(client, experiment, "undecided")
    assert "zebrafish" not in text
    assert "okapi" not in text
    for arm in experiment.arms.all():
        assert arm.code not in text
    first, second = Output.objects.filter(state="flagged").values_list("pk", flat=True)
    assert f'value="{first}"' not in text
    assert f'value="{second}"' not in text


def test_the_order_of_cards_does_not_follow_the_arms(client: Client, experiment: Experiment) -> None:
    for number in range(1, 7):
        answer(experiment, number, "I am Qwen. First arm.", which=0)
        answer(experiment, number, "I am Qwen. Second arm.", which=1)
    orders = []
    for salt in range(24):
        Experiment.objects.update(draw_salt=f"{salt:064x}")
        shown = re.findall(r"(First|Second) arm", page(client, experiment, "undecided"))
        orders.append(list(zip(shown[::2], shown[1::2], strict=True)))
    # The rows' keys differ from run to run, so the draws do: one in a million runs sees a card always first.
    for two_cards in zip(*orders, strict=True):
        assert set(two_cards) == {("First", "Second"), ("Second", "First")}


def test_cards_in_another_language_stand_by_their_handles_too(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = a_system(experiment, "heron").arm
    item = experiment.inputs.get(position=5)
    store_output(input=item, arm=third, raw_text=ENGLISH.format(item), outcome="complete")
    foreign = [answer(experiment, 5, GERMAN + "x" * which, which=which).pk for which in (0, 1)]
    for sign in (1, -1):
        monkeypatch.setattr(checking, "handle_of", lambda _, pk, sign=sign: f"{10**9 + sign * pk}")
        assert checking.find(experiment).rows["language"] == foreign[::sign]


def test_masking_replaces_the_names_and_moves_the_card_on(client: Client, experiment: Experiment) -> None:
    output = answer(experiment, 1, "I am Qwen, happy to help you.")
    assert "1 answer was masked." in decide(client, experiment, "masked", kind="undecided")
    output.refresh_from_db()
    assert output.state == "masked"
    assert "Qwen" not in output.text
    assert "Qwen" not in output.html
    assert Event.objects.get(verb="masked outputs").detail == {"outputs": 1}


def test_releasing_and_withholding_several_at_once(client: Client, experiment: Experiment) -> None:
    for number in (1, 2, 3):
        answer(experiment, number, "I am Qwen, happy to help you.")
    assert "3 answers were released." in decide(client, experiment, "released", kind="undecided")
    assert Output.objects.filter(decision="released").count() == 3
    assert "3 answers were withheld." in decide(client, experiment, "withheld", kind="decided", reason="gives it away")
    assert set(Output.objects.filter(state="withheld").values_list("reason", flat=True)) == {"gives it away"}


def test_withholding_wants_a_reason_and_something_chosen(client: Client, experiment: Experiment) -> None:
    answer(experiment, 1, "I am Qwen, happy to help you.")
    assert "Say why" in decide(client, experiment, "withheld", kind="undecided")
    assert "Choose at least one" in decide(client, experiment, "released", kind="empty")
    assert not Output.objects.exclude(decision="none").exists()


def test_an_answer_of_another_experiment_cannot_be_decided_on(client: Client, experiment: Experiment) -> None:
    other = an_experiment(status="collecting")
    arm = a_system(other, "other").arm
    store_output(input=other.inputs.first(), arm=arm, raw_text="I am Qwen.", outcome="complete")
    answer(experiment, 1, "I am Qwen, happy to help you.")
    Experiment.objects.filter(pk=other.pk).update(draw_salt=experiment.draw_salt)
    handles = re.findall(r'name="output" value="([0-9a-f]+)"', page(client, experiment, "undecided"))
    other.owners.add(User.objects.get())
    data = {"decision": "released", "kind": "undecided", "output": handles}
    client.post(f"/experiments/{other.pk}/check/decisions/", data)
    assert not Output.objects.filter(decision="released").exists()


def test_after_the_seal_nothing_can_be_decided(client: Client, experiment: Experiment) -> None:
    answer(experiment, 1, "I am Qwen, happy to help you.")
    text = page(client, experiment, "undecided")
    handles = re.findall(r'name="output" value="([0-9a-f]+)"', text)
    Experiment.objects.update(status="rating", seal="0" * 64, sealed_at="2026-01-01T00:00:00Z")
    data = {"decision": "released", "kind": "undecided", "output": handles}
    sent = client.post(f"/experiments/{experiment.pk}/check/decisions/", data, follow=True)
    assert "can no longer be changed" in sent.content.decode()
    assert "checkbox" not in page(client, experiment, "undecided")
