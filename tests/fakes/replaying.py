"""What real servers said, said again: a recorded transcript as a reply of the fake server."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.fakes.model_server import Reply, Reset, Step, Wait

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "transcripts"
_HOP = {"connection", "keep-alive", "content-length", "transfer-encoding", "date", "server"}


def transcript(name: str) -> dict[str, Any]:
    """A recorded exchange of tests/fixtures/transcripts, by `server/scenario`."""
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def reply_of(recorded: dict[str, Any], *, paced: bool = False) -> Reply:
    """The recorded answer piece by piece, with the recorded pauses if `paced`."""
    chunks = recorded["chunks"]
    times = [0.0, recorded["headers_ms"], *(at for at, _ in chunks)]
    pauses = [Wait(max(0.0, (b - a) / 1000)) if paced else Wait(0) for a, b in pairwise(times)]
    pieces = [text.encode("utf-8", "surrogateescape") for _, text in chunks]
    steps: list[Step] = [step for pair in zip(pauses[1:], pieces, strict=True) for step in pair]
    if recorded["error"]:
        steps.append(Reset())
    headers = {name: value for name, value in recorded["headers"] if name.lower() not in _HOP}
    whole = any(name.lower() == "content-length" for name, _ in recorded["headers"])
    return Reply(
        steps,
        status=recorded["status"],
        headers=headers,
        headers_after=pauses[:1],
        length=sum(map(len, pieces)) if whole else None,
    )
