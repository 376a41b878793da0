"""What to keep in mind when reading the answer: each a sentence, none of them changes it."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports.rounding import count, limits, p_value, percent

Report = Mapping[str, Any]
MANY_SKIPS = 0.10
MANY_BOTH_BAD = 0.20
FEW_INPUTS = 30
SIGNIFICANT = 0.05
MOSTLY_RIGHT = 0.5
LOST = {"failed": "failed", "truncated": "cut off", "refused": "refused", "empty": "empty"}


def of_no_pair(report: Report) -> list[str]:
    """What holds whichever pair is read: where nothing is in use today, none of them is the main one."""
    return [*_of_the_seal(report), *_of_the_raters(report, None)]


def caveats(report: Report, pair: Mapping[str, Any]) -> list[str]:
    """All that apply, the weightiest first."""
    return [
        *_of_the_seal(report),
        *_of_the_score(report, pair),
        *_of_the_raters(report, pair),
        *_of_the_systems(report, pair),
    ]


def _of_the_seal(report: Report) -> Iterator[str]:
    for change in report["experiment"]["changed_since_the_seal"]:
        yield f"Not as it was sealed before rating. {change}"


def _of_the_score(report: Report, pair: Mapping[str, Any]) -> Iterator[str]:
    held = pair["noninferiority"]
    if held["scope"] == "panel":
        yield (
            f"{pair['raters']} {'rater' if pair['raters'] == 1 else 'raters'} judged this pair: the answer speaks for "
            "exactly these raters, not for others of their kind. From 4 on it can."
        )
    elif held["verdict"]["panel"] != held["verdict"]["population"]:
        yield f"For exactly these raters the verdict would be “{held['verdict']['panel']}”."
    if pair["inputs"] < FEW_INPUTS:
        inputs = "1 input was" if pair["inputs"] == 1 else f"{pair['inputs']} inputs were"
        yield f"Only {inputs} judged; 50 can decide a margin of 10 points."
    bad = pair["both_bad"] / pair["votes"] if pair["votes"] else 0
    if bad >= MANY_BOTH_BAD:
        yield f"{percent(bad)} of the judgments found both answers bad: that is a finding about the task, not a tie."
    if report["experiment"]["monitored"]:
        yield "The result could be watched while rating went on; the verdict is safe to read from the betting sequence."
    if held.get("p_holm") is not None:
        yield "Several candidates were compared: the test of the margin is corrected for that (Holm)."


def _of_the_raters(report: Report, pair: Mapping[str, Any] | None) -> Iterator[str]:
    counts, blinding = report["counts"], report["blinding"]
    asked = counts["judgments"] + counts["skipped"]
    if asked and counts["skipped"] / asked > MANY_SKIPS:
        yield f"{percent(counts['skipped'] / asked)} of the pairs were skipped as not to be judged."
    side: Mapping[str, Any] = pair["side_effect"] if pair else {"p": None}
    if side["p"] is not None and side["p"] < SIGNIFICANT:
        yield (
            f"Standing on the left changed a score by {abs(side['effect']) * 100:.1f} points (p {p_value(side['p'])}); "
            "sides were drawn at random, so that it hits both systems alike."
        )
    guessed = blinding["share"]
    if guessed["low"] is not None and guessed["low"] > MOSTLY_RIGHT:
        yield (
            f"Raters guessed the system in use today more often than chance would ({percent(guessed['value'])} right, "
            f"{limits(guessed, 'percent')}): the blinding may have been seen through."
        )
    if counts["imported"]:
        share = "All" if counts["imported"] == counts["judgments"] else f"{count(counts['imported'])} of"
        yield f"{share} {count(counts['judgments'])} judgments were imported: what those raters saw is not known here."
    if counts["overwritten"]:
        yield f"{count(counts['overwritten'])} of what raters judged here was replaced by an import."
    if counts["unblinded_judgments"]:
        seen = counts["unblinded_judgments"]
        left_out = "1 judgment" if seen == 1 else f"{count(seen)} judgments"
        yield f"{left_out} of people who could see the key {'is' if seen == 1 else 'are'} left out."
    if report["left_out"]["words"]:
        watched = " It could be seen meanwhile whether rating may stop." if report["experiment"]["monitored"] else ""
        yield report["left_out"]["words"] + watched
    flagged = [rater["label"] for rater in report["raters"] if rater["flags"]]
    if flagged:
        verb, them = ("is", "that rater") if len(flagged) == 1 else ("are", "them")
        share = f"{len(flagged)} of {len(report['raters'])} raters"
        yield f"{share} {verb} flagged; the score without {them} is shown beside."


def _of_the_systems(report: Report, pair: Mapping[str, Any]) -> Iterator[str]:
    for system in report["systems"]:
        if system["name"] not in {pair["candidate"], pair["baseline"]}:
            continue
        ended = system["failures"]
        lost = {words: ended[name] for name, words in LOST.items() if ended[name]}
        if lost:
            yield (
                f"{system['name']} gave no complete answer to {sum(lost.values())} of {ended['requests']} requests: "
                f"{', '.join(f'{n} {words}' for words, n in lost.items())}."
            )
        p95 = system["latency"]["e2e_p95"]
        if p95["value"] is not None and p95["high"] is None:
            yield f"The p95 of {system['name']} has no upper limit from {p95['n']} times; 200 would give a useful one."
        yield from (f"{system['name']}: {note}" for note in system["cost"].get("notes", ()))
