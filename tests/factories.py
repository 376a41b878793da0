"""Experiments for tests, each made by one call and as small as the test wants it."""

import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import combinations
from typing import Any

from accounts.models import User
from backends.models import Completion, Endpoint, System
from experiments.models import Arm, Experiment, Input, Output, Status
from ratings.models import Assignment, Comparison, Judgment, Rater

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def a_user(email: str = "owner@example.org", **fields: Any) -> User:
    """An owner; the password is `correct horse battery`."""
    return User.objects.create_user(email, "correct horse battery", **fields)


def an_experiment(*, inputs: int = 3, owner: User | None = None, **fields: Any) -> Experiment:
    """An experiment with plain inputs `in1`, `in2`, …; a seal is made up where the status wants one."""
    count = Experiment.objects.count() + 1
    defaults: dict[str, Any] = {
        "slug": f"experiment-{count}",
        "title": f"Experiment {count}",
        "question": "Which answer is better?",
    }
    if fields.get("status") in {Status.RATING, Status.CLOSED}:
        defaults |= {"sealed_at": NOW, "seal": "0" * 64}
    if fields.get("status") == Status.CLOSED:
        defaults |= {"closed_at": NOW + timedelta(days=3)}
    experiment = Experiment.objects.create(**(defaults | fields))
    Input.objects.bulk_create(
        Input(
            experiment=experiment,
            position=number,
            external_id=f"in{number}",
            messages=[{"role": "user", "content": f"Question number {number}?"}],
            tags=["even" if number % 2 == 0 else "odd"],
        )
        for number in range(1, inputs + 1)
    )
    if owner:
        experiment.owners.add(owner)
    return experiment


def an_endpoint(**fields: Any) -> Endpoint:
    """A server that nobody should call."""
    defaults: dict[str, Any] = {
        "name": f"endpoint-{Endpoint.objects.count() + 1}",
        "dialect": "openai",
        "base_url": "http://127.0.0.1:9/v1",
    }
    return Endpoint.objects.create(**(defaults | fields))


def a_system(experiment: Experiment, name: str, **fields: Any) -> System:
    """A system and its arm, without completions."""
    return System.objects.create(arm=Arm.objects.create(experiment=experiment), name=name, **fields)


def answers(system: System, *, text: str = "Answer of {code} to {input}.", **fields: Any) -> list[Output]:
    """A done completion and a ready output for every input of the system's experiment."""
    made = []
    for number, item in enumerate(Input.objects.filter(experiment=system.arm.experiment)):
        words = text.format(code=system.arm.code, input=item.external_id, name=system.name)
        output = Output.objects.create(input=item, arm=system.arm, text=words, html=f"<p>{words}</p>")
        defaults: dict[str, Any] = {
            "state": "done",
            "outcome": "complete",
            "raw_text": words,
            "latency_ms": 800 + 40 * number,
            "ttft_ms": 90 + number,
            "usage": {"input": 20, "output": 40},
            "attempts": 1,
            "finished_at": NOW,
        }
        Completion.objects.create(system=system, input=item, output=output, **(defaults | fields))
        made.append(output)
    return made


def a_collected_experiment(*, arms: int = 2, inputs: int = 3, baseline: bool = True, **fields: Any) -> Experiment:
    """Everything collected, nothing sealed: systems `system-1` …, the first of them the baseline."""
    experiment = an_experiment(inputs=inputs, **({"status": Status.COLLECTING} | fields))
    systems = [a_system(experiment, f"system-{number}") for number in range(1, arms + 1)]
    for system in systems:
        answers(system)
    if baseline:
        experiment.baseline = systems[0].arm
        experiment.save()
    return experiment


def a_rating_experiment(*, arms: int = 2, inputs: int = 3, baseline: bool = True, **fields: Any) -> Experiment:
    """Open for rating: sealed with a made-up seal, every pair of arms compared on every input."""
    experiment = a_collected_experiment(
        arms=arms,
        inputs=inputs,
        baseline=baseline,
        **({"status": Status.RATING, "sealed_at": NOW, "seal": "0" * 64} | fields),
    )
    for item in experiment.inputs.all():
        for first, second in combinations(Output.objects.filter(input=item).order_by("pk"), 2):
            Comparison.objects.create(input=item, first=first, second=second)
    return experiment


def a_rater(experiment: Experiment, label: str = "Rater 1", **fields: Any) -> Rater:
    """A rater whose link's token is `token of LABEL`."""
    defaults: dict[str, Any] = {
        "token_hash": sha256(f"token of {label} {experiment.pk}".encode()).hexdigest(),
        "expires_at": max(datetime.now(UTC), NOW) + timedelta(days=14),  # whatever the clock of the machine says
    }
    return Rater.objects.create(experiment=experiment, label=label, **(defaults | fields))


def a_judgment(
    comparison: Comparison, rater: Rater, *, verdict: str = "left", swap: bool = False, **fields: Any
) -> Judgment:
    """One judgment; card A is the comparison's first output unless swapped."""
    left, right = (comparison.second, comparison.first) if swap else (comparison.first, comparison.second)
    assignment = Assignment.objects.create(
        comparison=comparison, rater=rater, left=left, right=right, position=rater.assignments.count() + 1, shown_at=NOW
    )
    return Judgment.objects.create(assignment=assignment, verdict=verdict, seconds=30.0, judged_at=NOW, **fields)


def a_rated_experiment(
    *, arms: int = 2, inputs: int = 5, raters: int = 4, closed: bool = True, seed: int = 1, **fields: Any
) -> Experiment:
    """Every rater judged every pair once, at random by `seed`; closed unless said otherwise."""
    experiment = a_rating_experiment(arms=arms, inputs=inputs, **fields)
    draw = random.Random(seed)
    for number in range(1, raters + 1):
        rater = a_rater(experiment, f"Rater {number}")
        for comparison in Comparison.objects.filter(input__experiment=experiment).order_by("pk"):
            verdict = draw.choice(["left", "right", "both_good", "both_bad"])
            a_judgment(comparison, rater, verdict=verdict, swap=draw.random() < 0.5)
    if closed:
        experiment.status, experiment.closed_at = Status.CLOSED, NOW + timedelta(days=3)
        experiment.save()
    return experiment
