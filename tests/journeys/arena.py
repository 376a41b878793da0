"""Fifty real inputs with real outputs as an experiment file: one system streams over a socket, one is recorded."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests import needs
from tests.fakes.model_server import Asked, Reply, answers, error_reply

CANDIDATE, BASELINE = "llama-3.1-8b-instruct", "gpt-4o-mini-2024-07-18"

TEMPLATE = """
title = "Can we host it ourselves?"
question = "Which answer would you rather send?"
inputs = "inputs.jsonl"
baseline = "api"
margin = 0.10
ratings_per_pair = 3
seed = 7

[endpoints.local]
dialect = "openai"
preset = "vllm"
base_url = "{base_url}"
max_concurrency = 8

[systems.candidate]
endpoint = "local"
model = "llama-3.1-8b-instruct"
parameters = {{ temperature = 0, max_tokens = 4096 }}
concurrency = 8
cost = {{ gpu_hourly = 2.10, gpus = 1, hours_per_day = 24, utilisation = 0.6 }}

[systems.api]
model = "gpt-4o-mini-2024-07-18"
outputs = "api.jsonl"
cost = {{ input_per_million = 0.15, output_per_million = 0.6, price_date = 2026-11-01, price_source = "price list" }}
"""


def rows(name: str) -> list[dict[str, Any]]:
    """The lines of one of the reference files."""
    return [json.loads(line) for line in needs.shared("data", "arena_hard_50", name).read_text().splitlines()]


def texts(model: str) -> dict[str, str]:
    """Input id -> what the model answered."""
    return {row["input_id"]: row["output"] for row in rows("outputs.jsonl") if row["model"] == model}


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """A JSONL file."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def experiment_file(folder: Path, base_url: str) -> Path:
    """The TOML and what it names, written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = ({"id": row["input_id"], "input": row["prompt"], "tags": [row["segment"]]} for row in rows("inputs.jsonl"))
    write_lines(folder / "inputs.jsonl", inputs)
    recorded = (
        {"id": key, "output": text, "latency_ms": 900 + 7 * len(text) / 10, "input_tokens": 120, "output_tokens": 300}
        for key, text in texts(BASELINE).items()
    )
    write_lines(folder / "api.jsonl", recorded)
    path = folder / "experiment.toml"
    path.write_text(TEMPLATE.format(base_url=base_url))
    return path


class Replays:
    """A script for the model server: every prompt gets the candidate's recorded answer, streamed in pieces."""

    def __init__(self) -> None:
        known = texts(CANDIDATE)
        self.by_prompt = {row["prompt"].strip(): known[row["input_id"]] for row in rows("inputs.jsonl")}

    def __call__(self, asked: Asked) -> Reply:
        """The recorded answer; a prompt that is none of the fifty is a fault of the product."""
        text = self.by_prompt.get(asked.prompt.strip())
        if text is None:
            return answers("Hello.") if len(asked.prompt) < 60 else error_reply(400, "an unknown prompt")
        pieces = [text[start : start + 400] for start in range(0, len(text), 400)]
        return answers(tokens=pieces, ttft=0.01, model=CANDIDATE)
