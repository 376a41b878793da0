"""The report as Markdown that fits into a pull request: the answer, the three numbers, the counts, the caveats."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.rounding import count, decimal, duration, limits, money, p_value, percent, points, volume

Report = Mapping[str, Any]
_ESCAPED = str.maketrans({"|": "\\|", "\n": " ", "\r": " ", "<": "&lt;", ">": "&gt;"})


def to_markdown(report: Report) -> str:
    """GitHub-flavoured Markdown with tables."""
    blocks = [
        *_head(report),
        *_numbers(report),
        *_quality(report),
        *_slices(report),
        *_systems(report),
        *_break_even(report),
        *_foot(report),
        *_personal(report),
    ]
    return "\n\n".join(blocks) + "\n"


def _head(report: Report) -> Iterator[str]:
    verdict = report["verdict"]
    yield f"# {_plain(report['experiment']['title'])}"
    yield f"**{_plain(verdict['sentence'])}**"
    if verdict["reasons"]:
        yield _bullets(verdict["reasons"])
    if verdict["caveats"]:
        yield "Keep in mind:"
        yield _bullets(verdict["caveats"])


def _numbers(report: Report) -> Iterator[str]:
    scores = {pair["candidate"]: _chosen(pair) for pair in report["pairs"] if pair["baseline"] == _baseline(report)}
    rows = []
    for system in report["systems"]:
        score = scores.get(system["name"])
        rows.append(
            (
                system["name"] + (" (in use today)" if system["baseline"] else ""),
                f"{percent(score['value'])} ({limits(score, 'percent')})" if score else "–",
                _estimate(system["latency"]["e2e_p95"], "duration"),
                _estimate(system["cost"]["per_1000_requests"], "money"),
            )
        )
    yield "## The three numbers"
    yield _table(("system", "score (95 % interval)", "p95 latency", "cost per 1,000 requests"), rows)


def _quality(report: Report) -> Iterator[str]:
    if not report["pairs"]:
        return
    yield "## Quality"
    yield _table(
        ("pair", "wins", "both good", "both bad", "losses", "inputs", "raters", "verdict", "p", "these raters"),
        [_pair(pair) for pair in report["pairs"]],
    )


def _pair(pair: Mapping[str, Any]) -> tuple[str, ...]:
    held = pair["noninferiority"]
    scope = held["scope"]
    return (
        f"{pair['candidate']} against {pair['baseline']}",
        *(count(pair[key]) for key in ("wins", "both_good", "both_bad", "losses", "inputs", "raters")),
        held["verdict"][scope] or "–",
        p_value(held["p"][scope]),
        _estimate(pair["score"]["panel"], "percent"),
    )


def _slices(report: Report) -> Iterator[str]:
    if not report.get("slices"):
        return
    yield "## By part"
    rows = [
        (
            one["name"],
            one["by"],
            one["candidate"],
            count(one["inputs"]),
            _estimate(one["score"], "percent"),
            one["words"],
        )
        for one in report["slices"]
    ]
    yield _table(("part", "by", "candidate", "inputs", "score", "difference"), rows)


def _systems(report: Report) -> Iterator[str]:
    yield "## Latency, failures, tokens"
    rows = []
    for system in report["systems"]:
        times, ended, cost = system["latency"], system["failures"], system["cost"]
        rows.append(
            (
                system["name"],
                count(times["n"]),
                duration(times["e2e_p50"]["value"]),
                _estimate(times["e2e_p95"], "duration"),
                duration(times["ttft_p50"]["value"]),
                decimal(times["throughput_rps"]),
                f"{ended['failed']} / {ended['truncated']} / {ended['refused']} / {ended['empty']}",
                f"{count(cost['input_tokens_mean'])} / {count(cost['output_tokens_mean'])}",
            )
        )
    header = (
        "system",
        "answers timed",
        "median",
        "p95",
        "first token",
        "requests a second",
        "failed / cut off / refused / empty",
        "tokens in / out",
    )
    yield _table(header, rows)


def _break_even(report: Report) -> Iterator[str]:
    point = report["break_even"]
    if not point["inputs"]:
        return
    yield "## Break-even"
    yield (
        f"{volume(point['tokens_per_day'])} tokens a day with avoided risk worth "
        f"{money(point['inputs']['governance_per_year'])} a year, "
        f"{volume(point['tokens_per_day_without_governance'])} by cost alone."
    )


def _foot(report: Report) -> Iterator[str]:
    experiment, counts = report["experiment"], report["counts"]
    yield (
        f"{count(counts['judgments'])} blind judgments by {count(counts['raters'])} raters on "
        f"{count(counts['inputs'])} inputs; margin {points(experiment['margin']).removeprefix('+')}, "
        f"fixed before rating. Seal `{experiment['seal']}`, closed {experiment['closed_at']}."
    )


def _personal(report: Report) -> Iterator[str]:
    """A line on personal data in the inputs, where any was found."""
    personal = report.get("personal_data") or {}
    if personal.get("words"):
        did = {"mask": "masked before anything was sent", "keep": "left as they were, by the owner's choice"}
        yield f"In the inputs were found and {did.get(personal['choice'], 'left as they were')}: {personal['words']}."


def _baseline(report: Report) -> str | None:
    return next((system["name"] for system in report["systems"] if system["baseline"]), None)


def _chosen(pair: Mapping[str, Any]) -> Mapping[str, Any]:
    interval: Mapping[str, Any] = pair["score"][pair["noninferiority"]["scope"]]
    return interval


def _estimate(interval: Mapping[str, Any], style: str) -> str:
    write = {"percent": percent, "duration": duration, "money": money}[style]
    around = limits(interval, style)
    return write(interval["value"]) if around == "–" else f"{write(interval['value'])} ({around})"


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    return str(text).translate(_ESCAPED)
