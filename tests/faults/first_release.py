"""Makes the database of the first release, with rows in flight; run as a module in an installation.

python -m tests.faults.first_release
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import django
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

OURS = ("accounts", "experiments", "backends", "ratings", "reports")
FIRST = "0001_the_first_tables"
THEN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
RATER_TOKEN_HASH = "7" * 64


def main() -> None:
    """Tables of the first migrations, then a row or more in each of them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for app in OURS:
        call_command("migrate", app, FIRST, verbosity=0)
    for app in ("admin", "sessions"):
        call_command("migrate", app, verbosity=0)
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state([(app, FIRST) for app in OURS])
    fill(state.apps)


def fill(apps: Apps) -> None:
    """An experiment that is being rated and one that is being collected, by the models as they were."""

    def add(model: str, /, **fields: Any) -> Any:
        return apps.get_model(model).objects.create(**fields)

    owner = add("accounts.User", email="owner@example.org", password="!", is_staff=True)
    add("accounts.Event", actor=owner, verb="added", object="experiment rated", at=THEN)
    endpoint = add("backends.Endpoint", name="local", dialect="openai", base_url="http://127.0.0.1:9/v1")
    for slug, status in (("rated", "rating"), ("collected", "collecting")):
        sealed = {"sealed_at": THEN, "seal": "0" * 64} if status == "rating" else {}
        experiment = add(
            "experiments.Experiment",
            slug=slug,
            title=slug,
            question="Which?",
            status=status,
            ratings_per_pair=2,
            **sealed,
        )
        experiment.owners.add(owner)
        add("experiments.Criterion", experiment=experiment, position=1, name="accuracy")
        items = [
            add(
                "experiments.Input",
                experiment=experiment,
                position=number,
                external_id=f"in{number}",
                messages=[{"role": "user", "content": f"Question {number}, ünïcode ✓?"}],
            )
            for number in (1, 2, 3)
        ]
        arms = [add("experiments.Arm", experiment=experiment, code=f"{slug}-{number}") for number in (1, 2)]
        systems = [
            add("backends.System", arm=arm, endpoint=endpoint, name=f"system-{arm.code}", model_id="m") for arm in arms
        ]
        experiment.baseline = arms[0]
        experiment.save()
        if status == "rating":
            rated(add, experiment, items, systems)
        else:
            in_flight(add, items, systems)


def rated(add: Any, experiment: Any, items: list[Any], systems: list[Any]) -> None:
    """A judged pair whose answer was changed, a skipped one, and one that lies on a rater's desk."""
    rater = add(
        "ratings.Rater",
        experiment=experiment,
        label="Rater 1",
        token_hash=RATER_TOKEN_HASH,
        expires_at=datetime.now(UTC) + timedelta(days=14),
    )
    now = datetime.now(UTC)
    for number, item in enumerate(items, 1):
        outputs = [done(add, system, item) for system in systems]
        comparison = add("ratings.Comparison", input=item, first=outputs[0], second=outputs[1])
        assignment = add(
            "ratings.Assignment",
            comparison=comparison,
            rater=rater,
            left=outputs[1],
            right=outputs[0],
            position=number,
            shown_at=now,
            lease_until=now + timedelta(minutes=30),
            **({"skipped_at": now, "skip_reason": "unclear"} if number == 2 else {}),
        )
        if number == 1:
            first = add("ratings.Judgment", assignment=assignment, verdict="left", comment="Überzeugt.", seconds=12.5)
            add("ratings.Judgment", assignment=assignment, verdict="both_good", supersedes=first)


def in_flight(add: Any, items: list[Any], systems: list[Any]) -> None:
    """One row done, one that a worker holds, the others in line; one failed for good."""
    for system in systems:
        done(add, system, items[0])
        add(
            "backends.Completion",
            system=system,
            input=items[1],
            state="running",
            lease_until=datetime.now(UTC) + timedelta(minutes=1),
            attempts=1,
        )
        add("backends.Completion", system=system, input=items[2], state="pending")
    add(
        "backends.Completion",
        system=systems[0],
        input=items[2],
        sample=1,
        state="failed",
        failure_kind="timeout",
        sentence="Too slow.",
    )


def done(add: Any, system: Any, item: Any) -> Any:
    """An answer that was fetched."""
    text = f"Answer of {system.arm.code} to {item.external_id}."
    output = add("experiments.Output", input=item, arm=system.arm, text=text, html=f"<p>{text}</p>")
    add(
        "backends.Completion",
        system=system,
        input=item,
        output=output,
        state="done",
        outcome="complete",
        raw_text=text,
        latency_ms=812.5,
        usage={"input": 20, "output": 40},
        attempts=1,
        finished_at=THEN,
    )
    return output


if __name__ == "__main__":
    main()
