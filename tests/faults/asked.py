"""An experiment whose answers a server of ours gives, and a way to have them all fetched again."""

import json

from tests.fakes.model_server import Asked, Reply, answers
from tests.faults.assault import rows
from tests.journeys.drivers import Installation

OURS = "raw_text LIKE 'You said%'"
TOML = """
title = "Asked"
inputs = "inputs.jsonl"
[endpoints.local]
dialect = "openai"
preset = "vllm"
base_url = "{address}"
max_concurrency = {concurrency}
[systems.asked]
endpoint = "local"
model = "fake"
concurrency = {concurrency}
[systems.recorded]
outputs = "recorded.jsonl"
"""


def polite(asked: Asked, ttft: float = 0.0) -> Reply:
    """What the server says."""
    return answers(f"You said: {asked.prompt}", ttft=ttft)


def add_asked(
    here: Installation, address: str, *, inputs: int, concurrency: int = 4, words: str = "", owner: str = ""
) -> None:
    """A draft called `asked`: one system at this address, and one whose answers are recorded; `words` in each text."""
    texts = {"inputs": "input", "recorded": "output"}
    for name, field in texts.items():
        lines = [json.dumps({"id": f"in{number}", field: f"Question {number}?{words}"}) for number in range(inputs)]
        (here.folder / f"{name}.jsonl").write_text("\n".join(lines))
    (here.folder / "asked.toml").write_text(TOML.format(address=address, concurrency=concurrency))
    owned = ["--owner", owner] if owner else []
    here.run("add_experiment", str(here.folder / "asked.toml"), *owned)


def fetched(here: Installation) -> int:
    """How many answers are stored."""
    return int(rows(here, f"SELECT count(*) FROM backends_completion WHERE state = 'done' AND {OURS}")[0][0])


def fetch_again(here: Installation) -> None:
    """Put every row back in line, past the product: nobody rings."""
    outputs = rows(here, f"SELECT output_id FROM backends_completion WHERE output_id IS NOT NULL AND {OURS}")
    places = ", ".join(str(pk) for (pk,) in outputs)
    changes = "state = 'pending', outcome = NULL, output_id = NULL, raw_text = ''"
    rows(here, f"UPDATE backends_completion SET {changes} WHERE output_id IN ({places})")
    rows(here, f"DELETE FROM experiments_output WHERE id IN ({places})")
