"""Commands print facts, refuse in one line with their exit code, and never show a traceback for a user's mistake."""

import json
import os
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backends.models import System
from console.command import Refusal, harmless
from experiments.models import Experiment
from ratings.models import AssignmentKind, Judgment
from tests.factories import (
    a_collected_experiment,
    a_rated_experiment,
    a_rating_experiment,
    a_system,
    an_endpoint,
    an_experiment,
)
from tests.journeys.drivers import Installation
from tests.reports.studies import a_study, changed, shown_again

pytestmark = pytest.mark.django_db


def run(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=options.pop("stderr", StringIO()), **options)
    return out.getvalue()


def facts(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def refusal(*words: str) -> tuple[int, str]:
    with pytest.raises(Refusal) as error:
        run(*words)
    assert "\n" not in str(error.value)
    return error.value.returncode, str(error.value)


def test_an_experiment_is_found_by_slug_and_by_id() -> None:
    experiment = a_collected_experiment(slug="mine")
    assert facts("status", "mine") == facts("status", str(experiment.pk))


def test_an_unknown_experiment_is_named_with_those_there_are() -> None:
    an_experiment(slug="mine")
    code, said = refusal("status", "yours")
    assert code == 1
    assert "'yours'" in said
    assert "mine" in said


def test_status_counts_completions_and_judgments() -> None:
    said = facts("status", a_rated_experiment(inputs=5, raters=4).slug)
    assert said["status"] == "closed"
    assert said["completions"] == {"done": 10, "failed": 0, "pending": 0}
    assert said["judgments"] == {"done": 20, "wanted": 15}
    assert said["failures"] == []


def test_status_counts_a_changed_mind_once_and_no_repeat() -> None:
    experiment = a_study(inputs=4, raters=2, closed=False)
    first, second = Judgment.objects.order_by("pk")[:2]
    changed(first, "both_bad")
    shown_again(second, verdict="left")
    current = Judgment.objects.current().filter(assignment__kind=AssignmentKind.RATING)
    assert facts("status", experiment.slug)["judgments"]["done"] == current.count() == 8


def test_status_looks_up_no_judgment() -> None:
    experiment = a_rated_experiment(inputs=2, raters=2, closed=False)
    with CaptureQueriesContext(connection) as caught:
        assert facts("status", experiment.slug)["judgments"]["done"] == 4
    assert not [query["sql"] for query in caught if Judgment._meta.db_table in query["sql"]]


def test_no_name_acts_on_the_terminal_that_it_is_printed_to() -> None:
    experiment = a_collected_experiment()
    System.objects.filter(arm=experiment.baseline).update(name="a\x1b[2J\u202e")
    said = run("collect", experiment.slug)
    assert "a\\u001b[2J\\u202e: 3 of 3 answers" in said
    assert "\x1b" not in said
    facts = {"name": "a\x1b[2J\x9b\u202e", "lines": ["one\ntwo"]}
    written = harmless(json.dumps(facts, ensure_ascii=False, indent=2))
    assert not {"\x9b", "\u202e"} & set(written)
    assert json.loads(written) == facts


def test_opening_prints_the_seal() -> None:
    experiment = a_collected_experiment()
    said = facts("open_rating", experiment.slug)
    assert (said["status"], said["comparisons"], len(said["seal"])) == ("rating", 3, 64)


def test_opening_too_early_exits_with_2() -> None:
    experiment = a_collected_experiment()
    a_system(experiment, "late", endpoint=an_endpoint())
    code, said = refusal("open_rating", experiment.slug)
    assert code == 2
    assert "late" in said


@pytest.mark.parametrize(
    "words", [["report"], ["report", "--format", "json"], ["export"], ["export", "--format", "dpo"]]
)
def test_nothing_is_told_before_closing_and_the_exit_code_is_3(words: list[str], tmp_path: Path) -> None:
    experiment = a_rating_experiment()
    command, *options = words
    target = tmp_path / "out"
    assert refusal(command, experiment.slug, *options, "-o", str(target))[0] == 3
    assert list(tmp_path.iterdir()) == []


def test_invitations_are_links_one_a_line() -> None:
    experiment = a_rating_experiment()
    lines = run("invite", experiment.slug, "--raters", "3").splitlines()
    assert len(lines) == 3
    assert all(line.startswith("http://127.0.0.1:8000/r/") for line in lines)
    [named] = facts("invite", experiment.slug, "--label", "Ann")
    assert set(named) == {"label", "url", "expires"}
    assert named["label"] == "Ann"


@pytest.mark.parametrize("count", ["0", "-1", "100000"])
def test_a_senseless_number_of_raters_is_refused(count: str) -> None:
    assert refusal("invite", a_rating_experiment().slug, "--raters", count)[0] == 1


def test_closing_and_archiving() -> None:
    experiment = a_rating_experiment()
    assert facts("close", experiment.slug)["status"] == "closed"
    assert facts("archive", experiment.slug)["archived_at"]
    assert facts("archive", experiment.slug, "--undo")["archived_at"] is None


def test_deleting_leaves_nothing() -> None:
    experiment = a_rated_experiment()
    assert facts("delete", experiment.slug)["deleted"] is True
    assert not Experiment.objects.exists()


def test_a_report_goes_to_a_file_and_to_the_terminal(tmp_path: Path) -> None:
    experiment = a_rated_experiment()
    run("report", experiment.slug, "--format", "json", "-o", str(tmp_path / "report.json"))
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["schema"] == "blindpair.report/1"
    assert json.loads(run("report", experiment.slug, "--format", "json")) == written


@pytest.mark.parametrize("command", ["report", "export"])
def test_a_file_that_cannot_be_written_is_called_as_the_user_called_it(command: str, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "x.out"
    code, said = refusal(command, a_rated_experiment().slug, "-o", str(path))
    assert (code, said) == (1, f"{path} cannot be written: No such file or directory.")


def test_times_are_iso_8601() -> None:
    experiment = a_rating_experiment()
    assert "T" in facts("invite", experiment.slug, "--raters", "1")[0]["expires"]
    assert "T" in facts("close", experiment.slug)["closed_at"]


def test_every_bad_judgment_is_named_whether_it_cannot_be_read_or_does_not_fit(tmp_path: Path) -> None:
    experiment = a_rating_experiment()
    path = tmp_path / "votes.csv"
    path.write_text("input,rater,left,right,verdict\nin1,ann,x,y,left\nin1,ann,x,y,\nnowhere,ann,x,y,left\n")
    with pytest.raises(Refusal) as error:
        run("import_judgments", experiment.slug, str(path))
    lines = [line.split(":")[0] for line in str(error.value).splitlines()]
    assert list(dict.fromkeys(lines)) == ["votes.csv, line 2", "votes.csv, line 3", "votes.csv, line 4"]


def test_an_export_keeps_its_line_ends() -> None:
    experiment = a_rated_experiment()
    raw = BytesIO()
    terminal = TextIOWrapper(raw, encoding="utf-8")
    call_command("export", experiment.slug, format="csv", stdout=terminal)
    assert raw.getvalue().count(b"\r\n") == raw.getvalue().count(b"\n") > 20


def test_doctor_finds_everything_in_order() -> None:
    parts = {one["part"]: one["ok"] for one in facts("doctor")}
    assert {"database", "migrations", "broker", "worker", "disk", "versions"} <= set(parts)
    assert all(parts.values())


def in_a_shell(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=Path(__file__).resolve().parents[2],
        env={name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        | {"BLINDPAIR_DATA": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.processes
def test_the_first_command_makes_its_tables_and_refuses_in_one_line(tmp_path: Path) -> None:
    ended = in_a_shell(tmp_path, "status", "nothing")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "blindpair: no experiment is called 'nothing'. There is none yet: add one with add_experiment.\n"
    )


@pytest.mark.processes
def test_a_missing_file_is_one_line_too(tmp_path: Path) -> None:
    Installation(tmp_path, BLINDPAIR_DATA=str(tmp_path)).make_ready()
    ended = in_a_shell(tmp_path, "add_experiment", "nowhere.toml")
    assert (ended.returncode, ended.stderr) == (1, "blindpair: nowhere.toml does not exist.\n")
