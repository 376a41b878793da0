"""Each pair held against the margin, and the plain tests, as one table: pairs across where they are few, else down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.rounding import NOTHING, limits, p_value, percent, points, span

FEW = 3
OTHER = {"population": "panel", "panel": "population"}
SCOPES = {"population": "other raters of this kind", "panel": "exactly these raters"}
Pair = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and a second line in small."""

    words: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTable:
    """`head` names the columns after the first; each row has its own name and a cell for each of them."""

    corner: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, tuple[Cell, ...]], ...]


def margin_table(report: Mapping[str, Any]) -> MarginTable | None:
    """None where nothing was judged."""
    pairs = report["pairs"]
    if not pairs:
        return None
    names = tuple(Cell(pair["candidate"], f"against {pair['baseline']}") for pair in pairs)
    columns = [_measures(pair) for pair in pairs]
    measures = tuple(Cell(name) for name in columns[0])
    if len(pairs) <= FEW:
        rows = tuple((one, tuple(column[one.words] for column in columns)) for one in measures)
        return MarginTable(corner="Measure", head=names, rows=rows)
    rows = tuple((name, tuple(column.values())) for name, column in zip(names, columns, strict=True))
    return MarginTable(corner="Candidate", head=measures, rows=rows)


def _measures(pair: Pair) -> dict[str, Cell]:
    held, scope = pair["noninferiority"], pair["noninferiority"]["scope"]
    sign = pair["sign_test"]
    return {
        f"Verdict on the margin of {span(held['margin'])}": _verdict(held),
        "The same for the other scope": Cell(
            held["verdict"][OTHER[scope]] or NOTHING, SCOPES[OTHER[scope]] if held["verdict"][OTHER[scope]] else ""
        ),
        "p of a loss beyond the margin": Cell(
            p_value(held["p"][scope]), f"{p_value(held['p_holm'])} by Holm" if held["p_holm"] is not None else ""
        ),
        "Smallest margin that passes": Cell(span(held["smallest_margin"][scope])),
        "Equal within the margin, p of TOST": Cell(p_value(held["equivalence_p"][scope])),
        "Inputs won, lost, even": Cell(
            f"{sign['above']}, {sign['below']}, {sign['tied']}", f"sign test p {p_value(sign['p'])}"
        ),
        "Permutation p": Cell(p_value(pair["permutation_p"])),
        "Wins among decided": Cell(percent(pair["decisive_win_rate"])),
        "Score without “both bad”": Cell(percent(pair["score_without_both_bad"])),
        "Inputs where most say both bad": Cell(percent(pair["inputs_mostly_both_bad"])),
        "Good enough, difference": Cell(
            points(pair["acceptability_difference"]["value"]),
            _limits(pair["acceptability_difference"]),
        ),
    }


def _verdict(held: Mapping[str, Any]) -> Cell:
    note = f"for new inputs and {SCOPES[held['scope']]}"
    if held.get("from"):
        note += f", by the {held['from']}"
    return Cell(held["settled"] or held["why"] or NOTHING, note if held["settled"] else "")


def _limits(interval: Mapping[str, Any]) -> str:
    return limits(interval, "points") if interval["value"] is not None else ""
