"""Judgments made elsewhere: every bad row is named, the last row of a rater on a pair counts, sides are kept apart."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.models import Criterion, Experiment, Output
from ratings.imports import Imported, add_judgments, follow
from ratings.leaving_out import count_again, leave_out
from ratings.models import Assignment, Comparison, CriterionVerdict, Judgment, Rater
from ratings.staging import Known, Staged, stage
from tests.factories import a_judgment, a_rater, a_rating_experiment

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    line: int
    input: str = "in1"
    rater: str = "ann"
    left: str = "a"
    right: str = "b"
    verdict: str = "left"
    criterion: str = ""
    left_acceptable: bool | None = None
    right_acceptable: bool | None = None
    seconds: float | None = None
    comment: str = ""
    judged_at: datetime | None = None


def lines(*rows: dict[str, Any]) -> list[Line]:
    return [Line(line=number, **row) for number, row in enumerate(rows, start=2)]


def known(experiment: Experiment) -> Known:
    """Its arms are called a, b, c … in the order they were made."""
    arms = sorted(experiment.arms.values_list("pk", flat=True))
    names = {pk: "abcdef"[number] for number, pk in enumerate(arms)}
    outputs: dict[str, dict[str, int]] = {item.external_id: {} for item in experiment.inputs.all()}
    for output in Output.objects.filter(input__experiment=experiment).select_related("input"):
        outputs[output.input.external_id][names[output.arm_id]] = output.pk
    criteria = tuple(experiment.criteria.values_list("name", flat=True))
    return Known(outputs=outputs, systems=frozenset(names.values()), criteria=criteria)


def bring_in(experiment: Experiment, rows: Sequence[Line]) -> Imported:
    staged = stage(rows, known(experiment))
    assert not staged.problems
    return add_judgments(experiment=experiment, staged=staged)


def checked(experiment: Experiment, *rows: dict[str, Any]) -> Staged:
    return stage(lines(*rows), known(experiment))


def winners(experiment: Experiment) -> Counter[str]:
    """Who won the current judgments, by name."""
    names = {pk: name for texts in known(experiment).outputs.values() for name, pk in texts.items()}
    found: Counter[str] = Counter()
    for one in Judgment.objects.current().filter(assignment__rater__experiment=experiment).select_related("assignment"):
        sides = {"left": one.assignment.left_id, "right": one.assignment.right_id}
        found[names[sides[one.verdict]] if one.verdict in sides else one.verdict] += 1
    return found


def test_a_row_becomes_a_judgment_with_all_it_says() -> None:
    experiment = a_rating_experiment()
    row = {"left": "b", "right": "a", "verdict": "right", "left_acceptable": False, "right_acceptable": True}
    bring_in(experiment, lines(row | {"seconds": 12.5, "comment": "Größe – ok", "judged_at": WHEN}))
    judgment = Judgment.objects.get()
    assert (judgment.verdict, judgment.left_acceptable, judgment.right_acceptable) == ("right", False, True)
    assert (judgment.seconds, judgment.comment, judgment.judged_at) == (12.5, "Größe – ok", WHEN)
    assert judgment.imported
    assert judgment.assignment.rater.label == "ann"
    assert judgment.assignment.rater.token_hash is None
    assert judgment.assignment.left_id == known(experiment).outputs["in1"]["b"]
    assert winners(experiment) == {"a": 1}


def test_a_later_row_of_the_same_rater_on_the_same_pair_supersedes() -> None:
    experiment = a_rating_experiment()
    added = bring_in(experiment, lines({"verdict": "left"}, {"verdict": "both_bad"}, {"verdict": "right"}))
    assert (added.judgments, added.superseded) == (3, 2)
    first, second, third = Judgment.objects.order_by("pk")
    assert (second.supersedes, third.supersedes) == (first, second)
    assert winners(experiment) == {"b": 1}
    assert Assignment.objects.count() == 1


def test_a_pair_given_the_other_way_round_is_the_same_pair() -> None:
    experiment = a_rating_experiment()
    bring_in(experiment, lines({"verdict": "left"}, {"left": "b", "right": "a", "verdict": "left"}))
    assert winners(experiment) == {"b": 1}
    earlier, later = Judgment.objects.order_by("pk")
    assert later.supersedes == earlier
    assert later.assignment.left_id == known(experiment).outputs["in1"]["b"], "the sides of the row that counts"
    assert earlier.verdict == "right", "seen from those sides, a won the earlier one"


def test_a_second_import_supersedes_the_first() -> None:
    experiment = a_rating_experiment()
    bring_in(experiment, lines({"verdict": "left"}, {"input": "in2", "verdict": "left"}))
    added = bring_in(experiment, lines({"left": "b", "right": "a", "verdict": "left", "left_acceptable": True}))
    assert (added.raters, added.superseded, added.comparisons) == (0, 1, 0)
    assert winners(experiment) == {"a": 1, "b": 1}
    newest = Judgment.objects.latest("pk")
    assert newest.supersedes is not None
    assert newest.right_acceptable is True, "the assignment keeps its sides, so b's acceptability moves to the right"


def test_an_import_supersedes_what_a_rater_of_that_label_judged_here() -> None:
    experiment = a_rating_experiment()
    comparison = Comparison.objects.filter(input__external_id="in1").get()
    a_judgment(comparison, a_rater(experiment, "ann"), verdict="left")
    bring_in(experiment, lines({"verdict": "right"}, {"input": "in2", "verdict": "right"}))
    assert winners(experiment) == {"b": 2}
    assert sorted(Assignment.objects.values_list("position", flat=True)) == [1, 2]


def test_no_import_brings_judgments_of_somebody_who_could_see_the_key_into_the_score() -> None:
    """Neither those that it replaces nor others in the file, nor what that rater judges here afterwards."""
    experiment = a_rating_experiment()
    ann = a_rater(experiment, "ann")
    a_judgment(Comparison.objects.filter(input__external_id="in1").get(), ann, unblinded=True)
    bring_in(experiment, lines({"verdict": "right"}, {"input": "in2", "verdict": "right"}, {"rater": "bob"}))
    found = Judgment.objects.filter(imported=True).order_by("pk")
    assert list(found.values_list("unblinded", flat=True)) == [True, True, False]
    assert set(Assignment.objects.filter(rater=ann).values_list("counts", flat=True)) == {False}


def test_what_is_imported_for_somebody_who_is_left_out_is_left_out_and_no_more_unblinded_than_they_were() -> None:
    experiment = a_rating_experiment()
    ann, bob = a_rater(experiment, "ann"), a_rater(experiment, "bob")
    pair = Comparison.objects.filter(input__external_id="in1").get()
    a_judgment(pair, ann)
    a_judgment(pair, bob, unblinded=True)
    for rater in (ann, bob):
        leave_out(rater=rater, by=None)
    bring_in(experiment, lines({"input": "in2"}, {"rater": "bob", "input": "in2"}))
    assert set(Assignment.objects.values_list("counts", flat=True)) == {False}
    for rater in (ann, bob):
        count_again(rater=rater, by=None)
    assert set(Assignment.objects.filter(rater=ann).values_list("counts", flat=True)) == {True}
    assert set(Assignment.objects.filter(rater=bob).values_list("counts", flat=True)) == {False}


def test_pairs_and_raters_are_made_as_needed() -> None:
    experiment = a_rating_experiment(arms=3)
    Comparison.objects.all().delete()
    Output.objects.filter(input__external_id="in1").update(state="withheld")
    added = bring_in(experiment, lines({}, {"left": "c", "right": "b"}, {"rater": "bob", "left": "b", "right": "a"}))
    assert (added.comparisons, added.raters) == (2, 2)
    assert set(Rater.objects.values_list("label", flat=True)) == {"ann", "bob"}


def test_a_tie_is_both_good_and_is_counted() -> None:
    experiment = a_rating_experiment()
    added = bring_in(experiment, lines({"verdict": "tie"}, {"input": "in2", "verdict": "tie"}))
    assert added.ties == 2
    assert winners(experiment) == {"both_good": 2}


def test_a_criterion_row_stands_beside_the_verdict_that_counts() -> None:
    experiment = a_rating_experiment()
    criterion = Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    added = bring_in(
        experiment,
        lines(
            {"criterion": "accuracy", "verdict": "left"},
            {"verdict": "left"},
            {"criterion": "accuracy", "left": "b", "right": "a", "verdict": "left"},
            {"verdict": "right"},
        ),
    )
    assert (added.judgments, added.criteria) == (2, 1)
    stored = CriterionVerdict.objects.get()
    assert (stored.criterion, stored.verdict) == (criterion, "right"), "the last row said b, who stands on the right"
    assert stored.judgment == Judgment.objects.current().get()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"input": "in9"}, "line 2: input 'in9' is not in this experiment. Did you mean 'in3'?"),
        ({"left": "z"}, "line 2: no system is called 'z'."),
        ({"right": "z"}, "line 2: no system is called 'z'."),
        ({"left": "a", "right": "a"}, "line 2: left and right are both 'a'."),
        ({"verdict": "Left"}, "line 2: verdict 'Left' is none of left, right, both_good, both_bad, tie."),
        ({"rater": ""}, "line 2: 'rater' must have 1 to 120 characters."),
        ({"criterion": "speed"}, "line 2: no criterion is called 'speed'."),
        ({"seconds": -1.0}, "line 2: 'seconds' must be a number of at least 0, not -1.0."),
        ({"seconds": float("nan")}, "line 2: 'seconds' must be a number of at least 0, not nan."),
    ],
)
def test_a_bad_row_is_named_by_line_and_reason(row: dict[str, Any], reason: str) -> None:
    staged = checked(a_rating_experiment(), row, {})
    assert (staged.problems, staged.bad_rows) == ([reason], 1)


def test_a_system_without_an_answer_to_the_input_is_named() -> None:
    experiment = a_rating_experiment()
    Comparison.objects.all().delete()
    Output.objects.filter(pk=known(experiment).outputs["in1"]["b"]).delete()
    assert checked(experiment, {}).problems == ["line 2: system 'b' has no answer to input 'in1'."]


def test_a_criterion_row_alone_is_named() -> None:
    experiment = a_rating_experiment()
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    staged = checked(experiment, {}, {"criterion": "accuracy", "rater": "bob"})
    assert staged.bad_rows == 1
    assert staged.problems[0].startswith("line 3: a criterion verdict needs")


def test_only_the_first_hundred_bad_rows_are_kept_in_words() -> None:
    staged = stage(lines(*[{"verdict": "?"}] * 250), known(a_rating_experiment()))
    assert (len(staged.problems), staged.bad_rows) == (100, 250)


def test_long_comments_come_back_whole() -> None:
    experiment = a_rating_experiment()
    texts = ["ä" * 70_000, "", "short"]
    bring_in(experiment, lines(*({"input": f"in{n}", "comment": text} for n, text in enumerate(texts, start=1))))
    assert list(Judgment.objects.order_by("pk").values_list("comment", flat=True)) == texts


def test_many_rows_end_like_a_plain_replay_of_the_file() -> None:
    experiment = a_rating_experiment(arms=3, inputs=4)
    draw = random.Random(5)
    rows, expected = [], {}
    for _ in range(600):
        left, right = draw.sample("abc", 2)
        row = {"input": f"in{draw.randrange(1, 5)}", "rater": f"r{draw.randrange(6)}", "left": left, "right": right}
        row["verdict"] = draw.choice(["left", "right", "both_good"])
        rows.append(row)
        key = (row["rater"], row["input"], *sorted((left, right)))
        expected[key] = row[row["verdict"]] if row["verdict"] in row else row["verdict"]
    for part in (rows[:250], rows[250:251], rows[251:]):
        bring_in(experiment, lines(*part))
    assert winners(experiment) == Counter(expected.values())
    assert Judgment.objects.count() == 600
    assert Judgment.objects.filter(supersedes=None).count() == Assignment.objects.count() == len(expected)


@given(st.lists(st.integers(0, 5), max_size=40))
def test_chains_follow_the_rows_of_a_key(keys: list[int]) -> None:
    chains = follow(np.asarray(keys, np.int64))
    latest: dict[int, int] = {}
    for row, key in enumerate(keys):
        assert chains.previous[row] == latest.get(key, -1)
        assert chains.key[chains.group[row]] == key
        latest[key] = row
    assert list(chains.key) == list(dict.fromkeys(keys))
    assert [int(row) for row in chains.last] == [latest[key] for key in dict.fromkeys(keys)]
