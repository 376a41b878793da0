"""8,931 real votes of 124 raters on 59 models: the arithmetic against numbers that others computed."""

import csv
import json
from typing import Any, NamedTuple

import numpy as np
import pytest

from reports.statistics import (
    agreement,
    bradley_terry,
    intervals,
    latency,
    position,
    ranking,
    scores,
    verdicts,
)
from tests.needs import shared


class Crowd(NamedTuple):
    """One entry a vote; `models` names the arms."""

    models: list[str]
    item: np.ndarray
    rater: np.ndarray
    left: np.ndarray
    right: np.ndarray
    verdict: np.ndarray


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data", "llmfao_votes", "expected_dev.json").read_text())
    return found


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    with shared("data", "llmfao_votes", "votes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    models, arms = np.unique([[row["model_left"], row["model_right"]] for row in rows], return_inverse=True)
    sides = arms.reshape(-1, 2)
    # "Both wrong" was instructed to be a tie; which of the two a tie was is not known.
    choice = ["both_good" if row["choice"] == "tie" else row["choice"] for row in rows]
    return Crowd(
        models=models.tolist(),
        item=np.unique([row["input_id"] for row in rows], return_inverse=True)[1],
        rater=np.unique([row["rater_id"] for row in rows], return_inverse=True)[1],
        left=sides[:, 0],
        right=sides[:, 1],
        verdict=verdicts.coded(choice),
    )


def test_the_strengths_are_the_published_ones(crowd: Crowd, expected: dict[str, Any]) -> None:
    wins = bradley_terry.win_matrices(
        crowd.item, crowd.left, crowd.right, verdicts.left_score(crowd.verdict), arms=len(crowd.models)
    )
    theta = bradley_terry.fit(wins.sum(axis=0))
    published = expected["bt_ties_half"]
    assert dict(zip(crowd.models, theta, strict=True)) == pytest.approx(published["theta_centered"], abs=1e-6)
    found = ranking.rank(wins, chance=np.random.default_rng(1), resamples=60)
    assert [crowd.models[standing.arm] for standing in found.standings[:10]] == published["order_top10"]


def test_the_left_side_was_chosen_more_often(crowd: Crowd, expected: dict[str, Any]) -> None:
    found, published = position.left_share(crowd.verdict), expected["left_side"]
    assert (found.left, found.decisive) == (published["left"], published["decisive"])
    assert found.p == pytest.approx(published["binom_p"])


def test_the_crowd_agrees_as_little_as_published(crowd: Crowd, expected: dict[str, Any]) -> None:
    unit, value = agreement.of_pairs(crowd.item, crowd.left, crowd.right, verdicts.left_score(crowd.verdict))
    ratings = agreement.tabulated(unit, value)
    assert ratings.counts.shape[0] == expected["pairs"]
    found = {scale: agreement.krippendorff(ratings, scale) for scale in expected["agreement"]}
    assert found == pytest.approx(expected["agreement"])


def test_one_pair_has_the_published_score_and_both_intervals(crowd: Crowd, expected: dict[str, Any]) -> None:
    published = expected["claude_v2_vs_weaver_12k"]
    one, other = crowd.models.index("Claude v2"), crowd.models.index("Weaver 12k")
    pair = np.isin(crowd.left, [one, other]) & np.isin(crowd.right, [one, other])
    y, item = verdicts.candidate_score(crowd.verdict[pair], crowd.left[pair] == one), crowd.item[pair]
    counted = scores.tally(y, np.zeros(y.size, dtype=bool))
    assert (counted.wins, counted.both_good, counted.losses) == (
        published["wins"],
        published["ties"],
        published["losses"],
    )
    panel, population = intervals.panel(y, item), intervals.population(y, item, crowd.rater[pair])
    assert panel.value == pytest.approx(published["score"])
    assert [panel.low, panel.high] == pytest.approx(published["input_cluster_ci95"])
    assert [population.low, population.high] == pytest.approx(published["two_way_ci95"])
    assert population.df == pytest.approx(published["two_way_df"])


def test_real_latencies_have_the_published_quantiles(expected: dict[str, Any]) -> None:
    lines = shared("data", "llmfao_votes", "outputs.jsonl").read_text(encoding="utf-8").splitlines()
    times, published = (
        np.array([json.loads(line)["latency_ms"] for line in lines], dtype=float),
        expected["latency_all_outputs_ms"],
    )
    found = latency.from_single_runs(times, 0.95)
    assert found.value == pytest.approx(published["p95_type7"])
    assert latency.quantile(times, 0.5) == pytest.approx(published["p50"])
    assert latency.harrell_davis(times, 0.95) == pytest.approx(published["p95_hd"])
    assert [found.low, found.high] == published["p95_ci"]
