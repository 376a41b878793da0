"""Opening seals, closing unseals, deleting leaves nothing: the actions that span floors."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Event
from backends.queries import arms_by_name
from backends.sealing import commitment
from console.actions import (
    BadRows,
    NotReady,
    WrongStatus,
    archive,
    close,
    delete,
    import_judgments,
    open_for_rating,
)
from experiments.models import Experiment, Output, Status
from experiments.sealing import changes
from ratings.models import Comparison, Judgment
from tests.factories import (
    a_collected_experiment,
    a_rated_experiment,
    a_rating_experiment,
    a_system,
    a_user,
    an_endpoint,
    answers,
)

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Line:
    line: int = 2
    input: str = "in1"
    rater: str = "ann"
    left: str = "system-1"
    right: str = "system-2"
    verdict: str = "left"
    criterion: str = ""
    left_acceptable: bool | None = None
    right_acceptable: bool | None = None
    seconds: float | None = None
    comment: str = ""
    judged_at: datetime | None = None


def flag(experiment: Experiment) -> Output:
    output = Output.objects.filter(input__experiment=experiment).earliest("pk")
    output.state, output.flags = "flagged", [{"words": "Claude"}]
    output.save()
    return output


def test_opening_seals_and_makes_the_pairs() -> None:
    experiment = a_collected_experiment()
    owner = a_user()
    opened = open_for_rating(experiment=experiment, by=owner)
    experiment.refresh_from_db()
    assert (opened.comparisons, experiment.status) == (3, Status.RATING)
    assert experiment.sealed_at is not None
    assert changes(experiment, commitment=commitment(experiment)) == []
    assert Event.objects.get(verb="opened for rating").actor_name == owner.email


def test_opening_twice_is_refused() -> None:
    experiment = a_collected_experiment()
    open_for_rating(experiment=experiment, by=None)
    with pytest.raises(NotReady, match="opened for rating already"):
        open_for_rating(experiment=experiment, by=None)


def test_answers_that_are_still_to_come_keep_it_closed() -> None:
    experiment = a_collected_experiment()
    a_system(experiment, "late", endpoint=an_endpoint())
    with pytest.raises(NotReady, match="late"):
        open_for_rating(experiment=experiment, by=None)
    experiment.refresh_from_db()
    assert (experiment.status, experiment.seal) == (Status.COLLECTING, "")
    assert not Comparison.objects.exists()


def test_an_undecided_flag_keeps_it_closed_and_is_named_by_input() -> None:
    experiment = a_collected_experiment()
    flag(experiment)
    with pytest.raises(NotReady, match="in1"):
        open_for_rating(experiment=experiment, by=None)


@pytest.mark.parametrize(("flagged", "pairs", "decision"), [("release", 3, "released"), ("withhold", 2, "withheld")])
def test_flags_can_be_decided_together(flagged: str, pairs: int, decision: str) -> None:
    experiment = a_collected_experiment()
    output = flag(experiment)
    assert open_for_rating(experiment=experiment, by=None, flagged=flagged).comparisons == pairs
    output.refresh_from_db()
    assert output.decision == decision


def test_a_system_in_the_question_is_warned_about() -> None:
    experiment = a_collected_experiment(question="Is Zephyrus-9 better?")
    answers(a_system(experiment, "Zephyrus-9"), text="Another answer of {code} to {input}.")
    assert any("Zephyrus-9" in warning for warning in open_for_rating(experiment=experiment, by=None).warnings)


def test_closing_needs_an_open_rating() -> None:
    experiment = a_collected_experiment()
    with pytest.raises(WrongStatus, match="never opened"):
        close(experiment=experiment, by=None)
    open_for_rating(experiment=experiment, by=None)
    closed = close(experiment=experiment, by=a_user())
    assert (closed.status, closed.closed_by is not None) == (Status.CLOSED, True)
    with pytest.raises(WrongStatus, match="closed already"):
        close(experiment=experiment, by=None)


def test_archiving_can_be_undone() -> None:
    experiment = a_rated_experiment()
    assert archive(experiment=experiment, by=None).archived_at is not None
    assert archive(experiment=experiment, by=None, undo=True).archived_at is None


def test_deleting_takes_everything_but_the_audit_log() -> None:
    experiment, other = a_rated_experiment(), a_rated_experiment()
    delete(experiment=experiment, by=a_user())
    assert list(Experiment.objects.all()) == [other]
    assert set(Judgment.objects.values_list("assignment__rater__experiment", flat=True)) == {other.pk}
    assert Event.objects.get(verb="deleted").object == f"experiment {experiment.slug}"


@pytest.mark.django_db(transaction=True)
def test_no_word_of_a_deleted_experiment_stays_in_the_files() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Postgres recycles its pages by itself")
    experiment = a_rated_experiment()
    canary = "a most confidential zebra"
    experiment.inputs.update(reference=canary * 50)
    Output.objects.update(text=canary * 50)
    files = [Path(str(connection.settings_dict["NAME"]) + end) for end in ("", "-wal")]
    assert any(canary.encode() in file.read_bytes() for file in files if file.exists())
    delete(experiment=experiment, by=None)
    assert not any(canary.encode() in file.read_bytes() for file in files if file.exists())


def test_an_import_while_collecting_seals_first_and_releases_flags() -> None:
    experiment = a_collected_experiment()
    output = flag(experiment)
    imported = import_judgments(experiment=experiment, rows=[Line()], file="x.csv", by=None)
    output.refresh_from_db()
    assert (imported.judgments, experiment.status, output.decision) == (1, Status.RATING, "released")
    judgment = Judgment.objects.get()
    assert judgment.assignment.left.arm == arms_by_name(experiment)["system-1"]


def test_a_bad_row_leaves_everything_as_it_was() -> None:
    experiment = a_collected_experiment()
    with pytest.raises(BadRows, match=r"^x\.csv, line 3: input 'in7' is not in this experiment"):
        import_judgments(experiment=experiment, rows=[Line(), Line(line=3, input="in7")], file="x.csv", by=None)
    experiment.refresh_from_db()
    assert (experiment.status, Judgment.objects.count(), Comparison.objects.count()) == (Status.COLLECTING, 0, 0)


def test_a_closed_experiment_takes_no_judgments() -> None:
    experiment = a_rated_experiment()
    with pytest.raises(WrongStatus, match="closed"):
        import_judgments(experiment=experiment, rows=[Line()], file="x.csv", by=None)


def test_an_open_experiment_takes_judgments_without_a_second_seal() -> None:
    experiment = a_rating_experiment()
    import_judgments(experiment=experiment, rows=[Line()], file="x.csv", by=None)
    experiment.refresh_from_db()
    assert experiment.seal == "0" * 64


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(BadRows, match="no judgment"):
        import_judgments(experiment=a_rating_experiment(), rows=[], file="x.csv", by=None)
