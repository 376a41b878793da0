"""Latency and cost in the report: what was measured, under which load, what it is billed for, and what is a guess."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backends.models import Attempt, Completion, LoadRun, Outcome, System
from experiments.models import Experiment
from reports import assumptions, formats
from reports.report import build
from tests.factories import NOW, a_user, an_endpoint
from tests.reports import studies

pytestmark = pytest.mark.django_db


def systems_of(report: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The candidate and the baseline."""
    return report["systems"][0], report["systems"][1]


def asked_again(system: System, *, passes: int, factor: float, usage: dict[str, int]) -> None:
    """Later passes over the same inputs, so many times as slow as the first."""
    System.objects.filter(pk=system.pk).update(samples=passes)
    for row in Completion.objects.filter(system=system, sample=0):
        for sample in range(1, passes):
            Completion.objects.create(
                system=system,
                input_id=row.input_id,
                sample=sample,
                state="done",
                outcome="complete",
                latency_ms=(row.latency_ms or 0) * factor,
                usage=usage,
                attempts=1,
            )


def a_load_run(system: System, *levels: tuple[int, float, float, int]) -> None:
    """Levels as (in flight, answers a second, p95, failed)."""
    for places, throughput, p95, failed in levels:
        LoadRun.objects.create(
            system=system,
            concurrency=places,
            requests=50,
            failed=failed,
            seconds=10,
            throughput=throughput,
            quantiles={"e2e_p50": p95 / 2, "e2e_p95": p95, "e2e_p99": p95 * 1.2},
        )


def test_what_a_reader_notices_stands_beside_the_whole_time() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    Completion.objects.filter(system=candidate).update(
        latency_ms=2000, ttft_ms=200, first_visible_ms=900, user_ms=2500, usage={"input": 10, "output": 91}
    )
    own, other = (system["latency"] for system in systems_of(build(experiment)))
    for name, value in (("ttft_p95", 200), ("first_visible_p50", 900), ("user_p95", 2500), ("e2e_p50", 2000)):
        assert own[name]["value"] == pytest.approx(value), name
    assert (own["output_tokens_mean"], own["tokens_per_second"]) == (91, pytest.approx(45.5))
    assert own["ms_per_token"] == pytest.approx(1800 / 90)
    assert other["first_visible_p50"]["value"] is None
    assert other["first_visible_p50"]["why"] == "nothing was timed"


def test_hidden_thoughts_are_not_taken_for_quick_writing() -> None:
    """The first token that came was the answer's: 900 tokens were thought before, unseen."""
    experiment = studies.a_study(raters=1)
    hidden = {"input": 10, "output": 1000, "reasoning": 900}
    Completion.objects.update(latency_ms=5000, ttft_ms=4000, first_visible_ms=4000, usage=hidden)
    assert systems_of(build(experiment))[0]["latency"]["ms_per_token"] is None
    Completion.objects.update(ttft_ms=200)
    assert systems_of(build(experiment))[0]["latency"]["ms_per_token"] == pytest.approx(4800 / 999)


def test_an_answer_that_cannot_be_used_is_missing_from_the_times_and_said() -> None:
    experiment = studies.a_study(inputs=10, raters=1)
    baseline, _ = studies.systems(experiment)
    for row in Completion.objects.filter(system=baseline).order_by("pk")[:3]:
        Completion.objects.filter(pk=row.pk).update(outcome=Outcome.TRUNCATED)
    report = build(experiment)
    assert (report["systems"][1]["latency"]["sent"], report["systems"][1]["latency"]["n"]) == (10, 7)
    assert "7 of 10" in str(formats.write(report, "md"))


def test_the_first_pass_is_the_headline_and_all_passes_stand_beside() -> None:
    experiment = studies.a_study(inputs=20, raters=1)
    _, candidate = studies.systems(experiment)
    asked_again(candidate, passes=4, factor=0.5, usage={"input": 1200, "output": 300, "cached": 1100})
    report = build(experiment)
    times = report["systems"][0]["latency"]
    assert (times["n"], times["p95"]["of"], times["p95"]["n"]) == (80, "first pass", 20)
    assert times["p95"]["value"] == times["first_pass_p95"] > times["e2e_p95"]["value"]
    assert times["e2e_p95"]["method"].startswith("bootstrap over 20 inputs")
    assert report["systems"][1]["latency"]["p95"]["of"] == "all answers"


def test_a_cache_that_only_later_passes_meet_makes_no_request_cheaper() -> None:
    experiment = studies.a_study(raters=1)
    baseline, _ = studies.systems(experiment)
    before = systems_of(build(experiment))[1]["cost"]
    asked_again(baseline, passes=3, factor=0.5, usage={"input": 1200, "output": 300, "cached": 1100})
    after = systems_of(build(experiment))[1]["cost"]
    assert after["per_1000_requests"]["value"] == pytest.approx(before["per_1000_requests"]["value"])
    assert after["cached_share_measured"] == 0


def test_systems_are_compared_in_pairs_and_only_like_passes() -> None:
    experiment = studies.a_study(inputs=30, raters=1)
    _, candidate = studies.systems(experiment)
    for row in Completion.objects.filter(system=candidate):
        Completion.objects.filter(pk=row.pk).update(latency_ms=(row.latency_ms or 0) * 0.9)
    asked_again(candidate, passes=2, factor=5, usage={})
    report = build(experiment)
    [found] = report["latency_differences"]
    assert (found["candidate"], found["baseline"], found["passes"]) == ("candidate", "api", 1)
    assert found["p95"]["high"] < 0
    assert found["words"]["p95"].startswith("faster by ")
    assert not found["same_load"]
    assert found["note"] == "measured with 4 and with 1 in flight: not the same load"
    assert found["words"]["p95"] in str(formats.write(report, "md"))


def test_equal_times_are_not_shown_to_differ_and_too_few_inputs_are_not_compared() -> None:
    [same] = build(studies.a_study(inputs=20, raters=1))["latency_differences"]
    assert set(same["words"].values()) == {"not shown to differ (0\N{NO-BREAK SPACE}ms to 0\N{NO-BREAK SPACE}ms)"}
    [few] = build(studies.a_study(inputs=5, raters=1))["latency_differences"]
    assert few["words"]["p95"] == "not computed"
    assert "at least 20" in few["p95"]["why"]


def test_systems_at_one_server_say_whether_they_were_asked_at_the_same_time() -> None:
    experiment = studies.a_study(raters=1)
    one, other = an_endpoint(), an_endpoint()
    baseline, candidate = studies.systems(experiment)
    System.objects.filter(pk=candidate.pk).update(endpoint=one)
    System.objects.filter(pk=baseline.pk).update(endpoint=other)
    Completion.objects.update(started_at=NOW, finished_at=NOW + timedelta(minutes=5))
    own = systems_of(build(experiment))[0]["latency"]
    assert own["beside"] == [{"name": "api", "interleaved": True}]
    assert own["load"] == "closed loop, 4 requests in flight: the next is sent when one comes back"
    later = NOW + timedelta(hours=1)
    Completion.objects.filter(system=baseline).update(started_at=later, finished_at=later + timedelta(minutes=5))
    assert systems_of(build(experiment))[0]["latency"]["beside"] == [{"name": "api", "interleaved": False}]


def test_recorded_answers_have_no_known_load() -> None:
    times = systems_of(build(studies.a_study(raters=1)))[0]["latency"]
    assert times["load"] == "recorded elsewhere: under which load is not known"


def test_writing_to_a_cache_is_billed_at_its_own_price_and_like_input_where_none_is_stated() -> None:
    experiment = studies.a_study(raters=1)
    baseline, _ = studies.systems(experiment)
    written = {"input": 1000, "cached": 800, "cache_write": 400, "output": 100}
    Completion.objects.filter(system=baseline).update(usage=written)
    plain = systems_of(build(experiment))[1]["cost"]
    assert plain["per_1000_requests"]["value"] == pytest.approx(0.2 * 3 + 0.8 * 0.3 + 0.4 * 3 + 0.1 * 15)
    assert any("wrote to a cache" in note for note in plain["notes"])
    assert plain["input_tokens_mean"] == 1400
    values = {"systems": {baseline.arm.code: {"cache_write_per_million": 3.75}}}
    assumptions.state(experiment=experiment, values=values)
    priced = systems_of(build(experiment))[1]["cost"]
    assert priced["per_1000_requests"]["value"] == pytest.approx(0.2 * 3 + 0.8 * 0.3 + 0.4 * 3.75 + 0.1 * 15)
    assert not any("wrote to a cache" in note for note in priced["notes"])


def test_what_gave_no_usable_answer_costs_too_on_a_line_of_its_own() -> None:
    """Of ten requests one was cut off, one needed two further calls: one broke in the middle, one was turned away."""
    experiment = studies.a_study(inputs=10, raters=1)
    baseline, _ = studies.systems(experiment)
    cut, broken = Completion.objects.filter(system=baseline).order_by("pk")[:2]
    Completion.objects.filter(pk=cut.pk).update(outcome=Outcome.TRUNCATED, usage={"input": 1200, "output": 600})
    Completion.objects.filter(pk=broken.pk).update(attempts=3)
    Attempt.objects.create(completion=broken, number=1, failure_kind="rate", sentence="Wait.")
    Attempt.objects.create(completion=broken, number=2, failure_kind="cut_off", sentence="Gone.", first_token_ms=90)
    cost = systems_of(build(experiment))[1]["cost"]
    one, longer = 1.2 * 3 + 0.3 * 15, 1.2 * 3 + 0.6 * 15
    extra = cost["without_answer"]
    assert (extra["failed_calls"], extra["unusable_answers"]) == (1, 1)
    assert extra["per_1000_requests"] == pytest.approx((one + longer) / 9)
    assert cost["per_1000_requests"]["value"] == pytest.approx(one + (one + longer) / 9)


def test_tokens_that_nobody_counted_are_estimated_and_marked_everywhere() -> None:
    experiment = studies.a_study(raters=1)
    baseline, _ = studies.systems(experiment)
    Completion.objects.filter(system=baseline).update(usage={}, raw_text="x" * 401)
    report = build(experiment)
    api = report["systems"][1]["cost"]
    assert api["estimated"] == {"answers": 12, "of": 12}
    assert api["output_tokens_mean"] == 101
    assert 0 < api["input_tokens_mean"] < 10
    assert any("estimated from their characters" in note for note in api["notes"])
    assert report["systems"][0]["cost"]["estimated"] == {"answers": 0, "of": 12}
    assert "estimated" in str(formats.write(report, "md"))
    page = str(formats.write(report, "html"))
    assert page.count("about: its tokens are estimated from characters") == 1


def test_counts_that_the_fetcher_estimated_are_marked_too() -> None:
    experiment = studies.a_study(raters=1)
    Completion.objects.update(usage={"input": 10, "output": 20, "estimated": True})
    assert systems_of(build(experiment))[1]["cost"]["estimated"] == {"answers": 12, "of": 12}


def test_capacity_is_that_of_the_highest_load_within_the_p95_that_is_allowed() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    a_load_run(candidate, (1, 1.0, 900, 0), (4, 3.5, 1200, 0), (16, 8.0, 4000, 0), (32, 9.0, 9000, 2))
    free = systems_of(build(experiment))[0]
    assert free["latency"]["throughput_rps"] == 8.0
    assert "its p95 was 4.00" in free["latency"]["throughput_from"]
    assert any("state the p95 you would allow" in note for note in free["cost"]["notes"])
    assumptions.state(experiment=experiment, values={"p95_target_ms": 2000})
    own, api = systems_of(build(experiment))
    assert (own["latency"]["throughput_rps"], own["latency"]["throughput"]["lower_bound"]) == (3.5, False)
    assert own["cost"]["per_1000_requests_busy"] == pytest.approx(1000 * 1.64 / 3600 / 3.5)
    assert api["latency"]["throughput_rps"] is not None, "the target is one for GPUs"
    assumptions.state(experiment=experiment, values={"p95_target_ms": 500})
    none = systems_of(build(experiment))[0]
    assert none["latency"]["throughput_rps"] is None
    assert none["cost"]["per_1000_requests"]["why"] == "no measured load keeps p95 within the wanted one"


def test_a_gpu_that_was_never_loaded_gives_a_lower_bound_of_throughput_and_an_upper_of_cost() -> None:
    own = systems_of(build(studies.a_study(raters=1)))[0]
    assert own["latency"]["throughput"]["lower_bound"] is True
    assert any("lower bound and its cost an upper bound" in note for note in own["cost"]["notes"])


def test_three_lines_stand_side_by_side_for_gpus() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    a_load_run(candidate, (1, 1.0, 900, 0), (2, 1.05, 1200, 0))
    assumptions.state(experiment=experiment, values={"requests_per_day": 4000, "operations_per_day": 10})
    lines = systems_of(build(experiment))[0]["cost"]["lines"]
    busy = 1000 * 1.64 / 3600 / 1.05
    assert lines["busy"] == pytest.approx(busy)
    assert lines["at_utilisation"] == pytest.approx(busy / 0.3)
    assert lines["bill"] == pytest.approx((1.64 * 24 + 10) / 4)


OWNED = {
    "purchase_price": 9000,
    "residual_value": 1000,
    "years": 4,
    "interest_rate": 0.05,
    "kilowatts": 0.4,
    "pue": 1.3,
    "kwh_price": 0.25,
    "hosting_per_day": 2,
}
OWNED_A_DAY = 8000 / (4 * 365) + 5000 * 0.05 / 365 + 0.4 * 1.3 * 24 * 0.25 + 2


def test_a_machine_that_was_bought_counts_by_its_day_instead_of_a_rent() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    assumptions.state(experiment=experiment, values={"requests_per_day": 1000, "systems": {candidate.arm.code: OWNED}})
    report = build(experiment)
    own = systems_of(report)[0]["cost"]
    assert own["basis"] == "gpu"
    assert own["per_1000_requests"]["value"] == pytest.approx(OWNED_A_DAY)
    assert report["break_even"]["inputs"]["fixed_per_day"] == pytest.approx(OWNED_A_DAY)
    assert "hours switched on" not in {one["name"] for one in report["break_even"]["sensitivity"]}
    assert "a machine bought for 9,000\u00a0USD" in str(formats.write(report, "html"))


def test_two_adapters_on_one_server_split_its_bill_but_not_the_cost_of_a_busy_hour() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    a_load_run(candidate, (1, 2.0, 900, 0))
    assumptions.state(experiment=experiment, values={"requests_per_day": 1000})
    whole = build(experiment)
    assumptions.state(experiment=experiment, values={"systems": {candidate.arm.code: {"server_share": 0.5}}})
    half = build(experiment)
    lines = [systems_of(report)[0]["cost"]["lines"] for report in (whole, half)]
    assert lines[1]["bill"] == pytest.approx(lines[0]["bill"] / 2)
    assert lines[1]["busy"] == lines[0]["busy"]
    capacity = [report["break_even"]["inputs"]["capacity_requests_per_day"] for report in (whole, half)]
    assert capacity[1] == pytest.approx(capacity[0] / 2)


def test_two_systems_with_one_gpu_are_told_to_split_it() -> None:
    experiment = studies.a_study(raters=1)
    System.objects.update(endpoint=an_endpoint(), cost=studies.GPU)
    for system in build(experiment)["systems"]:
        assert any("state the share of each" in note for note in system["cost"]["notes"]), system["name"]
    shares = {one.arm.code: {"server_share": 0.5} for one in studies.systems(experiment)}
    assumptions.state(experiment=experiment, values={"systems": shares})
    for system in build(experiment)["systems"]:
        assert not any("state the share of each" in note for note in system["cost"]["notes"])


def test_a_break_even_beyond_what_the_gpus_can_serve_is_said_to_be_none() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    a_load_run(candidate, (1, 0.01, 900, 0))
    report = build(experiment)
    inputs = report["break_even"]["inputs"]
    needed = report["break_even"]["requests_per_day"] / inputs["capacity_requests_per_day"]
    assert inputs["gpus_times"] == pytest.approx(needed, abs=1)
    assert inputs["gpus_times"] > 1
    for name in ("html", "md"):
        assert f"{inputs['gpus_times']} times" in str(formats.write(report, name))


def test_data_governance_and_vendor_risk_are_added_and_the_point_without_stands_beside() -> None:
    experiment = studies.a_study(raters=1)
    assumptions.state(experiment=experiment, values={"governance_per_year": 2000, "vendor_risk_per_year": 1650})
    point = build(experiment)["break_even"]
    assert point["inputs"]["governance_per_day"] == pytest.approx(10)
    gap = point["tokens_per_day_without_governance"] - point["tokens_per_day"]
    assert gap == pytest.approx(10 / point["inputs"]["api_price_per_million"] * 1e6)


def test_the_third_way_has_its_price_and_the_volume_from_which_gpus_cost_less() -> None:
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    assert build(experiment)["break_even"]["hosted"] is None
    prices = {"hosted_input_per_million": 0.1, "hosted_output_per_million": 0.3}
    assumptions.state(experiment=experiment, values={"systems": {candidate.arm.code: prices}})
    report = build(experiment)
    assert systems_of(report)[0]["cost"]["hosted"]["per_1000_requests"]["value"] == pytest.approx(0.12 + 0.09)
    found = report["break_even"]["hosted"]
    assert found["tokens_per_day"] == pytest.approx(1.64 * 24 / found["price_per_million"] * 1e6)
    assert "from a host that is paid by tokens" in str(formats.write(report, "html"))


def test_a_stored_cost_that_makes_no_sense_is_left_out_and_breaks_nothing() -> None:
    """A bundle from elsewhere may hold anything."""
    experiment = studies.a_study(raters=1)
    _, candidate = studies.systems(experiment)
    odd = {"gpu_hourly": 2.0, "years": 0, "gpus": "many", "pue": None, "colour": "blue", "utilisation": True}
    System.objects.filter(pk=candidate.pk).update(cost=odd)
    assert systems_of(build(experiment))[0]["cost"]["stated"] == {"gpu_hourly": 2.0}


def test_the_load_curve_is_drawn_with_a_table_of_the_same_numbers(client: Client) -> None:
    experiment = studies.a_study(inputs=3, raters=1)
    owner = a_user()
    experiment.owners.add(owner)
    client.force_login(owner)
    _, candidate = studies.systems(experiment)
    assert "under load" not in page_of(client, experiment)
    a_load_run(candidate, (1, 1.25, 900, 0), (4, 3.5, 1234, 0), (16, 3.75, 4567, 3), (4, 3.25, 1500, 0))
    page = page_of(client, experiment)
    assert "candidate under load" in page
    assert page.count('class="level failed"') == 2
    for number in ("1.25", "3.25", "1.50", "4.57"):
        assert number in page
    assert "3.50" not in page, "the later run at 4 counts"


def test_the_report_with_everything_in_it_is_strict_json() -> None:
    experiment = studies.a_study(inputs=20, raters=1)
    _, candidate = studies.systems(experiment)
    a_load_run(candidate, (1, 1.25, 900, 0), (4, 0.0, 1234, 50))
    asked_again(candidate, passes=2, factor=0.5, usage={"input": 1})
    Completion.objects.filter(sample=1).update(latency_ms=0)
    json.dumps(build(experiment), allow_nan=False)


def page_of(client: Client, experiment: Experiment) -> str:
    response = client.get(reverse("report", args=[experiment.pk]))
    assert response.status_code == 200
    return response.content.decode()
