"""All pairs of an experiment, as they are stored: read once a process, for the seal freezes them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from experiments.models import Experiment, Output
from ratings.models import Comparison, ComparisonKind
from ratings.pairing import Candidate, Group, orient
from ratings.slots import NOTHING, Taken

CONTROLS: Group = (0, 0)


@dataclass(frozen=True, slots=True)
class Offer:
    """A comparison: which output leads, and which follows; of a control it is the known answer that leads."""

    comparison: int
    item: int
    group: Group
    leading: int
    following: int
    leads_first: bool

    def candidate(self, given: Taken) -> Candidate:
        """The pair with what is taken of it, told by its leading output."""
        forward, backward = given.first_left, given.second_left
        if not self.leads_first:
            forward, backward = backward, forward
        return Candidate(self.comparison, self.item, self.group, forward, backward)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every pair by comparison (`known`); of those that may be served (`offers`) the real ones and, as they always
    are, the controls, and all by pair of arms."""

    known: Mapping[int, Offer]
    offers: Mapping[int, Offer]
    real: Sequence[Offer]
    controls: Sequence[Candidate]
    groups: tuple[tuple[int, ...], ...]


def catalogue_of(experiment: Experiment, needed: Set[int]) -> Catalogue:
    """The pairs of an experiment; `needed` are comparisons that it must know, which later imports may have added."""
    key = (experiment.pk, experiment.draw_salt, experiment.baseline_id)
    catalogue = _read(*key, frozenset())
    if needed <= catalogue.known.keys():
        return catalogue
    return _read(*key, frozenset(needed - catalogue.known.keys()))


@lru_cache(maxsize=32)
def _read(experiment: int, salt: str, baseline: int | None, newer: frozenset[int]) -> Catalogue:
    """`salt` and `newer` only tell one reading from another."""
    rows = Comparison.objects.filter(input__experiment=experiment).order_by("pk")
    columns = ("pk", "input_id", "kind", "first_id", "second_id", "first__arm_id", "second__arm_id", "expected_id")
    known = {row[0]: _offer(row, baseline) for row in rows.values_list(*columns)}
    shown = Output.objects.filter(input__experiment=experiment).servable()
    offers = {pk: known[pk] for pk in rows.filter(first__in=shown, second__in=shown).values_list("pk", flat=True)}
    by_group: dict[Group, list[int]] = defaultdict(list)
    for offer in offers.values():
        by_group[offer.group].append(offer.comparison)
    return Catalogue(
        known,
        offers,
        real=[offer for offer in offers.values() if offer.group != CONTROLS],
        controls=[offer.candidate(NOTHING) for offer in offers.values() if offer.group == CONTROLS],
        groups=tuple(tuple(by_group[group]) for group in sorted(by_group)),
    )


def _offer(row: tuple[int, int, str, int, int, int, int, int | None], baseline: int | None) -> Offer:
    pk, item, kind, first, second, first_arm, second_arm, expected = row
    group = CONTROLS if kind == ComparisonKind.CONTROL else orient((first_arm, second_arm), baseline)
    leads_first = first == expected if group == CONTROLS else first_arm == group[0]
    sides = (first, second) if leads_first else (second, first)
    return Offer(pk, item, group, *sides, leads_first)
