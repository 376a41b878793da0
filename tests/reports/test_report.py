"""The report as data: every key of the contract, what counts and what does not, and that it follows the votes."""

import json
from typing import Any

import pytest

from backends.models import System
from experiments.models import Output
from ratings.models import Guess, Judgment
from reports import assumptions
from reports.models import Result
from reports.report import build, current
from reports.unblinding import StillBlind
from tests.factories import a_rated_experiment, a_rater, a_rating_experiment, a_system
from tests.reports import studies

pytestmark = pytest.mark.django_db

INTERVAL = {"value", "low", "high", "method", "n"}
TOP = {
    "schema", "experiment", "counts", "systems", "pairs", "ranking", "agreement", "raters", "blinding", "slices",
    "break_even", "verdict",
}  # fmt: skip
EXPERIMENT = {
    "id", "title", "question", "margin", "scope", "ratings_per_pair", "seed", "sealed_at", "seal", "opened_seal",
    "closed_at",
}  # fmt: skip
COUNTS = {
    "inputs", "comparisons", "judgments", "superseded", "raters", "skipped", "repeats", "controls", "withheld",
    "unblinded_judgments",
}  # fmt: skip
SYSTEM = {"name", "arm", "baseline", "facts", "latency", "cost", "failures", "acceptable"}
LATENCY = {
    "n", "concurrency", "throughput_rps", "e2e_p50", "e2e_p95", "e2e_p99", "first_pass_p95", "ttft_p50", "ttft_p95",
    "cold_starts", "retries",
}  # fmt: skip
COST = {
    "basis", "per_1000_requests", "per_1000_requests_busy", "input_tokens_mean", "output_tokens_mean", "assumptions",
}  # fmt: skip
FAILURES = {"requests", "failed", "truncated", "refused", "empty"}
PAIR = {
    "candidate", "baseline", "votes", "inputs", "raters", "wins", "losses", "both_good", "both_bad", "score",
    "decisive_win_rate", "score_without_both_bad", "sign_test", "permutation_p", "noninferiority",
    "acceptability_difference", "side_effect", "length", "monitoring",
}  # fmt: skip
RANKED = {"name", "theta", "elo", "low", "high", "rank_low", "rank_high"}
AGREEMENT = {"alpha_nominal", "alpha_interval", "ac1", "raw", "pairs_rated_twice"}
RATER = {
    "label", "judgments", "median_seconds", "left_share", "left_p", "tie_share", "controls_right", "controls_shown",
    "repeats_same", "repeats_shown", "flags",
}  # fmt: skip
BLINDING = {"guesses", "right", "share", "flagged_outputs", "masked_outputs", "score_without_flagged"}
SLICE = {"by", "name", "inputs", "score", "p_holm"}
BREAK_EVEN = {"tokens_per_day", "tokens_per_day_without_governance", "requests_per_day", "inputs", "sensitivity"}
VERDICT = {"answer", "sentence", "reasons", "caveats"}


def test_every_key_of_the_contract_is_there() -> None:
    report = build(studies.a_study())
    keys_are(report, TOP)
    assert report["schema"] == "blindpair.report/1"
    keys_are(report["experiment"], EXPERIMENT)
    keys_are(report["counts"], COUNTS)
    keys_are(report["agreement"], AGREEMENT)
    keys_are(report["blinding"], BLINDING)
    keys_are(report["break_even"], BREAK_EVEN)
    keys_are(report["verdict"], VERDICT)
    for name, keys in (("pairs", PAIR), ("ranking", RANKED), ("raters", RATER), ("slices", SLICE), ("systems", SYSTEM)):
        assert report[name], name
        for entry in report[name]:
            keys_are(entry, keys)
    for one in report["break_even"]["sensitivity"]:
        keys_are(one, {"name", "low", "high"})


def test_every_key_of_a_system_and_of_a_pair_is_there() -> None:
    report = build(studies.a_study())
    for system in report["systems"]:
        keys_are(system["latency"], LATENCY)
        keys_are(system["cost"], COST)
        keys_are(system["failures"], FAILURES)
        for name in ("e2e_p50", "e2e_p95", "e2e_p99", "ttft_p50", "ttft_p95"):
            keys_are(system["latency"][name], INTERVAL)
        keys_are(system["cost"]["per_1000_requests"], INTERVAL)
        keys_are(system["acceptable"], INTERVAL)
    [pair] = report["pairs"]
    keys_are(pair["score"], {"panel", "population"})
    keys_are(pair["sign_test"], {"above", "below", "tied", "p"})
    keys_are(pair["noninferiority"], {"margin", "scope", "p", "verdict", "smallest_margin"})
    keys_are(pair["side_effect"], {"effect", "p"})
    keys_are(pair["length"], {"coefficient", "controlled_score"})
    for interval in (*pair["score"].values(), pair["acceptability_difference"]):
        keys_are(interval, INTERVAL)


@pytest.mark.parametrize("raters", [0, 1, 5])
def test_an_interval_without_limits_says_why(raters: int) -> None:
    for interval in intervals_in(build(studies.a_study(raters=raters, inputs=3))):
        if interval["low"] is None or interval["high"] is None:
            assert interval["why"], interval


def test_the_report_is_strict_json_even_when_nothing_was_judged() -> None:
    for experiment in (studies.a_study(raters=0), studies.a_study(raters=1, inputs=1), studies.a_study(votes="W")):
        json.dumps(build(experiment), allow_nan=False)


def test_votes_are_counted_from_the_candidates_side_wherever_it_stood() -> None:
    [pair] = build(studies.a_study(votes="WWTBL", inputs=10, raters=4))["pairs"]
    assert (pair["candidate"], pair["baseline"]) == ("candidate", "api")
    assert (pair["wins"], pair["both_good"], pair["both_bad"], pair["losses"]) == (16, 8, 8, 8)
    assert (pair["votes"], pair["inputs"], pair["raters"]) == (40, 10, 4)
    assert pair["score"]["panel"]["value"] == pytest.approx(0.6)


def test_a_changed_vote_changes_the_counts_and_the_score() -> None:
    experiment = studies.a_study(votes="L", inputs=10, raters=4)
    before = current(experiment)
    candidate = studies.systems(experiment)[1].arm
    first = Judgment.objects.filter(assignment__rater__experiment=experiment).earliest("pk")
    won = "left" if first.assignment.left.arm_id == candidate.pk else "right"
    studies.changed(first, won)
    after = current(experiment)
    assert (before["pairs"][0]["wins"], after["pairs"][0]["wins"]) == (0, 1)
    assert (before["pairs"][0]["losses"], after["pairs"][0]["losses"]) == (40, 39)
    assert after["counts"]["judgments"] == 40
    assert after["counts"]["superseded"] == 1
    assert after["pairs"][0]["score"]["panel"]["value"] == pytest.approx(1 / 40)


def test_repeats_controls_and_unblinded_judgments_never_enter_the_score() -> None:
    experiment = studies.a_study(votes="L", inputs=10, raters=4, closed=False)
    candidate = studies.systems(experiment)[1].arm
    rater = experiment.raters.earliest("pk")
    for judgment in list(Judgment.objects.filter(assignment__rater=rater)):
        swapped = {"left": "right", "right": "left"}[judgment.verdict]
        studies.shown_again(judgment, verdict=swapped)
    studies.a_control(experiment, rater, right=True)
    owner = a_rater(experiment, "The owner")
    for comparison in studies.real_pairs(experiment):
        studies.vote(comparison, owner, candidate, "W", on_left=True, unblinded=True)
    report = build(studies.close(experiment))
    assert report["pairs"][0]["votes"] == report["counts"]["judgments"] == 40
    assert report["pairs"][0]["wins"] == 0
    assert (report["counts"]["repeats"], report["counts"]["controls"]) == (10, 1)
    assert report["counts"]["unblinded_judgments"] == 10
    assert "The owner" not in {rater["label"] for rater in report["raters"]}


def test_repeats_and_controls_are_told_of_each_rater() -> None:
    experiment = studies.a_study(votes="WL", inputs=10, raters=4, closed=False)
    rater = experiment.raters.earliest("pk")
    first, second = Judgment.objects.filter(assignment__rater=rater).order_by("pk")[:2]
    studies.shown_again(first, verdict={"left": "right", "right": "left"}[first.verdict])
    studies.shown_again(second, verdict=second.verdict)
    studies.a_control(experiment, rater, right=True)
    entry = build(studies.close(experiment))["raters"][0]
    assert (entry["repeats_same"], entry["repeats_shown"]) == (1, 2)
    assert (entry["controls_right"], entry["controls_shown"]) == (1, 1)


def test_a_rater_who_misses_controls_is_flagged_and_the_score_without_them_is_shown_beside() -> None:
    experiment = studies.a_study(votes="W", inputs=10, raters=5, closed=False)
    careless = experiment.raters.latest("pk")
    control = studies.a_control(experiment, careless, right=False)
    for number in range(2, 9):
        again = control.assignment
        again.pk, again.token = None, f"00000000-0000-0000-0000-{number:012d}"
        again.position, again.comparison = 100 + number, _another_control(experiment, number)
        again.left, again.right = again.comparison.first, again.comparison.second
        again._state.adding = True
        again.save()
        wrong = "right" if again.comparison.expected_id == again.left_id else "left"
        Judgment.objects.create(assignment=again, verdict=wrong)
    report = build(studies.close(experiment))
    assert report["raters"][-1]["flags"] == ["0 of 8 control pairs right"]
    assert report["without_flagged_raters"]["raters"] == [careless.label]
    assert report["without_flagged_raters"]["pairs"][0]["judgments"] == 40
    assert report["pairs"][0]["votes"] == 50


def test_four_raters_speak_for_others_and_three_for_themselves() -> None:
    few, enough = build(studies.a_study(raters=3)), build(studies.a_study(raters=4))
    assert few["pairs"][0]["noninferiority"]["scope"] == few["experiment"]["scope"] == "panel"
    assert few["pairs"][0]["score"]["population"]["low"] is None
    assert "3 raters" in few["pairs"][0]["score"]["population"]["why"]
    assert enough["pairs"][0]["noninferiority"]["scope"] == enough["experiment"]["scope"] == "population"
    assert any("exactly these raters" in caveat for caveat in few["verdict"]["caveats"])


def test_each_two_raters_are_compared_in_terms_of_systems() -> None:
    found = build(studies.a_study(inputs=13, raters=3, votes="WL"))["agreement"]["kappa"]
    opposite = (0 - 84 / 169) / (1 - 84 / 169)  # 7 and 6 of each answer against 6 and 7, never the same one
    seen = [(pair["raters"], pair["shared"], pytest.approx(pair["kappa"])) for pair in found["values"]]
    assert seen == [
        (["Rater 1", "Rater 2"], 13, opposite),
        (["Rater 1", "Rater 3"], 13, 1.0),
        (["Rater 2", "Rater 3"], 13, opposite),
    ]
    assert (found["median"], found["low"], found["high"]) == pytest.approx((opposite, opposite, 1.0))


def test_two_raters_with_little_in_common_are_not_compared() -> None:
    found = build(studies.a_study(inputs=9, raters=2))["agreement"]["kappa"]
    assert (found["median"], found["values"]) == (None, [])
    assert "share 10 pairs" in found["why"]


def test_before_closing_there_is_no_report() -> None:
    experiment = studies.a_study(closed=False)
    with pytest.raises(StillBlind, match="not closed"):
        build(experiment)
    with pytest.raises(StillBlind, match="not closed"):
        current(experiment)
    assert not Result.objects.exists()


def test_imported_judgments_are_told_and_so_is_whatever_of_the_raters_they_replaced() -> None:
    experiment = studies.a_study(votes="L", inputs=10, raters=4, closed=False)
    clean = build(studies.close(experiment))
    assert (clean["counts"]["imported"], clean["counts"]["overwritten"]) == (0, 0)
    assert not any("import" in caveat for caveat in clean["verdict"]["caveats"])
    first, second, *_ = Judgment.objects.order_by("pk")
    overwritten = studies.changed(first, "both_good", imported=True)
    studies.changed(overwritten, "both_good", imported=True)
    studies.changed(second, "both_good")
    report = build(experiment)
    assert (report["counts"]["imported"], report["counts"]["overwritten"]) == (1, 1)
    said = " ".join(report["verdict"]["caveats"])
    assert "1 of 40 judgments were imported" in said
    assert "1 of what raters judged here was replaced by an import." in said


def test_guesses_at_pairs_without_the_system_in_use_do_not_test_the_blinding() -> None:
    experiment = studies.a_study(closed=False, ask_guess=True)
    Guess.objects.create(assignment=Judgment.objects.earliest("pk").assignment, side="unsure")
    assert build(studies.close(experiment))["blinding"]["unsure"] == 1
    experiment.baseline = a_system(experiment, "another").arm
    experiment.save()
    assert build(experiment)["blinding"]["unsure"] == 0


def test_guesses_are_compared_with_chance_and_unsure_ones_left_out() -> None:
    experiment = studies.a_study(closed=False, ask_guess=True)
    baseline = experiment.baseline
    assert baseline
    for number, judgment in enumerate(Judgment.objects.filter(assignment__rater__experiment=experiment)[:9]):
        right = "left" if judgment.assignment.left.arm_id == baseline.pk else "right"
        wrong = {"left": "right", "right": "left"}[right]
        side = right if number < 6 else wrong if number < 8 else "unsure"
        Guess.objects.create(assignment=judgment.assignment, side=side)
    blinding = build(studies.close(experiment))["blinding"]
    assert (blinding["guesses"], blinding["right"], blinding["unsure"]) == (8, 6, 1)
    assert blinding["share"]["value"] == 0.75


def test_the_score_without_flagged_outputs_leaves_their_pairs_out() -> None:
    experiment = studies.a_study(votes="W", inputs=10, raters=4, closed=False)
    output = Output.objects.filter(input__experiment=experiment).earliest("pk")
    output.state, output.decision, output.decided_at = "flagged", "released", experiment.sealed_at
    output.save()
    blinding = build(studies.close(experiment))["blinding"]
    assert blinding["flagged_outputs"] == 1
    assert blinding["score_without_flagged"]["n"] == 9


def test_assumptions_move_cost_and_break_even_but_never_quality() -> None:
    experiment = studies.a_study()
    before = current(experiment)
    assumptions.state(experiment=experiment, values={"requests_per_day": 100_000, "governance_per_year": 5_000})
    after = current(experiment)
    assert after["pairs"] == before["pairs"]
    assert after["ranking"] == before["ranking"]
    candidate = next(system for system in after["systems"] if system["name"] == "candidate")
    assert candidate["cost"]["per_1000_requests"]["value"] == pytest.approx(1.64 * 24 / 100)
    point = after["break_even"]
    assert point["tokens_per_day"] < point["tokens_per_day_without_governance"]


def test_renaming_a_system_moves_the_report_but_no_number() -> None:
    experiment = studies.a_study()
    before = current(experiment)["pairs"][0]
    System.objects.filter(name="candidate").update(name="another name")
    after = current(experiment)["pairs"][0]
    assert after["candidate"] == "another name"
    assert before["score"] == after["score"]


def test_several_systems_are_ranked_and_all_candidates_are_held_against_the_baseline() -> None:
    report = build(a_rated_experiment(arms=4, inputs=12, raters=4))
    assert len(report["ranking"]) == 4
    assert [pair["baseline"] for pair in report["pairs"][:3]] == ["system-1"] * 3
    assert all(pair["noninferiority"]["p_holm"] is not None for pair in report["pairs"][:3])
    assert {one["rank_low"] for one in report["ranking"]} <= {1, 2, 3, 4}


def test_without_a_baseline_the_answer_is_undecided_and_says_so() -> None:
    report = build(a_rated_experiment(arms=3, inputs=5, raters=4, baseline=False))
    assert report["verdict"]["answer"] == "undecided"
    assert "in use today" in report["verdict"]["sentence"]


def test_building_the_report_takes_a_constant_number_of_queries(django_assert_max_num_queries: Any) -> None:
    experiment = studies.a_study(inputs=30, raters=6)
    with django_assert_max_num_queries(45):
        build(experiment)


def _another_control(experiment: Any, number: int) -> Any:
    from_one, other = experiment.inputs.order_by("position")[number - 1 : number + 1]
    outputs = [Output.objects.get(input=item, arm=experiment.baseline) for item in (from_one, other)]
    first, second = sorted(outputs, key=lambda output: output.pk)
    return from_one.comparisons.create(kind="control", first=first, second=second, expected=outputs[0])


def keys_are(entry: dict[str, Any], wanted: set[str]) -> None:
    """All of the contract's keys; more are welcome."""
    assert wanted <= set(entry), wanted - set(entry)


def intervals_in(value: Any) -> list[dict[str, Any]]:
    """Every interval anywhere in the report."""
    if isinstance(value, dict):
        own = [value] if set(value) >= INTERVAL else []
        return own + [found for part in value.values() for found in intervals_in(part)]
    return [found for part in value for found in intervals_in(part)] if isinstance(value, list) else []


def test_an_open_experiment_has_a_rating_desk_but_no_report() -> None:
    with pytest.raises(StillBlind):
        build(a_rating_experiment())
