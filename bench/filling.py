"""Experiments of any size, made by the product from the samples: what the bench of many fills a database with."""

import csv
import io
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, product
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SYSTEMS = {"api": "managed", "one": "hosted", "other": "hosted"}
RIVALS = len(SYSTEMS) - 1
KINDS = ("collecting", "rating", "closed")
VERDICTS = ("left", "right", "both_good", "both_bad", "right")
PEOPLE, ENDPOINTS = 300, 50


def owner() -> str:
    """The address of a superuser, made once."""
    from accounts.models import User  # noqa: PLC0415 - needs the apps, as all below

    address = "owner@example.org"
    if not User.objects.filter(email=address).exists():
        User.objects.create_superuser(address, "correct horse battery")
    return address


def neighbours() -> None:
    """Other people and endpoints of the site."""
    from accounts.models import Event, User  # noqa: PLC0415
    from backends.models import Endpoint  # noqa: PLC0415

    names = [f"person-{number}@example.org" for number in range(PEOPLE)]
    User.objects.bulk_create([User(email=name, password="!") for name in names])
    Endpoint.objects.bulk_create(
        [
            Endpoint(name=f"server {number}", dialect="openai", base_url=f"http://10.0.0.{number + 1}:8000/v1")
            for number in range(ENDPOINTS)
        ]
    )
    said = [Event(actor_name=name, verb="signed in", object="account") for name in names for _ in range(100)]
    Event.objects.bulk_create(said, batch_size=1000)


def made(kind: str, *, title: str = "", inputs: int = 50, raters: int = 20, each: int = 100) -> int:
    """An experiment of this kind, each of whose raters judged so many pairs; its key."""
    folder = Path(os.environ["BLINDPAIR_DATA"])
    write(folder, title or kind, inputs=inputs, monitored=kind == "rating")
    pk = int(command("add_experiment", str(folder / "bench.toml"), owner=owner())["id"])
    if kind == "collecting":
        leave_rows(pk, 2 * inputs)
    else:
        command("import_judgments", str(pk), write_judgments(folder, raters, each))
    if kind == "closed":
        command("close", str(pk))
    return pk


def leave_rows(pk: int, wanted: int) -> None:
    """So many rows of its log that are not in the sample."""
    from experiments.models import Spare  # noqa: PLC0415

    rows = [(f"other-{row['id']}", row["input"]) for row in _repeated("inputs", "input", wanted)]
    spares = [
        Spare(experiment_id=pk, external_id=name, messages=[{"role": "user", "content": text}], length=len(text))
        for name, text in rows
    ]
    Spare.objects.bulk_create(spares, batch_size=1000)


def spread(pks: list[int]) -> None:
    """Let these stand far apart in the list of experiments, as large ones do."""
    from experiments.models import Experiment  # noqa: PLC0415

    others = Experiment.objects.exclude(pk__in=pks).order_by("created_at")
    moments = sorted({others[place].created_at for place in range(0, others.count(), max(1, others.count() // 9))})
    for number, pk in enumerate(pks):
        near = moments[number % len(moments)]
        Experiment.objects.filter(pk=pk).update(created_at=near - timedelta(hours=number // len(moments)))


def command(name: str, *words: str, **options: Any) -> Any:
    """What one of our commands says with --json."""
    from django.core.management import call_command  # noqa: PLC0415

    said = io.StringIO()
    call_command(name, *words, json=True, stdout=said, stderr=io.StringIO(), **options)
    return json.loads(said.getvalue() or "null")


def write(folder: Path, title: str, *, wanted: int = 3, inputs: int = 50, monitored: bool = False) -> None:
    """The sample's texts as an experiment of three systems, repeated until there are so many inputs."""
    (folder / "inputs.jsonl").write_text("\n".join(map(json.dumps, _repeated("inputs", "input", inputs))))
    lines = [f'title = "{title}"\nquestion = "Which would you send?"\ninputs = "inputs.jsonl"\nbaseline = "api"']
    lines.append(f"ratings_per_pair = {wanted}\ncontrol_share = 0.1\nmonitored = {str(monitored).lower()}")
    for number, (name, source) in enumerate(SYSTEMS.items(), start=1):
        rows = _repeated(source, "output", inputs)
        changed = [row | {"output": f"{row['output']}\n\n({'*' * number})"} for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, changed)))
        lines.append(f'[systems.{name}]\noutputs = "{name}.jsonl"')
    (folder / "bench.toml").write_text("\n".join(lines) + "\n")


def _repeated(source: str, text: str, wanted: int) -> Iterator[dict[str, Any]]:
    rows = [json.loads(line) for line in (SAMPLES / f"{source}.jsonl").open()]
    for number in range(wanted):
        row, turn = rows[number % len(rows)], number // len(rows)
        again = {"id": f"{row['id']}-{turn}", text: f"{row[text]} ({turn})"} if turn else {}
        yield row | again


def write_judgments(folder: Path, raters: int, each: int) -> str:
    """So many verdicts of each rater, all pairs in turn."""
    ids = [json.loads(line)["id"] for line in (folder / "inputs.jsonl").open()]
    pairs = cycle(product(ids, ("one", "other")))
    with (folder / "judgments.csv").open("w") as file:
        table = csv.writer(file)
        table.writerow(["input", "rater", "left", "right", "verdict", "seconds", "comment"])
        for number in range(raters * each):
            item, name = next(pairs)
            sides = (name, "api") if number % 3 else ("api", name)
            comment = "Says what to do next." if number % 50 == 0 else ""
            verdict, seconds = VERDICTS[number * 7 % 5], 20 + number % 30 + number % 7 / 10
            table.writerow([item, f"Rater {number // each + 1}", *sides, verdict, seconds, comment])
    return str(folder / "judgments.csv")
