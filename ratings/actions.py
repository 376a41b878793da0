"""The pairs of an experiment, made once when rating opens."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping

from django.db import transaction

from experiments.models import Experiment, Input, Output, Pairs
from ratings.draws import Draws
from ratings.models import Comparison, ComparisonKind, Rater
from ratings.pairing import Pair, control_pairs, real_pairs

BATCH = 1000


@transaction.atomic
def make_comparisons(*, experiment: Experiment) -> int:
    """Make the real and control pairs of the outputs that raters may see; how many real ones there are.

    Pairs that are there already (made by an import) are kept, not doubled.
    """
    answers, texts = _answers(experiment)
    baseline = experiment.baseline_id if experiment.pairs == Pairs.BASELINE else None
    real = real_pairs(answers, baseline=baseline)
    requests = _requests(experiment)

    def alike(one: int, other: int) -> bool:
        return requests[one] == requests[other] or bool(texts[one] & texts[other])

    draws = Draws(experiment.draw_salt, experiment.seed)
    controls = control_pairs(answers, real, share=experiment.control_share, alike=alike, draws=draws)
    for kind, pairs in ((ComparisonKind.REAL, real), (ComparisonKind.CONTROL, controls)):
        _store(kind, pairs)
    return len(real)


def hold_raters(*, experiment: Experiment) -> None:
    """Wait for judgments that are being written, and keep new ones waiting until this transaction ends.

    To be called by whoever closes the experiment, before its status changes: then nothing is judged after the closing.
    """
    list(Rater.objects.select_for_update(no_key=True).filter(experiment=experiment).order_by("pk").values_list("pk"))


def _store(kind: ComparisonKind, pairs: list[Pair]) -> None:
    Comparison.objects.bulk_create(
        (
            Comparison(
                kind=kind, input_id=pair.item, first_id=pair.first, second_id=pair.second, expected_id=pair.expected
            )
            for pair in pairs
        ),
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def _answers(experiment: Experiment) -> tuple[dict[int, dict[int, int]], Mapping[int, set[bytes]]]:
    """Input to arm to output, and input to the hashes of its texts."""
    answers: dict[int, dict[int, int]] = defaultdict(dict)
    texts: dict[int, set[bytes]] = defaultdict(set)
    rows = Output.objects.filter(input__experiment=experiment).servable().order_by("input__position", "pk")
    for output, item, arm, text in rows.values_list("pk", "input_id", "arm_id", "text").iterator(chunk_size=BATCH):
        answers[item][arm] = output
        texts[item].add(hashlib.sha256(" ".join(text.split()).casefold().encode()).digest())
    return dict(answers), texts


def _requests(experiment: Experiment) -> dict[int, str]:
    """Input to the last thing that was asked, for telling which inputs ask the same."""
    rows = Input.objects.filter(experiment=experiment).values_list("pk", "messages")
    return {
        pk: " ".join(str(messages[-1].get("content", "")).split()).casefold()
        for pk, messages in rows.iterator(chunk_size=BATCH)
    }
