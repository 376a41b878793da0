"""The report as Markdown that fits into a pull request: the answer, the three numbers, the counts, the caveats."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reports.rounding import count, decimal, duration, limits, moment, money, p_value, percent, points, volume

Report = Mapping[str, Any]
# Whatever would be markup or a link where the report is pasted: names and titles are anybody's words.
_ESCAPED = str.maketrans(
    {sign: f"\\{sign}" for sign in "\\`*_[]!|~"} | {"\n": " ", "\r": " ", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)


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
                _estimate(system["latency"]["p95"], "duration"),
                _about(system, _estimate(system["cost"]["per_1000_requests"], "money")),
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
    yield "## Latency"
    yield _table(
        (
            "system",
            "timed of sent",
            "median",
            "p95, first pass",
            "p95, all passes",
            "first token",
            "first visible",
            "p95 with retries and waits",
            "tokens a second",
            "requests a second",
        ),
        [_timed(system) for system in report["systems"]],
    )
    yield _bullets([_load(system) for system in report["systems"]])
    if report["latency_differences"]:
        yield "Paired over inputs, against the system in use; different only where the interval does not include zero:"
        yield _bullets(
            f"{one['candidate']}: median {one['words']['p50']}, p95 {one['words']['p95']}"
            + (f"; {one['note']}" if one["note"] else "")
            for one in report["latency_differences"]
        )
    yield "## Failures, tokens, cost"
    yield _table(
        (
            "system",
            "failed / cut off / refused / empty",
            "retries",
            "cold starts",
            "tokens in / out",
            "of the cost for no usable answer",
        ),
        [_ended(system) for system in report["systems"]],
    )
    notes = [f"{system['name']}: {note}" for system in report["systems"] for note in system["cost"]["notes"]]
    if notes:
        yield _bullets(notes)


def _timed(system: Mapping[str, Any]) -> tuple[str, ...]:
    times = system["latency"]
    return (
        system["name"],
        f"{count(times['n'])} of {count(times['sent'])}",
        duration(times["e2e_p50"]["value"]),
        duration(times["first_pass_p95"]),
        _estimate(times["e2e_p95"], "duration"),
        duration(times["ttft_p50"]["value"]),
        duration(times["first_visible_p50"]["value"]),
        duration(times["user_p95"]["value"]),
        decimal(times["tokens_per_second"]),
        decimal(times["throughput_rps"]),
    )


def _load(system: Mapping[str, Any]) -> str:
    times = system["latency"]
    beside = [
        f"{'interleaved with' if one['interleaved'] else 'not at the same time as'} {one['name']} at the same server"
        for one in times["beside"]
    ]
    throughput = [f"requests a second: {times['throughput_from']}"] if times["throughput_from"] else []
    return f"{system['name']}: {'; '.join([times['load'], *beside, *throughput])}"


def _ended(system: Mapping[str, Any]) -> tuple[str, ...]:
    ended, times, cost = system["failures"], system["latency"], system["cost"]
    tokens = f"{count(cost['input_tokens_mean'])} / {count(cost['output_tokens_mean'])}"
    extra = cost["without_answer"]
    return (
        system["name"],
        f"{ended['failed']} / {ended['truncated']} / {ended['refused']} / {ended['empty']}",
        count(times["retries"]),
        count(times["cold_starts"]),
        f"about {tokens}, estimated" if cost["estimated"]["answers"] else tokens,
        money(extra["per_1000_requests"] if extra else None),
    )


def _about(system: Mapping[str, Any], written: str) -> str:
    """A cost from tokens that nobody counted says so."""
    cost = system["cost"]
    return f"about {written}, estimated" if cost["basis"] == "tokens" and cost["estimated"]["answers"] else written


def _break_even(report: Report) -> Iterator[str]:
    point = report["break_even"]
    if not point["inputs"]:
        return
    yield "## Break-even"
    yield (
        f"{_volume(point['tokens_per_day'])} with avoided risk worth "
        f"{money(point['inputs']['governance_per_year'])} a year, "
        f"{_volume(point['tokens_per_day_without_governance'])} by cost alone."
    )
    times = point["inputs"]["gpus_times_without_governance"]
    if times and times > 1:
        yield f"By cost alone that volume would take {times} times the GPUs stated: there is no break-even with them."


def _volume(tokens: float | None) -> str:
    return "Never" if tokens is None else f"{volume(tokens)} tokens a day"


def _foot(report: Report) -> Iterator[str]:
    experiment, counts = report["experiment"], report["counts"]
    yield (
        f"{count(counts['judgments'])} blind judgments by {count(counts['raters'])} raters on "
        f"{count(counts['inputs'])} inputs; margin {points(experiment['margin']).removeprefix('+')}, "
        f"fixed before rating. Seal `{experiment['seal']}`, closed on {moment(experiment['closed_at'])}."
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


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    return str(text).translate(_ESCAPED)
