"""Every worked case of `tests/golden/golden.json`: published examples, and values from libraries that are not ours."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.statistics import (
    agreement,
    bootstrap,
    bradley_terry,
    break_even,
    cost,
    dawid_skene,
    intervals,
    latency,
    length,
    multiplicity,
    noninferiority,
    planning,
    position,
    raters,
    scores,
    sequential,
    significance,
    ties,
)
from reports.statistics.interval import Interval

CASES = json.loads((Path(__file__).resolve().parents[2] / "golden" / "golden.json").read_text())["cases"]
Given = Mapping[str, Any]


class Chosen(dict[str, Any]):
    """More results than a case may ask for."""


def numbers(given: Given, name: str) -> np.ndarray:
    return np.asarray(given[name], dtype=float)


def codes(given: Given, name: str) -> np.ndarray:
    return np.asarray(given[name], dtype=np.int64)


def limits(found: Interval) -> list[float | None]:
    return [found.low, found.high]


def win_summary(given: Given) -> Given:
    worth = {"win": 1.0, "loss": 0.0, "tie": 0.5, "both_bad": 0.5}
    labels = given["labels"]
    found = scores.tally(np.array([worth[label] for label in labels]), np.array(labels) == "both_bad")
    return {
        "n": found.votes,
        "win": found.wins,
        "loss": found.losses,
        "tie": found.both_good,
        "both_bad": found.both_bad,
        "score": found.vote_score,
        "net": found.net,
        "strict_win_rate": found.share(found.wins),
        "strict_loss_rate": found.share(found.losses),
        "tie_rate": found.share(found.both_good),
        "both_bad_rate": found.share(found.both_bad),
        "decisive_n": found.decisive,
        "decisive_win_rate": found.decisive_win_rate,
    }


def wilson_interval(given: Given) -> Given:
    found = intervals.wilson(given["x"], given["n"], level=given["level"])
    return {"lo": found.low, "hi": found.high}


def clopper_pearson_interval(given: Given) -> Given:
    found = intervals.clopper_pearson(given["x"], given["n"], level=given["level"])
    return {"lo": found.low, "hi": found.high}


def input_cluster_ci(given: Given) -> Given:
    found = intervals.panel(numbers(given, "y"), codes(given, "input"), level=given["level"])
    return {"est": found.value, "se": found.se, "df": found.df, "lo": found.low, "hi": found.high}


def twoway_cluster_ci(given: Given) -> Given:
    columns = numbers(given, "y"), codes(given, "input"), codes(given, "rater")
    found, parts = intervals.population(*columns, level=given["level"]), intervals.two_way(*columns)
    return {
        "est": found.value,
        "se": found.se,
        "df": found.df,
        "lo": found.low,
        "hi": found.high,
        "V_input": parts.by_input,
        "V_rater": parts.by_rater,
        "V_cell": parts.by_cell,
        "n_inputs": parts.inputs,
        "n_raters": parts.raters,
    }


def cluster_bootstrap_se(given: Given) -> Given:
    drawn = bootstrap.means(
        numbers(given, "y"), codes(given, "input"), chance=np.random.default_rng(1), resamples=20_000
    )
    return {"se": float(drawn.std())}


def against_margin(given: Given) -> Given:
    if "d" in given:
        score = intervals.mean(numbers(given, "d"), level=1 - 2 * given["alpha"])
    else:
        t = float(intervals.t_quantile(1 - given["alpha"], given["df"])) * given["se"]
        est = given["est"]
        score = Interval(
            value=est, low=est - t, high=est + t, method="given", n=50, se=given["se"], df=float(given["df"])
        )
    found = noninferiority.against_margin(score, margin=given["margin"], even=given["null"])
    return {"t": found.statistic, "p": found.p, "lo": score.low, "hi": score.high, "verdict": found.verdict}


def equivalence_tost(given: Given) -> Given:
    found = noninferiority.equivalence(intervals.mean(numbers(given, "d")), low=given["low"], high=given["upp"])
    assert found is not None
    return {"p": found.p, "p_lower": found.p_above_low, "p_upper": found.p_below_high}


def quantile_ci_ranks(given: Given) -> Given:
    found = latency.ranks(given["n"], given["q"], level=given["level"])
    return {"l": found.low, "u": found.high, "coverage": found.coverage}


def min_n_for_upper_bound(given: Given) -> Given:
    return {
        f"p{q}_{words}_sided_95": latency.runs_needed(q / 100, sides=sides)
        for q in (95, 99)
        for words, sides in (("one", 1), ("two", 2))
    }


def quantile_point(given: Given) -> Given:
    times = numbers(given, "x")
    found = latency.from_single_runs(times, 0.95)
    return {
        "p50_type7": latency.quantile(times, 0.5),
        "p95_type7": found.value,
        "p95_type8": float(np.quantile(times, 0.95, method="median_unbiased")),
        "p50_hd": latency.harrell_davis(times, 0.5),
        "p95_hd": latency.harrell_davis(times, 0.95),
        "p95_lower_rank": latency.ranks(times.size, 0.95).low,
        "p95_lower": found.low,
    }


def cost_per_1k_api(given: Given) -> Given:
    prices = cost.Prices(input=given["p_in"], output=given["p_out"], cached=given["p_cached"])
    usd = cost.per_thousand_by_api(
        tokens_in=given["tok_in"],
        tokens_out=given["tok_out"],
        prices=prices,
        cached_share=given["cached_share"],
        retries=given["retry"],
    )
    return {"usd": usd}


def cost_per_1k_gpu_busy(given: Given) -> Given:
    usd = cost.per_thousand_busy(hourly=given["hourly"], gpus=given["gpus"], requests_per_second=given["req_per_s"])
    return {"usd": usd}


def cost_per_1k_gpu_loaded(given: Given) -> Given:
    usd = cost.per_thousand_loaded(
        fixed_per_day=given["fixed_per_day"],
        requests_per_day=given["requests_per_day"],
        variable_per_thousand=given["variable_per_1k"],
    )
    return {"usd": usd}


def breakeven_tokens_per_day(given: Given) -> Given:
    tokens = break_even.tokens_per_day(
        fixed_per_day=given["fixed_per_day"],
        price_per_million=given["api_price_per_m"],
        variable_per_million=given["self_var_per_m"],
        governance_per_day=given["risk_credit_per_day"],
    )
    return {"tokens": "inf" if math.isinf(tokens) else tokens}


def owned_gpu_per_day(given: Given) -> Given:
    owned = cost.Owned(
        price=given["price"],
        residue=given["salvage"],
        years=given["years"],
        rate=given["rate"],
        kilowatts=given["kw"],
        pue=given["pue"],
        kwh_price=given["kwh_price"],
        hosting_per_day=given["hosting_per_day"],
    )
    return {"usd": owned.fixed_per_day}


def risk_credit_needed(given: Given) -> Given:
    usd = break_even.governance_needed_per_day(
        fixed_per_day=given["fixed_per_day"],
        price_per_million=given["api_price_per_m"],
        tokens_per_day=given["tokens_per_day"],
        variable_per_million=given["self_var_per_m"],
    )
    return {"usd": usd}


def variance_components(given: Given) -> Given:
    found = planning.variance_components(numbers(given, "y"), codes(given, "input"))
    assert found is not None
    return {
        "msb": found.between_square,
        "msw": found.within_square,
        "m0": found.votes_per_input,
        "between": found.between,
        "within": found.within,
        "icc": found.icc,
    }


def sign_test(given: Given) -> Given:
    found = significance.sign_test(numbers(given, "d"), even=given["null"])
    return {
        "pos": found.above,
        "neg": found.below,
        "ties": found.tied,
        "p_two_sided": found.p,
        "p_greater": found.p_greater,
    }


def signflip_exact(given: Given) -> Given:
    found = significance.sign_flip_test(numbers(given, "d"), even=given["null"], chance=np.random.default_rng(0))
    assert found is not None
    assert found.exact
    return {
        "p_greater": found.p_greater,
        "p_two_sided": found.p,
        "count_greater": found.count_greater,
        "count_two_sided": found.count,
        "total": found.total,
    }


def mcnemar_exact(given: Given) -> Given:
    return {"p": significance.mcnemar(given["only_candidate_ok"], given["only_baseline_ok"])}


def betting_cs(given: Given) -> Given:
    x = numbers(given, "x")
    found = sequential.betting(x, alpha=given["alpha"], grid=given["grid"], cut=given["trunc"])
    looks = [5, 10, 20, 30] if x.size == 30 else [12]
    return {str(t): [found.lows[t - 1], found.highs[t - 1]] for t in looks}


def asymptotic_cs(given: Given) -> Given:
    found = sequential.asymptotic(numbers(given, "x"), alpha=given["alpha"], best_at=given["t_opt"])
    return {str(t): [found.lows[t - 1], found.highs[t - 1]] for t in (5, 10, 20, 30)}


def strengths(given: Given) -> Given:
    wins = numbers(given, "wins")
    theta = bradley_terry.fit(wins)
    spread = bradley_terry.covariance(wins, theta)
    errors = bradley_terry.standard_errors_against(0, spread)
    return {"rel_to_first": list(theta - theta[0]), "se_rel_to_first": list(errors)}


def strengths_with_sides(given: Given) -> Given:
    place = {name: number for number, name in enumerate(given["players"])}
    left, right, won = [], [], []
    for game in given["games"]:
        votes = game["left_wins"] + game["right_wins"]
        left += [place[game["left"]]] * votes
        right += [place[game["right"]]] * votes
        won += [1.0] * game["left_wins"] + [0.0] * game["right_wins"]
    found = position.side_in_ranking(np.array(left), np.array(right), np.array(won), len(place))
    return {
        "side_logit": found.logit,
        "side_se": found.se,
        "side_p": found.p,
        "rel_to_first": list(found.theta),
    }


def strengths_with_half_ties(given: Given) -> Given:
    names = sorted({name for vote in given["votes"] for name in vote[:2]})
    left = np.array([names.index(vote[0]) for vote in given["votes"]])
    right = np.array([names.index(vote[1]) for vote in given["votes"]])
    score = np.array([float(vote[2]) for vote in given["votes"]])
    wins = bradley_terry.win_matrices(np.arange(score.size) % 4, left, right, score, arms=3)
    theta = bradley_terry.fit(wins.sum(axis=0))
    chances = bradley_terry.win_chances(theta)
    return {
        "models": names,
        "theta_centered": list(theta),
        "elo_rel_to_m3": list((theta - theta[2]) * bradley_terry.ELO),
        "p_row_beats_col": chances.tolist(),
        "mean_win_prob_vs_others": list((chances.sum(axis=1) - 0.5) / 2),
    }


def davidson_ties(given: Given) -> Given:
    found = ties.davidson(numbers(given, "wins"), numbers(given, "ties"))
    return {"theta_centered": list(found.theta), "nu": found.tie, "loglik": found.log_likelihood}


def rao_kupper_ties(given: Given) -> Given:
    found = ties.rao_kupper(numbers(given, "wins"), numbers(given, "ties"))
    return {"theta_centered": list(found.theta), "kappa": found.tie, "loglik": found.log_likelihood}


def position_effect(given: Given) -> Given:
    left = codes(given, "candidate_on_left").astype(bool)
    found = position.side_effect(numbers(given, "y"), left, codes(given, "input"))
    return {
        "candidate_score_side_adjusted": found.adjusted_score,
        "side_effect": found.effect,
        "side_se": found.se,
        "df": found.df,
        "p": found.p,
    }


def length_controlled_score(given: Given) -> Given:
    y = numbers(given, "y")
    found = length.control(y, numbers(given, "rel_length_diff"), codes(given, "input"))
    return {
        "intercept": found.intercept,
        "intercept_se": found.intercept_se,
        "length_coef": found.coefficients[0],
        "length_se": found.ses[0],
        "raw_score": float(y.mean()),
        "controlled_score": found.controlled_score.value,
    }


def rated(given: Given) -> agreement.Ratings:
    """Rows are raters, columns units, null no vote."""
    votes = [(unit, float(value)) for row in given["ratings"] for unit, value in enumerate(row) if value is not None]
    return agreement.tabulated(np.array([unit for unit, _ in votes]), np.array([value for _, value in votes]))


def krippendorff_alpha(given: Given) -> Given:
    ratings = rated(given)
    return Chosen({scale: agreement.krippendorff(ratings, scale) for scale in ("nominal", "ordinal", "interval")})


def gwet_ac1_and_fleiss(given: Given) -> Given:
    ratings = rated(given)
    return {
        "ac1": agreement.ac1(ratings),
        "percent_agreement": agreement.raw(ratings),
        "chance": agreement.ac1_chance(ratings),
        "fleiss": agreement.fleiss(ratings),
        "krippendorff_nominal": agreement.krippendorff(ratings),
    }


def fleiss_kappa(given: Given) -> Given:
    counts = numbers(given, "counts_items_by_category")
    return {"kappa": agreement.fleiss(agreement.Ratings(counts=counts, values=np.arange(counts.shape[1])))}


def cohen_kappa(given: Given) -> Given:
    a, b = ((np.array(given[side]) == "y").astype(float) for side in "ab")
    return {"kappa": agreement.cohen(a, b)}


def intra_rater(given: Given) -> Given:
    found = raters.consistency(numbers(given, "first"), numbers(given, "second"))
    return {
        "consistent": found.same,
        "n": found.shown,
        "rate": found.rate.value,
        "wilson": limits(found.rate),
        "kappa": found.kappa,
        "kappa_quadratic": found.kappa_quadratic,
    }


def gold_check(given: Given) -> Given:
    found = raters.control_check(given["correct"], given["n"], chance=given["chance"])
    return {
        "rate": found.rate.value,
        "wilson": limits(found.rate),
        "p_better_than_chance": found.p_better_than_chance,
    }


def dawid_skene_em(given: Given) -> Given:
    votes = np.array(
        [
            (unit, rater, said - 1)
            for unit, row in enumerate(given["ratings"])
            for rater, labels in enumerate(row)
            for said in labels
        ]
    )
    found = dawid_skene.fit(votes[:, 0], votes[:, 1], votes[:, 2], classes=4)
    return {
        "class_priors": list(found.priors),
        "rater1_confusion": found.confusion[0].tolist(),
        "map_class": list(found.likeliest + 1),
    }


def multiple_comparisons(given: Given) -> Given:
    holm, bh = multiplicity.holm(given["p"]), multiplicity.benjamini_hochberg(given["p"])
    return {
        "holm": list(holm),
        "bh": list(bh),
        "holm_rejections": sum(p <= 0.05 for p in holm if p is not None),
        "bh_rejections": sum(p <= 0.05 for p in bh if p is not None),
    }


def sample_size_paired(given: Given) -> Given:
    n = planning.sample_size(
        variance=given["omega2"], difference=given["delta"], alpha=given["alpha"], wanted=given["power"]
    )
    return {"n": n}


def power_noninferiority(given: Given) -> Given:
    found = planning.power(
        planning.Plan(
            inputs=given["inputs"],
            raters=given["raters"],
            votes_per_input=given["raters"],
            margin=given["margin"],
            gap=given["true_gap"],
            sd=given["sd"],
            icc=given["icc"],
            rater_share=given["rater_share"],
            alpha=given["alpha"],
        )
    )
    return {"se": found.se, "half_width_95": found.half_width, "power": found.power}


FORMULAS: dict[str, Callable[[Given], Given]] = {
    "win_summary": win_summary,
    "wilson_interval": wilson_interval,
    "clopper_pearson_interval": clopper_pearson_interval,
    "input_cluster_ci": input_cluster_ci,
    "twoway_cluster_ci": twoway_cluster_ci,
    "cluster_bootstrap_se": cluster_bootstrap_se,
    "noninferiority": against_margin,
    "verdict": against_margin,
    "equivalence_tost": equivalence_tost,
    "quantile_ci_ranks": quantile_ci_ranks,
    "min_n_for_upper_bound": min_n_for_upper_bound,
    "quantile_point": quantile_point,
    "cost_per_1k_api": cost_per_1k_api,
    "cost_per_1k_gpu_busy": cost_per_1k_gpu_busy,
    "cost_per_1k_gpu_loaded": cost_per_1k_gpu_loaded,
    "breakeven_tokens_per_day": breakeven_tokens_per_day,
    "owned_gpu_per_day": owned_gpu_per_day,
    "risk_credit_needed": risk_credit_needed,
    "variance_components": variance_components,
    "sign_test": sign_test,
    "signflip_exact": signflip_exact,
    "mcnemar_exact": mcnemar_exact,
    "betting_cs": betting_cs,
    "asymptotic_cs": asymptotic_cs,
    "bradley_terry": strengths,
    "bradley_terry_side_effect": strengths_with_sides,
    "bradley_terry_ties_half": strengths_with_half_ties,
    "davidson_ties": davidson_ties,
    "rao_kupper_ties": rao_kupper_ties,
    "position_effect": position_effect,
    "length_controlled_score": length_controlled_score,
    "krippendorff_alpha": krippendorff_alpha,
    "gwet_ac1_and_fleiss": gwet_ac1_and_fleiss,
    "fleiss_kappa": fleiss_kappa,
    "cohen_kappa": cohen_kappa,
    "intra_rater": intra_rater,
    "gold_check": gold_check,
    "dawid_skene": dawid_skene_em,
    "multiple_comparisons": multiple_comparisons,
    "sample_size_paired": sample_size_paired,
    "power_noninferiority": power_noninferiority,
}


def agrees(found: Any, expected: Any, tolerance: float) -> None:
    """Same shape, and every number within the tolerance: absolute below 1, relative above."""
    if isinstance(expected, dict):
        assert isinstance(found, Chosen) or set(found) == set(expected)
        for name, value in expected.items():
            agrees(found[name], value, tolerance)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            agrees(one, other, tolerance)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=tolerance, rel=tolerance)
    else:
        assert found == expected


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_worked_case_is_reproduced(case: dict[str, Any]) -> None:
    agrees(FORMULAS[case["statistic"]](case["input"]), case["expected"], case["tol"])


def test_there_are_91_worked_cases_and_none_is_left_out() -> None:
    assert len(CASES) == 91
    assert {case["statistic"] for case in CASES} == set(FORMULAS)
