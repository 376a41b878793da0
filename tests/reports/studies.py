"""Closed experiments for the report's tests: known votes, systems with names, prices and times of their own."""

from datetime import timedelta
from typing import Any

from backends.models import Completion, System
from experiments.models import Arm, Experiment, Output, Status
from ratings.models import Assignment, Comparison, ComparisonKind, CriterionVerdict, Judgment, Rater
from tests.factories import NOW, a_judgment, a_rater, a_rating_experiment

API = {
    "input_per_million": 3.0,
    "output_per_million": 15.0,
    "cached_input_per_million": 0.3,
    "price_date": "2026-11-01",
    "price_source": "price list",
}
GPU = {"gpu_hourly": 1.64, "gpus": 1, "hours_per_day": 24}


def a_study(
    *, votes: str = "WTBL", inputs: int = 12, raters: int = 5, closed: bool = True, **fields: Any
) -> Experiment:
    """Two systems, `candidate` on a GPU and `api` by tokens; votes go round in `votes`, from the candidate's side:
    W better, L worse, T both good, B both bad. The candidate stands on the left every other time."""
    experiment = a_rating_experiment(arms=2, inputs=inputs, **fields)
    baseline, candidate = systems(experiment)
    System.objects.filter(pk=baseline.pk).update(name="api", cost=API)
    System.objects.filter(pk=candidate.pk).update(name="candidate", cost=GPU, concurrency=4)
    Completion.objects.filter(system=candidate).update(usage={"input": 1200, "output": 300})
    Completion.objects.filter(system=baseline).update(usage={"input": 1200, "output": 300})
    turn = 0
    for number in range(1, raters + 1):
        rater = a_rater(experiment, f"Rater {number}")
        for comparison in real_pairs(experiment):
            vote(comparison, rater, candidate.arm, votes[turn % len(votes)], on_left=turn % 2 == 0)
            turn += 1
    return close(experiment) if closed else experiment


def systems(experiment: Experiment) -> tuple[System, System]:
    """The baseline and the candidate."""
    found = System.objects.filter(arm__experiment=experiment).select_related("arm")
    return found.get(arm=experiment.baseline), found.exclude(arm=experiment.baseline).get()


def real_pairs(experiment: Experiment) -> list[Comparison]:
    """In the order of the inputs."""
    return list(Comparison.objects.filter(input__experiment=experiment, kind="real").order_by("input__position"))


def vote(comparison: Comparison, rater: Rater, arm: Arm, letter: str, *, on_left: bool, **fields: Any) -> Judgment:
    """One vote from the side of an arm."""
    own = next(output for output in (comparison.first, comparison.second) if output.arm_id == arm.pk)
    won, lost = ("left", "right") if on_left else ("right", "left")
    verdict = {"W": won, "L": lost, "T": "both_good", "B": "both_bad"}[letter]
    return a_judgment(comparison, rater, verdict=verdict, swap=(own == comparison.first) != on_left, **fields)


def close(experiment: Experiment) -> Experiment:
    """Closed, as of three days later."""
    experiment.status, experiment.closed_at = Status.CLOSED, NOW + timedelta(days=3)
    experiment.save()
    return experiment


def shown_again(judgment: Judgment, *, verdict: str) -> Judgment:
    """The same pair again to the same rater, sides swapped."""
    first = judgment.assignment
    again = Assignment.objects.create(
        comparison=first.comparison,
        rater=first.rater,
        kind="repeat",
        repeat_of=first,
        left=first.right,
        right=first.left,
        position=first.rater.assignments.count() + 1,
    )
    return Judgment.objects.create(assignment=again, verdict=verdict, judged_at=NOW)


def a_control(experiment: Experiment, rater: Rater, *, right: bool) -> Judgment:
    """A pair in which one side answers another input, judged rightly or not."""
    one, other = list(experiment.inputs.order_by("position")[:2])
    arm = experiment.baseline
    outputs = sorted((Output.objects.get(input=item, arm=arm) for item in (one, other)), key=lambda output: output.pk)
    expected = next(output for output in outputs if output.input_id == one.pk)
    comparison, _ = Comparison.objects.get_or_create(
        first=outputs[0],
        second=outputs[1],
        defaults={"input": one, "kind": ComparisonKind.CONTROL, "expected": expected},
    )
    shown = Assignment.objects.create(
        comparison=comparison,
        rater=rater,
        kind="control",
        left=outputs[0],
        right=outputs[1],
        position=rater.assignments.count() + 1,
    )
    verdict = "left" if (expected == outputs[0]) == right else "right"
    return Judgment.objects.create(assignment=shown, verdict=verdict, judged_at=NOW)


def also_on(judgment: Judgment, **said: str) -> None:
    """What the rater says on each criterion, stored in the order given."""
    for name, verdict in said.items():
        criterion = judgment.assignment.rater.experiment.criteria.get(name=name)
        CriterionVerdict.objects.create(judgment=judgment, criterion=criterion, verdict=verdict)


def changed(judgment: Judgment, verdict: str, **fields: Any) -> Judgment:
    """A changed mind: a further row that supersedes."""
    later = NOW + timedelta(hours=1)
    return Judgment.objects.create(
        assignment=judgment.assignment, verdict=verdict, supersedes=judgment, judged_at=later, **fields
    )
