"""Files of a closed experiment: they say what was judged, hold no formulas, and are read by the tools they are for."""

import csv
import hashlib
import io
import json
import zipfile
from typing import Any

import evalica
import openpyxl
import pandas
import pyarrow.parquet
import pytest

from backends.models import System
from experiments.models import Criterion, Experiment, Output
from ratings.models import Judgment
from reports import exports
from reports.report import build
from reports.unblinding import StillBlind
from tests.reports import studies

pytestmark = pytest.mark.django_db

# The table of arena-rank (`default_outcome_map` in arena_rank/utils/data_utils.py of lmarena/arena-rank, as of January
# 2026): whatever is not in it silently becomes a tie there.
ARENA_RANK = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}
# FastChat (fastchat/serve/monitor/elo_analysis.py of lm-sys/FastChat): its fit takes what is not in here for a loss of
# model_a, its online rating stops.
FASTCHAT = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "tie (bothbad)": 0.5}
# What TRL's trainers read (docs/source/dataset_formats.md of huggingface/trl: preference with explicit prompt, and
# unpaired preference); other columns are left alone.
TRL_DPO = {"prompt", "chosen", "rejected"}
TRL_KTO = {"prompt", "completion", "label"}


@pytest.mark.parametrize("name", sorted(exports.FORMATS))
def test_before_closing_nothing_is_written(name: str) -> None:
    stream = io.BytesIO()
    with pytest.raises(StillBlind):
        exports.write(studies.a_study(inputs=2, raters=1, closed=False), name, stream)
    assert stream.getvalue() == b""


def test_an_unknown_format_is_named_with_the_known_ones() -> None:
    with pytest.raises(exports.UnknownFormat, match=r"'doc' is no format .* csv, xlsx, jsonl"):
        exports.write(studies.a_study(inputs=2, raters=1), "doc", io.BytesIO())


def test_csv_has_one_row_a_judgment_with_names_and_winners() -> None:
    rows = rows_of(studies.a_study(votes="WTBL", inputs=4, raters=2))
    assert len(rows) == 8
    assert [row["winner"] for row in rows[:4]] == ["candidate", "both_good", "both_bad", "api"]
    assert {row["left"] for row in rows} == {"candidate", "api"}
    assert {row["counted"] for row in rows} == {"yes"}


def test_criteria_stand_in_their_own_order_whatever_order_they_were_stored_in() -> None:
    experiment = studies.a_study(inputs=1, raters=1)
    for position, name in enumerate(("clear", "true", "brief"), start=1):
        Criterion.objects.create(experiment=experiment, position=position, name=name)
    studies.also_on(Judgment.objects.get(), true="both_bad", brief="left", clear="right")
    [line] = written(experiment, "jsonl").decode().splitlines()
    assert list(json.loads(line)["criteria"]) == ["clear", "true", "brief"]


def test_every_format_follows_one_changed_vote() -> None:
    experiment = studies.a_study(votes="W", inputs=3, raters=1)
    before = {name: written(experiment, name) for name in exports.FORMATS}
    first = Judgment.objects.filter(assignment__rater__experiment=experiment).earliest("pk")
    studies.changed(first, {"left": "right", "right": "left"}[first.verdict])
    after = {name: written(experiment, name) for name in exports.FORMATS}
    assert [name for name in exports.FORMATS if after[name] == before[name]] == []
    assert sum(row["winner"] == "api" for row in rows_of(experiment)) == 1
    assert build(experiment)["pairs"][0]["losses"] == 1


def test_what_does_not_count_is_in_the_table_but_not_in_battles() -> None:
    experiment = studies.a_study(votes="W", inputs=3, raters=1, closed=False)
    judgment = Judgment.objects.earliest("pk")
    studies.shown_again(judgment, verdict="both_bad")
    studies.a_control(experiment, judgment.assignment.rater, right=True)
    studies.close(experiment)
    assert [row["kind"] for row in rows_of(experiment)] == ["rating", "rating", "rating", "repeat", "control"]
    assert [row["counted"] for row in rows_of(experiment)] == ["yes", "yes", "yes", "no", "no"]
    assert len(json.loads(written(experiment, "battles"))) == 3


def test_jsonl_holds_replaced_judgments_and_texts_exactly() -> None:
    experiment = studies.a_study(votes="W", inputs=2, raters=1)
    first = Judgment.objects.earliest("pk")
    Judgment.objects.filter(pk=first.pk).update(comment='=1+1\n"quoted"\u2028é')
    studies.changed(first, "both_bad")
    rows = [json.loads(line) for line in written(experiment, "jsonl").split(b"\n") if line]
    assert [row["current"] for row in rows] == [False, True, True]
    assert rows[0]["comment"] == '=1+1\n"quoted"\u2028é'
    assert rows[2]["supersedes"] == rows[0]["judgment"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "  =1", "＝1+1", "＠x", "\n=1"])
def test_a_comment_that_would_be_a_formula_is_made_harmless(text: str) -> None:
    experiment = studies.a_study(votes="W", inputs=1, raters=1)
    Judgment.objects.update(comment=text)
    comment = rows_of(experiment)[0]["comment"]
    assert comment.startswith("'")
    assert comment.replace("'", "") == text
    sheet = openpyxl.load_workbook(io.BytesIO(written(experiment, "xlsx"))).active
    cell = next(cell for cell in sheet[2] if sheet.cell(1, cell.column).value == "comment")
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize(
    "text", ["fine;=1+1;", "fine; +1", "a\n=1+1", "a\r\n-1;x", "x\t@A1\t", "x;＝1;\n=2", 'x";=1;"']
)
def test_a_spreadsheet_that_separates_otherwise_finds_no_formula_in_a_comment_either(text: str, separator: str) -> None:
    experiment = studies.a_study(votes="W", inputs=1, raters=1)
    Judgment.objects.update(comment=text)
    System.objects.filter(name="candidate").update(name=f"candidate{text}")
    Criterion.objects.create(experiment=experiment, position=1, name=text[:80])
    for name in ("csv", "evalica"):
        told = written(experiment, name).decode("utf-8-sig")
        for row in csv.reader(io.StringIO(told, newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.lstrip().startswith(tuple("=+-@＝"))], (name, row)


def test_numbers_stay_numbers_in_a_workbook() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(written(studies.a_study(inputs=2, raters=2), "xlsx"))).active
    header = [cell.value for cell in sheet[1]]
    assert sheet.max_row == 5
    assert sheet.cell(2, header.index("seconds") + 1).value == 30
    assert sheet.cell(2, header.index("counted") + 1).value is True


def test_a_workbook_survives_characters_that_xml_cannot_hold() -> None:
    experiment = studies.a_study(votes="W", inputs=1, raters=1)
    Judgment.objects.update(comment="bell \x07 here")
    sheet = openpyxl.load_workbook(io.BytesIO(written(experiment, "xlsx"))).active
    assert "bell � here" in [cell.value for cell in sheet[2]]


def test_parquet_has_typed_columns() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(written(studies.a_study(inputs=3, raters=2), "parquet")))
    assert table.num_rows == 6
    assert str(table.schema.field("counted").type) == "bool"
    assert str(table.schema.field("seconds").type) == "double"


@pytest.mark.parametrize("table", [ARENA_RANK, FASTCHAT])
def test_battles_carry_only_labels_that_both_tools_know_and_give_the_reports_score(table: dict[str, float]) -> None:
    experiment = studies.a_study(votes="WWTBL", inputs=10, raters=4)
    battles = pandas.read_json(io.BytesIO(written(experiment, "battles")))
    assert set(battles.winner) <= set(table)
    worth = battles.winner.map(table)
    of_candidate = worth.where(battles.model_a == "candidate", 1 - worth)
    assert of_candidate.mean() == pytest.approx(build(experiment)["pairs"][0]["score"]["panel"]["value"])
    assert (battles.verdict == "both_bad").sum() == 8  # a tie to them, and still told apart


def test_training_files_have_the_columns_that_trl_reads() -> None:
    experiment = studies.a_study(votes="WWL", inputs=2, raters=3)
    dpo, kto = lines_of(experiment, "dpo"), lines_of(experiment, "kto")
    assert dpo
    assert kto
    assert all(set(line) >= TRL_DPO and {type(line[name]) for name in TRL_DPO} == {list} for line in dpo)
    assert all(set(line) >= TRL_KTO and type(line["label"]) is bool for line in kto)
    for line in (*dpo, *kto):
        told = [
            message for name in (TRL_DPO | TRL_KTO - {"label"}) & set(line) if name != "label" for message in line[name]
        ]
        assert all(set(message) == {"role", "content"} for message in told)


def test_evalica_reads_its_export_and_agrees_on_the_strengths() -> None:
    experiment = studies.a_study(votes="WWTBL", inputs=10, raters=4)
    frame = pandas.read_csv(io.BytesIO(written(experiment, "evalica")))
    labels = {"left": evalica.Winner.X, "right": evalica.Winner.Y, "tie": evalica.Winner.Draw}
    fitted = evalica.bradley_terry(frame.left, frame.right, frame.winner.map(labels), tie_weight=0.5)
    assert len(frame) == 40
    ratio = fitted.scores["candidate"] / (fitted.scores["candidate"] + fitted.scores["api"])
    best = next(one for one in build(experiment)["ranking"] if one["name"] == "candidate")
    assert ratio == pytest.approx(best["beats_baseline"], abs=1e-6)


def test_dpo_prefers_what_the_majority_preferred_and_leaves_ties_out() -> None:
    experiment = studies.a_study(votes="WWL", inputs=1, raters=3)
    [line] = lines_of(experiment, "dpo")
    texts = {output.arm_id: output.text for output in Output.objects.filter(input__experiment=experiment)}
    candidate = studies.systems(experiment)[1].arm_id
    assert line["chosen"] == [{"role": "assistant", "content": texts[candidate]}]
    assert line["prompt"] == [{"role": "user", "content": "Question number 1?"}]
    assert (line["score_chosen"], line["score_rejected"]) == (2, 1)
    assert lines_of(studies.a_study(votes="WL", inputs=1, raters=2), "dpo") == []


def test_kto_labels_follow_good_enough_where_that_was_asked() -> None:
    experiment = studies.a_study(votes="W", inputs=1, raters=1)
    assert {line["system"]: line["label"] for line in lines_of(experiment, "kto")} == {"candidate": True, "api": False}
    Judgment.objects.update(left_acceptable=True, right_acceptable=True)
    assert {line["label"] for line in lines_of(experiment, "kto")} == {True}


def test_the_bundle_lists_every_file_with_its_checksum() -> None:
    experiment = studies.a_study(inputs=3, raters=2)
    with zipfile.ZipFile(io.BytesIO(written(experiment, "bundle"))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert set(manifest["files"]) == set(archive.namelist()) - {"manifest.json"}
        for name, said in manifest["files"].items():
            content = archive.read(name)
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (said["sha256"], said["bytes"]), name
        judgments = archive.read("judgments.jsonl").splitlines()
        names = {json.loads(line)["name"] for line in archive.read("systems.jsonl").splitlines()}
    assert len(judgments) == 6
    assert names == {"candidate", "api"}


def test_the_bundle_is_the_same_bytes_for_the_same_content() -> None:
    experiment = studies.a_study(inputs=2, raters=1)
    assert written(experiment, "bundle") == written(experiment, "bundle")


def test_a_name_that_looks_like_a_formula_cannot_run_from_any_table() -> None:
    experiment = studies.a_study(votes="W", inputs=1, raters=1)
    System.objects.filter(name="candidate").update(name='=HYPERLINK("x")')
    for name in ("csv", "evalica"):
        rows = list(csv.reader(io.StringIO(written(experiment, name).decode("utf-8-sig"))))
        assert not any(cell.startswith("=") for row in rows for cell in row)


def written(experiment: Experiment, name: str) -> bytes:
    """An export as bytes."""
    stream = io.BytesIO()
    exports.write(experiment, name, stream)
    return stream.getvalue()


def rows_of(experiment: Experiment) -> list[dict[str, str]]:
    """The CSV as a spreadsheet would read it."""
    return list(csv.DictReader(io.StringIO(written(experiment, "csv").decode("utf-8-sig"), newline="")))


def lines_of(experiment: Experiment, name: str) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in written(experiment, name).splitlines()]
