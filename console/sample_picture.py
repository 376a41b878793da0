"""How a sample compares with the log it was drawn from, by tag and by length: shares side by side."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from experiments.models import Experiment, Input, Spare
from experiments.spares import length_of

EDGES = (100, 300, 1_000, 3_000, 10_000)  # signs
BANDS = ("under 100 characters", "100 to 299", "300 to 999", "1,000 to 2,999", "3,000 to 9,999", "10,000 and more")
MOST_TAGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One tag or band of lengths: its share of the log and of the sample, and how long its bars are, in percent."""

    name: str
    log_percent: float
    sample_percent: float
    log_width: float
    sample_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Shares that belong together."""

    title: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole comparison; the log is the sample and what it left out."""

    log: int
    sample: int
    groups: tuple[Group, ...]


def picture(experiment: Experiment) -> Picture | None:
    """None where the inputs are no sample of a log that is still here."""
    spares = list(Spare.objects.filter(experiment=experiment).values_list("tags", "length"))
    if not spares:
        return None
    rows = Input.objects.filter(experiment=experiment).values_list("tags", "messages")
    sample = [(tags, length_of(messages)) for tags, messages in rows]
    log = [*sample, *spares]
    tags = _shares(_tags(log), _tags(sample), len(log), len(sample))
    lengths = _shares(_lengths(log), _lengths(sample), len(log), len(sample), order=BANDS)
    groups = [Group(title="By length", shares=lengths)]
    if tags:
        groups.insert(0, Group(title="By tag", shares=tags))
    return Picture(log=len(log), sample=len(sample), groups=tuple(groups))


def names_of(tags: Any) -> list[str]:
    """Tags as short texts, whether they came as a list or by name."""
    if isinstance(tags, dict):
        return [f"{name}: {value}" for name, value in tags.items()]
    return [str(tag) for tag in tags]


def _tags(rows: Iterable[tuple[Any, int]]) -> Counter[str]:
    return Counter(name for tags, _ in rows for name in names_of(tags))


def _lengths(rows: Iterable[tuple[Any, int]]) -> Counter[str]:
    return Counter(BANDS[bisect_right(EDGES, length)] for _, length in rows)


def _shares(
    log: Counter[str], sample: Counter[str], of_log: int, of_sample: int, *, order: tuple[str, ...] = ()
) -> tuple[Share, ...]:
    names = [name for name in order if log[name]] if order else [name for name, _ in log.most_common(MOST_TAGS)]
    shares = [(name, 100 * log[name] / of_log, 100 * sample[name] / max(1, of_sample)) for name in names]
    longest = max((max(of_all, drawn) for _, of_all, drawn in shares), default=0) or 1
    return tuple(
        Share(
            name=name,
            log_percent=round(of_all, 1),
            sample_percent=round(drawn, 1),
            log_width=round(100 * of_all / longest, 1),
            sample_width=round(100 * drawn / longest, 1),
        )
        for name, of_all, drawn in shares
    )
